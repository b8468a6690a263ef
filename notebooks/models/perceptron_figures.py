"""Drawing for the perceptron chapter: labelled points, a boundary with its normal, coloured half planes."""

from collections.abc import Callable

import numpy as np

from dlcourse.figures import imshow, plot, quiver, scatter


def points(X: np.ndarray, y: np.ndarray, size: float = 4) -> list[dict]:
    """Two marks: circles for label +1, squares for label −1. X (N, 2), y (N,) in ±1."""
    plus, minus = X[y > 0], X[y < 0]
    return [
        scatter(plus[:, 0], plus[:, 1], color="c1", marker="o", size=size, label="+1"),
        scatter(minus[:, 0], minus[:, 1], color="c2", marker="s", size=size, label="−1"),
    ]


def boundary(w: np.ndarray, b: float, arrow: bool = False) -> list[dict]:
    """The line w·x + b = 0 across the picture and, if wanted, w as an arrow of length 0.6 from it."""
    length = float(np.linalg.norm(w))
    if length == 0:
        return []
    normal = w / length
    foot, along = -b / length * normal, np.array([-normal[1], normal[0]])
    ends = np.stack([foot - 9 * along, foot + 9 * along])
    marks = [plot(ends[:, 0], ends[:, 1], color="fg")]
    if arrow:
        marks.append(quiver(foot[:1], foot[1:], 0.6 * normal[:1], 0.6 * normal[1:], color="fg"))
    return marks


def decision_map(classify: Callable[[np.ndarray], np.ndarray], reach: float = 1.8) -> list[dict]:
    """The plane coloured by `classify` (N, 2) -> (N,) in ±1: blue for +1, orange for −1, as the points."""
    t = np.linspace(-reach, reach, 72)
    grid = np.stack(np.meshgrid(t, t[::-1]), axis=-1).reshape(-1, 2)  # rows from the top
    z = -classify(grid).reshape(72, 72).astype(float)
    return [imshow(z, extent=(-reach, reach, -reach, reach), lim=(-2.5, 2.5), cmap="diverging")]
