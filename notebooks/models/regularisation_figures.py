"""Drawing for the regularisation chapter: fits and errors, accuracy curves, bars with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlcourse.figures import bar, curves, fill_between, imshow, panel, plot, scatter, scene


def fit_panel(points: tuple, fresh: tuple, line: np.ndarray, curve: np.ndarray) -> dict[str, Any]:
    """Training points, fresh points and the fitted curve over `line`."""
    return panel(
        scatter(*fresh, color="muted", size=2, marker="x", label="fresh points"),
        plot(line, curve, color="c1", label="the fit"),
        scatter(*points, color="c2", size=4.5, label="training points"),
        xlabel="input x",
        ylabel="target y",
        xlim=(-1.05, 1.05),
        ylim=(-2.2, 2.2),
    )


def error_panel(train: np.ndarray, test: np.ndarray, degree: int) -> dict[str, Any]:
    """Mean squared errors by degree (D,) each, with a line at the chosen one."""
    x, top = np.arange(len(train)), 10.0
    return panel(
        plot(x, np.clip(train, 1e-4, top), color="c2", label="on the training points"),
        plot(x, np.clip(test, 1e-4, top), color="c1", dash="6 4", label="on fresh points"),
        plot([degree] * 2, [1e-4, top], color="fg", dash="2 3", width=1),
        xlabel="degree of the polynomial",
        ylabel="mean squared error",
        ylog=True,
        ylim=(1e-4, top),
    )


def moons_panel(grid: np.ndarray, X: np.ndarray, y: np.ndarray, title: str) -> dict[str, Any]:
    """Probabilities of class 1 on a grid over [-2, 3] × [-1.6, 2.1]; class 1 as white triangles."""
    marks = [imshow(grid[::-1], extent=(-2, 3, -1.6, 2.1), lim=(0, 1), cmap="diverging")]
    for c, (color, marker) in enumerate((("fg", "o"), ("#ffffff", "^"))):
        marks.append(scatter(*X[y == c].T, color=color, marker=marker, size=4))
    return panel(*marks, title=title, xlabel="x₁", ylabel="x₂", xlim=(-2, 3), ylim=(-1.6, 2.1))


def curves_panel(
    steps: Sequence[int],
    lines: Mapping[str, Sequence[float]],
    level: float | None = None,
    **about: Any,
) -> dict[str, Any]:
    """Per cent over the steps, a line per name told apart by colour and dash; a dotted `level`."""
    marks = curves(steps, lines, markers=False)
    if level is not None:
        marks.append(plot(about["xlim"], [level] * 2, color="fg", dash="1 4", width=1.5))
    return panel(*marks, xlabel="step", ylim=(0, 105), size=(400, 340), **about)


def dots_panel(runs: Mapping[str, np.ndarray], **about: Any) -> dict[str, Any]:
    """One row for each arm: every seed as a dot, the mean as an upright bar."""
    marks = []
    for k, values in enumerate(runs.values()):
        mean = values.mean()
        marks.append(scatter(values, np.full(len(values), -k), color="c1", size=3))
        marks.append(plot([mean, mean], [-k - 0.3, -k + 0.3], color="c2", width=4))
    rows = {-k: arm for k, arm in enumerate(runs)}
    return panel(*marks, yticks=rows, ylim=(-len(runs) + 0.4, 0.6), size=(420, 360), **about)


def histogram_panel(
    values: np.ndarray, density: tuple[np.ndarray, np.ndarray], **about: Any
) -> dict[str, Any]:
    """Histogram of `values` as bars, and a density (x, p(x)) over it."""
    height, edges = np.histogram(values, bins=40, density=True)
    centre = (edges[1:] + edges[:-1]) / 2
    return panel(
        bar(centre, height, color="c1", width=0.9 * (edges[1] - edges[0]), label="random masks"),
        plot(*density, color="c2", width=3, label="normal density"),
        **about,
    )


def tiles(images: np.ndarray, titles: Sequence[str], size: int = 120) -> list[dict[str, Any]]:
    """One bare panel per image (height, width), values from 0 to 1."""
    return [
        panel(imshow(z, lim=(0, 1), cmap="gray"), title=t, axes=False, size=(size, size))
        for z, t in zip(images, titles, strict=True)
    ]


def scan_scene(
    lines: Mapping[str, Mapping[str, Sequence[float]]],
    rates: Sequence[float],
    ended: Sequence[float],
) -> dict[str, Any]:
    """A panel for each length: one line per arm over the rates; a band where `ended` rates lie."""
    panels = []
    for length, arms in lines.items():
        marks = curves(rates, arms)
        if length == "to the end":
            marks.append(
                fill_between(
                    [min(ended), max(ended)],
                    [0, 0],
                    [100, 100],
                    color="muted",
                    label="plain net knows the lies",
                )
            )
        panels.append(
            panel(
                *marks,
                title=length,
                xlog=True,
                xlabel="learning rate",
                ylabel="checking pictures, per cent right",
                ylim=(50, 100),
                size=(420, 340),
            )
        )
    return scene(*panels)
