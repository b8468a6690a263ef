"""Points in the plane whose classes can be seen at a glance."""

from collections.abc import Callable

import numpy as np

Points = tuple[np.ndarray, np.ndarray]


def toy(
    name: str,
    n: int = 200,
    noise: float = 0.1,
    seed: int = 0,
    *,
    margin: float = 0.2,
    classes: int = 2,
) -> Points:
    """`n` points X (n, 2) float32 with labels y (n,) int64, in random order, classes balanced.

    * `moons`: two interlocking half circles of radius 1;
    * `circles`: a circle of radius 0.5 inside one of radius 1;
    * `blobs`: `classes` Gaussian clouds, their centres evenly on the unit circle;
    * `xor`: clouds at (±1, ±1), label 1 where the signs differ (noise=0: the four points);
    * `spiral`: `classes` arms of one full turn;
    * `linear`: separable by the line `separator(seed)`, no point nearer to it than `margin`.
    `noise` is the standard deviation of the Gaussian noise added to both coordinates; `linear`
    has none, so that its margin is exact. Raises ValueError for an unknown name or bad number.
    """
    if name not in _SHAPES:
        raise ValueError(f"no toy data called {name!r}; choose from {', '.join(_SHAPES)}.")
    if n < 1 or noise < 0 or classes < 2 or not 0 <= margin <= 0.5:
        raise ValueError(
            f"toy needs n >= 1, noise >= 0, classes >= 2 and margin in [0, 0.5]; "
            f"got n={n}, noise={noise}, classes={classes}, margin={margin}."
        )
    rng = np.random.default_rng(seed)
    if name == "linear":
        points, labels = _linear(n, rng, margin, *separator(seed))
    else:
        labels = np.arange(n) % (classes if name in ("blobs", "spiral") else 2)
        points = _SHAPES[name](labels, rng, classes) + noise * rng.standard_normal((n, 2))
    order = rng.permutation(n)
    return points[order].astype(np.float32), labels[order].astype(np.int64)


def separator(seed: int = 0) -> tuple[np.ndarray, float]:
    """The line w·x + b = 0 of `toy("linear", seed=seed)`: w (2,) of length 1, and b in ±0.2.

    Label 1 lies where w·x + b > 0; |w·x + b| is a point's distance from the line.
    """
    rng = np.random.default_rng([seed, 1])
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)]), float(rng.uniform(-0.2, 0.2))


def _linear(
    n: int, rng: np.random.Generator, margin: float, w: np.ndarray, b: float
) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(n) % 2
    sign = 2 * labels - 1
    points = np.zeros((n, 2))
    # float32 rounds by at most 6e-8 here: stay that much further away
    while (wrong := sign * (points @ w + b) < margin + 1e-6).any():
        points[wrong] = rng.uniform(-1, 1, (wrong.sum(), 2))
    return points, labels


def _moons(labels: np.ndarray, rng: np.random.Generator, classes: int) -> np.ndarray:
    t = rng.uniform(0, np.pi, len(labels))
    upper = np.c_[np.cos(t), np.sin(t)]  # (n, 2)
    lower = np.c_[1 - np.cos(t), 0.5 - np.sin(t)]
    return np.where(labels[:, None] == 0, upper, lower)


def _circles(labels: np.ndarray, rng: np.random.Generator, classes: int) -> np.ndarray:
    t = rng.uniform(0, 2 * np.pi, len(labels))
    return np.c_[np.cos(t), np.sin(t)] * np.where(labels == 0, 1, 0.5)[:, None]


def _blobs(labels: np.ndarray, rng: np.random.Generator, classes: int) -> np.ndarray:
    t = 2 * np.pi * labels / classes
    return np.c_[np.cos(t), np.sin(t)]


def _xor(labels: np.ndarray, rng: np.random.Generator, classes: int) -> np.ndarray:
    side = np.where(np.arange(len(labels)) // 2 % 2 == 0, -1.0, 1.0)
    return np.c_[side, side * (1 - 2 * labels)]


def _spiral(labels: np.ndarray, rng: np.random.Generator, classes: int) -> np.ndarray:
    t = np.sqrt(rng.uniform(0.01, 1, len(labels)))  # the root spreads points evenly along an arm
    angle = 2 * np.pi * t + 2 * np.pi * labels / classes
    return np.c_[np.cos(angle), np.sin(angle)] * t[:, None]


_SHAPES: dict[str, Callable[..., np.ndarray]] = {
    "moons": _moons,
    "circles": _circles,
    "blobs": _blobs,
    "xor": _xor,
    "spiral": _spiral,
    "linear": _linear,
}
