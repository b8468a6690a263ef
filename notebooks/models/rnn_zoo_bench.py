"""The competition's plumbing: what the networks start from, Adam and clipping for S networks side by side.

`adam_step` and `clip` are those of the chapter on gates, for parameters of any shape (S, …).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

Moments = list[tuple[Tensor, Tensor]]
Start = tuple[str, tuple[int, ...]]  # how a tensor starts (see `begin`), and its shape


# --- what a network consists of -----------------------------------------------------------------
def plain_parts(D: int, H: int) -> list[Start]:
    """W, U and b of a plain network."""
    return [("rows", (D, H)), ("rotation", (H, H)), ("zero", (1, H))]


def gate_parts(k: int, bias: str) -> Callable[[int, int], list[Start]]:
    """W, U and b with k gates side by side; a GRU (k = 3) has a second bias."""
    more = [("zero", 3)] if k == 3 else []
    return lambda D, H: [
        *[("rows", (D, k * H)), ("rows", (H, k * H)), (bias, (1, k * H))],
        *[(start, (1, n * H)) for start, n in more],
    ]


def goru_parts(bias: str) -> Callable[[int, int], list[Start]]:
    """W, U, X below whose diagonal Q is, b of the gates, and the threshold of modReLU."""
    return lambda D, H: [
        *[("rows", (D, 3 * H)), ("rows", (H, 2 * H)), ("skew", (H, H))],
        *[(bias, (1, 3 * H)), ("zero", (1, H))],
    ]


def unitary_parts(D: int, n: int) -> list[Start]:
    """V and r in real and imaginary parts, angles, and the threshold of modReLU."""
    complex_ones = [("rows", (D, n))] * 2 + [("normal", (2, n))] * 2
    return [*complex_ones, ("angle", (3, n)), ("zero", (1, n))]


def conv_parts(D: int, C: int, high: int = 1) -> list[Start]:
    """K, R and b of a recurrent convolution with kernels `high` x 3."""
    return [("kernel", (C, D, high, 3)), ("kernel", (C, C, high, 3)), ("zero", (C,))]


def begin(kind: str, shape: tuple[int, ...], g: torch.Generator, T: int) -> Tensor:
    """One starting tensor; rows and kernel are uniform with the spread of torch's layers."""
    u = torch.rand(shape, generator=g)
    if kind in ("rows", "kernel"):
        fan = {"rows": shape[0], "kernel": math.prod(shape[1:])}[kind]
        return (2 * u - 1) / fan**0.5
    if kind == "rotation":
        return torch.linalg.qr(torch.randn(shape, generator=g))[0]
    if kind == "skew":
        return 2 * torch.randn(shape, generator=g) / shape[0] ** 0.5
    if kind == "normal":
        return torch.randn(shape, generator=g)
    if kind == "angle":
        return math.pi * (2 * u - 1)
    return torch.zeros(shape) if kind == "zero" else _spread(int(kind[-1]), u, T)


def _spread(parts: int, u: Tensor, T: int) -> Tensor:
    """Chrono biases for i, f, a, o or r, z, n: memories of 1 to T - 1 steps, open means keep."""
    long = (1 + (T - 2) * u.chunk(parts, -1)[1]).log()
    first = -long if parts == 4 else 0 * long
    return torch.cat([first, long, *[0 * long] * (parts - 2)], -1)


# --- Adam ---------------------------------------------------------------------------------------
def _like(v: Tensor, p: Tensor) -> Tensor:
    """One number for each network (S,) in a shape that goes with p (S, …)."""
    return v.view(-1, *[1] * (p.dim() - 1))


def zeros_like(params: list[Tensor]) -> Moments:
    """The moments before the first step."""
    return [(torch.zeros_like(p), torch.zeros_like(p)) for p in params]


@torch.no_grad()
def adam_step(params: list[Tensor], moments: Moments, k: int, rates: Tensor) -> None:
    """Step k = 1, 2, … of Adam, in place; rates (S,): every network has its own."""
    for p, (m, v) in zip(params, moments, strict=True):
        m.lerp_(p.grad, 0.1)  # running mean of the gradient
        v.lerp_(p.grad**2, 0.001)  # and of its square
        p -= _like(rates, p) * m / (1 - 0.9**k) / ((v / (1 - 0.999**k)).sqrt() + 1e-8)
        p.grad = None


@torch.no_grad()
def clip(params: list[Tensor]) -> None:
    """Shorten the gradients of each network to length 1, if they are longer."""
    length = sum((p.grad**2).flatten(1).sum(1) for p in params).sqrt()  # (S,)
    for p in params:
        p.grad *= _like((1 / (length + 1e-6)).clamp(max=1), p)
