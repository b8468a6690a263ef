"""Drawing for the depth chapter: gradients by layer, slopes by recipe, accuracies by depth."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlcourse.figures import panel, plot, scatter

Marks = list[dict[str, Any]]
INK = (("c2", "s"), ("c3", "^"), ("c1", "o"), ("c4", "x"), ("c5", "s"))  # colour, marker


def slopes_panel(slopes: Mapping[tuple[str, str], Sequence[float]]) -> dict[str, Any]:
    """Decades per layer of every (activation, first weights), one mark per seed, and the sigmoid's bound."""
    acts, inits = (list(dict.fromkeys(names)) for names in zip(*slopes, strict=True))
    marks, low = [plot([-0.5, 2.5], [0, 0], color="fg", width=1)], math.log10(0.25)
    marks.append(
        plot([-0.5, 0.5], [low, low], color="fg", dash="4 3", label="bound for sigmoid, ‖W‖ ≤ 1")
    )
    for j, (init, (color, marker)) in enumerate(zip(inits, INK, strict=True)):
        values = [np.asarray(slopes[a, init]) for a in acts]
        x = np.repeat(np.arange(len(acts)) + 0.14 * (j - 2), len(values[0]))
        marks.append(scatter(x, np.concatenate(values), color, init, size=4, marker=marker))
    lim = {"xlim": (-0.5, 2.5), "xticks": dict(enumerate(acts)), "size": (620, 340)}
    return panel(*marks, ylabel="decades per layer", **lim)


def gradient_panel(
    norms: Sequence[float],
    other: Sequence[float],
    label: str,
    ylim: tuple[float, float],
    xlabel: str = "layer",
) -> dict[str, Any]:
    """Gradient size by layer (L,), and a second curve (L,) to compare it with."""
    layer, floor = np.arange(1, len(norms) + 1), 1e-300  # a zero has no place on a logarithmic axis
    return panel(
        plot(layer, np.maximum(other, floor), color="muted", dash="4 3", label=label),
        plot(layer, np.maximum(norms, floor), color="c1"),
        scatter(layer, np.maximum(norms, floor), color="c1", label="gradient"),
        xlabel=xlabel,
        ylabel="size of the gradient",
        ylog=True,
        ylim=ylim,
    )


def with_seeds(
    depths: Sequence[int],
    values: Sequence[np.ndarray],
    color: str,
    marker: str,
    label: str,
    dash: str | None = None,
) -> Marks:
    """A line through the means and one mark per seed; values: one array (S,) per depth."""
    x = np.repeat(depths, [len(v) for v in values])
    dots = scatter(x, np.concatenate(values), color=color, marker=marker, size=2.5)
    return [plot(depths, [v.mean() for v in values], color=color, dash=dash, label=label), dots]


def depth_panel(marks: Marks, depths: Sequence[int], **about: Any) -> dict[str, Any]:
    """Accuracies over the number of hidden layers, which doubles from tick to tick."""
    lim = {"xticks": {d: str(d) for d in depths}, "xlim": (0.87 * depths[0], 1.15 * depths[-1])}
    return panel(*marks, xlabel="hidden layers", xlog=True, **lim, **about)
