"""The loops over time of this chapter's cells for many small networks at once, with NumPy inside.

Between two tiny products PyTorch spends most of its time on bookkeeping. Here the loop runs in NumPy, forward and
backward, and autograd sees it as one operation. The backward loops use that each slope is known once the forward
pass is done: what is left is a linear recurrence. The chapter compares states and gradients with its own cells.

Letters: T steps, S networks, N sequences, H units, k parts. `z` (T, S, N, kH) holds the share of the inputs in the
sums, biases included; `U` (S, H, kH) the recurrent weights; states start at zero. Inside, the parts come first:
(k, S, N, H), so that every operation runs over one block of memory. Each function returns the states (T, S, N, H).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray


def _apart(v: Tensor, parts: int) -> Array:
    """(…, a, b, kH) -> (…, k, a, b, H), always a copy."""
    v = v.detach().numpy()
    return np.array(np.moveaxis(v.reshape(*v.shape[:-1], parts, -1), -2, -4), order="C")


def _together(v: Array) -> Tensor:
    """(…, k, a, b, H) -> (…, a, b, kH)."""
    v = np.moveaxis(v, -4, -2)
    return torch.from_numpy(v.reshape(*v.shape[:-2], -1))


def _weights(U: Tensor, parts: int) -> tuple[Array, Array]:
    """Each part's matrix, and its transpose, (k, S, H, H)."""
    forward = _apart(U[None], parts)[0]
    return forward, np.ascontiguousarray(forward.swapaxes(-1, -2))


def _weights_gradient(h: Array, d: Array) -> Tensor:
    """Sum over steps and sequences of h (T, S, N, H) times d (T, k, S, N, H): (S, H, kH)."""
    before = h.transpose(1, 3, 0, 2).reshape(h.shape[1], h.shape[3], -1)  # (S, H, TN)
    after = d.transpose(2, 0, 3, 1, 4).reshape(d.shape[2], d.shape[0] * d.shape[3], -1)
    return torch.from_numpy(before @ after)


def _sigmoid(x: Array) -> None:
    """In place; σ(x) = (1 + tanh(x / 2)) / 2."""
    x *= 0.5
    np.tanh(x, out=x)
    x *= 0.5
    x += 0.5


class _LSTM(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, U: Tensor) -> Tensor:
        gates = _apart(z, 4)  # (T, 4, S, N, H): the sums, overwritten by what they become
        forward, ctx.back = _weights(U, 4)
        T, _, S, N, H = gates.shape
        c, h = (np.zeros((T + 1, S, N, H), gates.dtype) for _ in range(2))
        tanh_c = np.empty_like(h[1:])
        half = np.array([0.5, 0.5, 1, 0.5], gates.dtype).reshape(4, 1, 1, 1)  # a is no gate
        for t, g in enumerate(gates):
            g += h[t] @ forward
            g *= half
            np.tanh(g, out=g)
            g *= half
            g += 1 - half  # σ(x) = (1 + tanh(x / 2)) / 2
            i, f, a, o = g
            c[t + 1] = f * c[t] + i * a
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t + 1])
        ctx.saved = gates, c, tanh_c, h
        return torch.from_numpy(h[1:])

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
        (gates, c, tanh_c, h), gs = ctx.saved, g.numpy()
        i, f, a, o = gates.swapaxes(0, 1)
        to_c, d = o * (1 - tanh_c * tanh_c), np.empty_like(gates)
        slopes = [a * i * (1 - i), c[:-1] * f * (1 - f), i * (1 - a * a), tanh_c * o * (1 - o)]
        slopes = np.stack(slopes, 1)
        dc, dh = np.zeros_like(c[0]), gs[-1]
        for t in reversed(range(len(gs))):
            dc += dh * to_c[t]
            np.multiply(dc, slopes[t, :3], out=d[t, :3])
            np.multiply(dh, slopes[t, 3], out=d[t, 3])
            dc *= f[t]
            dh = gs[t - 1] + (d[t] @ ctx.back).sum(0)
        return _together(d), _weights_gradient(h[:-1], d)


class _GRU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, U: Tensor, b: Tensor) -> Tensor:
        sums, bias = _apart(z, 3), _apart(b[None], 3)[0]  # (T, 3, S, N, H), (3, S, 1, H)
        forward, ctx.back = _weights(U, 3)
        T, _, S, N, H = sums.shape
        v, n, h = (np.zeros((T + 1, S, N, H), sums.dtype) for _ in range(3))
        for t, g in enumerate(sums):
            u = h[t] @ forward + bias
            g[:2] += u[:2]
            _sigmoid(g[:2])
            v[t] = u[2]
            np.tanh(g[2] + g[0] * u[2], out=n[t])
            h[t + 1] = n[t] + g[1] * (h[t] - n[t])
        ctx.saved = sums[:, 0], sums[:, 1], n[:-1], v[:-1], h
        return torch.from_numpy(h[1:])

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        (r, z, n, v, h), gs = ctx.saved, g.numpy()
        to_n, to_z = (1 - z) * (1 - n * n), (h[:-1] - n) * z * (1 - z)
        slopes = np.stack([to_n * v * r * (1 - r), to_z, to_n * r], 1)
        d, dhs, dh = np.empty_like(slopes), np.empty_like(n), gs[-1]
        for t in reversed(range(len(gs))):
            dhs[t] = dh
            np.multiply(dh, slopes[t], out=d[t])
            dh = gs[t - 1] + dh * z[t] + (d[t] @ ctx.back).sum(0)
        recurrent, bias = _weights_gradient(h[:-1], d), _together(d.sum((0, 3), keepdims=True)[0])
        d[:, 2] = dhs * to_n  # the inputs enter behind the reset
        return _together(d), recurrent, bias


class _Leaky(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, U: Tensor, keep: Tensor) -> Tensor:
        n, ks = _apart(z, 1)[:, 0], keep.detach().numpy()  # (T, S, N, H): the sums, then their tanh
        (forward,), (ctx.back,) = _weights(U, 1)
        h = np.zeros((len(n) + 1, *n.shape[1:]), n.dtype)
        for t, g in enumerate(n):
            g += h[t] @ forward
            np.tanh(g, out=g)
            h[t + 1] = g + ks * (h[t] - g)
        ctx.saved = n, h, ks
        return torch.from_numpy(h[1:])

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor, None]:
        (n, h, keep), gs = ctx.saved, g.numpy()
        slopes, d, dh = (1 - keep) * (1 - n * n), np.empty_like(n), gs[-1]
        for t in reversed(range(len(gs))):
            np.multiply(dh, slopes[t], out=d[t])
            dh = gs[t - 1] + dh * keep + d[t] @ ctx.back
        return torch.from_numpy(d), _weights_gradient(h[:-1], d[:, None]), None


def lstm_states(z: Tensor, U: Tensor) -> Tensor:
    """LSTM with the four parts i, f, a, o in z (T, S, N, 4H) and U (S, H, 4H)."""
    return _LSTM.apply(z, U)


def gru_states(z: Tensor, U: Tensor, b: Tensor) -> Tensor:
    """GRU, reset after the product; r, z, n in z (T, S, N, 3H) and U (S, H, 3H); b (S, 1, 3H) goes with U."""
    return _GRU.apply(z, U, b)


def leaky_states(z: Tensor, U: Tensor, keep: Tensor) -> Tensor:
    """tanh units that keep the share `keep` (S, 1, H) of their last state; 0 is the plain network."""
    return _Leaky.apply(z, U, keep)
