"""Digits drawn with a pen, in one stroke: control points by hand, then sizes, slants and tremor at random."""

import numpy as np

# (x, y) in a box of about 1 by 1, y upwards, in the order of writing
STROKES = {
    0: ((0.5, 1), (0.2, 0.8), (0.1, 0.5), (0.2, 0.15), (0.5, 0), (0.8, 0.2), (0.9, 0.5), (0.8, 0.85), (0.5, 1)),
    1: ((0.25, 0.75), (0.55, 1), (0.55, 0.5), (0.55, 0)),
    2: ((0.1, 0.8), (0.35, 1), (0.7, 0.95), (0.75, 0.65), (0.4, 0.3), (0.1, 0), (0.5, 0), (0.9, 0)),
    3: ((0.1, 0.9), (0.5, 1), (0.75, 0.78), (0.35, 0.55), (0.8, 0.3), (0.5, 0), (0.1, 0.1)),
    4: ((0.65, 0), (0.65, 0.5), (0.65, 1), (0.35, 0.65), (0.05, 0.35), (0.5, 0.35), (0.95, 0.35)),
    5: ((0.85, 1), (0.5, 1), (0.2, 1), (0.15, 0.55), (0.6, 0.6), (0.8, 0.3), (0.5, 0), (0.1, 0.08)),
    6: ((0.7, 1), (0.3, 0.65), (0.15, 0.25), (0.45, 0), (0.78, 0.25), (0.5, 0.5), (0.2, 0.3)),
    7: ((0.1, 1), (0.5, 1), (0.85, 1), (0.62, 0.5), (0.4, 0)),
    8: ((0.5, 0.52), (0.2, 0.76), (0.5, 1), (0.8, 0.76), (0.5, 0.52), (0.2, 0.25), (0.5, 0), (0.8, 0.25), (0.5, 0.52)),
    9: ((0.78, 0.78), (0.5, 1), (0.2, 0.76), (0.5, 0.5), (0.78, 0.78), (0.72, 0.35), (0.5, 0)),
}  # fmt: skip


def _even(points: np.ndarray, n: int) -> np.ndarray:
    """n + 1 points at equal distances along a polyline (m, 2)."""
    way = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    at = np.linspace(0, way[-1], n + 1)
    return np.stack([np.interp(at, way, points[:, k]) for k in (0, 1)], 1)


def pen(n: int, seed: int, moves: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Moves of the pen (n, moves, 2), right and up, and the digits (n,)."""
    rng = np.random.default_rng(seed)
    digits = rng.integers(10, size=n)
    drawn = []
    for digit in digits:
        points = np.array(STROKES[int(digit)]) + rng.normal(
            scale=0.05, size=(len(STROKES[digit]), 2)
        )
        slant, wide = rng.normal(scale=0.2), rng.uniform(0.7, 1.2)
        points = points @ np.array([[wide, 0], [slant, rng.uniform(0.8, 1.2)]])
        drawn.append(np.diff(_even(points, moves), axis=0))
    return np.array(drawn, np.float32) * 6, digits  # about 1 a move
