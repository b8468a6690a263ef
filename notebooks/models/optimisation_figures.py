"""Drawing for the optimisation chapter: level lines, paths, losses by work."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from skimage.measure import find_contours

from dlcourse.figures import curves, panel, plot, scatter

Marks = list[dict[str, Any]]


def level_lines(
    hessian: np.ndarray, levels: Sequence[float], centre: Sequence[float] = (0.0, 0.0)
) -> dict[str, Any]:
    """The curves ½ (w − centre)ᵀ H (w − centre) = level of a positive definite H (2, 2), as one mark."""
    angle = np.linspace(0, 2 * np.pi, 49)
    circle = np.stack([np.cos(angle), np.sin(angle)])  # (2, 49)
    half = np.linalg.inv(np.linalg.cholesky(hessian)).T  # half @ halfᵀ is the inverse of H
    rings = [np.sqrt(2 * level) * half @ circle for level in levels]
    gaps = [np.c_[ring, [np.nan, np.nan]] for ring in rings]
    x, y = np.concatenate(gaps, axis=1) + np.asarray(centre, float)[:, None]
    return plot(x.round(4), y.round(4), color="muted", width=1)


def path(points: np.ndarray, color: str = "c1", label: str | None = None) -> Marks:
    """A broken line through the points (K, 2) with a dot at each and a larger one at the last."""
    x, y = np.asarray(points, float).round(4).T
    return [
        plot(x, y, color=color, width=1.5, label=label),
        scatter(x, y, color=color, size=2),
        scatter(x[-1:], y[-1:], color="fg", size=5),
    ]


def contours(
    f: Callable, xlim: tuple[float, float], ylim: tuple[float, float], levels: Sequence[float]
) -> dict[str, Any]:
    """The curves f(x, y) = level inside the window, as one mark."""
    columns, rows, gap = 81, 65, [[np.nan, np.nan]]
    z = f(*np.meshgrid(np.linspace(*xlim, columns), np.linspace(*ylim, rows)))  # (rows, columns)
    found = [line[::2] for level in levels for line in find_contours(z, level)]
    at = np.concatenate([np.r_[line, gap] for line in found])  # (K, 2) row and column
    x = xlim[0] + at[:, 1] * (xlim[1] - xlim[0]) / (columns - 1)
    y = ylim[0] + at[:, 0] * (ylim[1] - ylim[0]) / (rows - 1)
    return plot(x.round(3), y.round(3), color="muted", width=1)


def by_layer(values: Mapping[str, np.ndarray], title: str, ylim: tuple[float, float]) -> dict:
    """Mean squares by layer (L,) of several recipes on a logarithmic axis."""
    layers = np.arange(1, len(next(iter(values.values()))) + 1)
    lines = curves(layers, {name: np.maximum(v, 1e-30) for name, v in values.items()})
    one = plot([1, 10], [1, 1], color="muted", dash="4 3", label="one")
    return panel(
        *lines, one, title=title, xlabel="layer", ylabel="mean square", ylog=True, ylim=ylim
    )


def losses_by_work(values: Mapping[str, np.ndarray], passes: np.ndarray, title: str) -> dict:
    """Median over seeds (S, K) and every seed as a faint line, over passes through the data (K,)."""
    marks = curves(passes, {name: np.median(loss, 0) for name, loss in values.items()})
    for color, loss in zip(("c1", "c2", "c3", "c4"), values.values(), strict=True):
        faint = np.c_[loss, np.full(len(loss), np.nan)].ravel()
        marks.append(plot(np.tile(np.r_[passes, np.nan], len(loss)), faint, color, width=0.5))
    about = {"xlabel": "passes through the data", "ylabel": "training loss", "size": (620, 340)}
    return panel(*marks, title=title, xlog=True, ylog=True, **about)
