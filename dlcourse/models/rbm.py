"""A restricted Boltzmann machine of binary units, derived in notebooks/models/rbm.ipynb.

D visible and H hidden units; N pictures a batch; leading axes run several machines at once.
"""

from dataclasses import dataclass

import numpy as np


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + e^-z), elementwise, without overflow."""
    return 0.5 * np.tanh(0.5 * z) + 0.5


def softplus(z: np.ndarray) -> np.ndarray:
    """Return log(1 + e^z), elementwise, without overflow."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return units in 0 and 1 that are on with probabilities p, any shape, exact to 1/65536."""
    words = rng.bit_generator.random_raw(-(-p.size // 4))  # 64 bits each, 16 a unit
    return (words.view(np.uint16)[: p.size].reshape(p.shape) < 65536 * p).astype(p.dtype)


@dataclass
class RBM:
    """Links W (..., D, H), biases a (..., D) of visible and b (..., H) of hidden units.

    Smolensky (1986); conditionals and free energy as in Hinton (2002).
    """

    W: np.ndarray
    a: np.ndarray
    b: np.ndarray

    def energy(self, v: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Return -aᵀv - bᵀh - vᵀWh (...,) of states v (..., D) and h (..., H)."""
        return -(v * self.a).sum(-1) - (h * self.b).sum(-1) - (v @ self.W * h).sum(-1)  # (...,)

    def hidden(self, v: np.ndarray) -> np.ndarray:
        """Return p(h = 1 | v) (..., N, H) for v (..., N, D)."""
        return sigmoid(v @ self.W + self.b)  # (..., N, H)

    def visible(self, h: np.ndarray) -> np.ndarray:
        """Return p(v = 1 | h) (..., N, D) for h (..., N, H)."""
        return sigmoid(h @ self.W.mT + self.a)  # (..., N, D)

    def free_energy(self, v: np.ndarray) -> np.ndarray:
        """Return -log of the sum over h of e^-energy, (..., N) nats, for v (..., N, D)."""
        return -(v * self.a).sum(-1) - softplus(v @ self.W + self.b).sum(-1)


def gibbs(rbm: RBM, v: np.ndarray, rng: np.random.Generator, k: int = 1) -> np.ndarray:
    """Return v (..., N, D) after k sweeps of hidden and visible units."""
    for _ in range(k):
        h = draw(rbm.hidden(v), rng)  # (..., N, H)
        v = draw(rbm.visible(h), rng)  # (..., N, D)
    return v


def contrast(rbm: RBM, awake: np.ndarray, free: np.ndarray) -> RBM:
    """Return the positive minus the negative phase from two batches (..., N, D), uphill."""
    up, down = rbm.hidden(awake), rbm.hidden(free)
    d = lambda x, y: x.mean(-2, keepdims=True) - y.mean(-2, keepdims=True)  # noqa: E731
    W = awake.mT @ up / awake.shape[-2] - free.mT @ down / free.shape[-2]
    shape = rbm.a.shape, rbm.b.shape
    return RBM(W, d(awake, free).reshape(shape[0]), d(up, down).reshape(shape[1]))
