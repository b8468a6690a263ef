"""Drawing for the attention chapter: soft look-ups, attention maps, one row of a map over its text."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from dlcourse.figures import bar, imshow, panel, plot, scatter

Panel = dict[str, Any]
KEYS = np.arange(9.0)
VALUES = np.array([1.0, 3.0, 2.0, 4.0, 6.0, 5.0, 2.0, 1.0, 3.0])


def lookup_panels(question: float, weights: np.ndarray) -> tuple[Panel, Panel]:
    """The weights (9,) of a question on nine keys, and the value that it reads."""
    answer = float(weights @ VALUES)
    asked = panel(
        bar(KEYS, weights, color="c1"),
        plot([question, question], [0, 1], color="fg", dash="4 3", label="question"),
        title="how much each key counts",
        xlabel="key",
        ylabel="weight",
        xlim=(-0.6, 8.6),
        ylim=(0, 1),
    )
    read = panel(
        scatter(KEYS, VALUES, color="c1", size=5, label="stored values"),
        plot([-0.6, 8.6], [answer, answer], color="c2", label="what is read"),
        scatter([question], [answer], color="c2", size=6, marker="s"),
        title="the answer",
        xlabel="key",
        ylabel="value",
        xlim=(-0.6, 8.6),
        ylim=(0, 7),
    )
    return asked, read


def map_panel(
    weights: Tensor,
    title: str,
    labels: Sequence[str] | None = None,
    size: tuple[float, float] = (300, 300),
) -> Panel:
    """A map of attention (T, T): a row looks, the columns are looked at."""
    ticks = dict(enumerate(labels)) if labels else None
    return panel(
        imshow(weights, lim=(0, 1)),
        title=title,
        xlabel="position looked at",
        ylabel="position that looks",
        xticks=ticks,
        yticks=ticks,
        size=size,
    )


def row_panel(row: Tensor, letters: Sequence[str], title: str) -> Panel:
    """One row (t,) of a map as bars over the letters (t,) it looks at; the last is the letter that looks."""
    at = np.arange(len(row))
    return panel(
        bar(at[:-1], row[:-1], color="c1", label="earlier letters"),
        bar(at[-1:], row[-1:], color="c2", label="the letter itself"),
        title=title,
        ylabel="weight",
        xlim=(-0.7, len(letters) - 0.3),
        ylim=(0, 1),
        xticks={i: "␣" if c == " " else c for i, c in enumerate(letters)},
        size=(640, 220),
    )


def lag_panel(lags: Sequence[int], scores: dict[str, np.ndarray], lag: int) -> Panel:
    """Share of right letters (seeds, lags) in percent of each kind of network, and the lag looked at."""
    marks = [plot([lag, lag], [0, 103], color="muted", dash="4 3")]
    for (kind, values), color, marker in zip(scores.items(), ("c1", "c2"), "os", strict=True):
        marks.append(plot(lags, values.mean(0), color=color, label=kind))
        marks.append(
            scatter(
                np.tile(lags, len(values)), values.ravel(), color=color, size=2.5, marker=marker
            )
        )
    ends = {"xlim": (lags[0] - 0.4, lags[-1] + 0.4), "ylim": (0, 103)}
    return panel(*marks, xlabel="lag, letters", ylabel="right, %", title="by lag", **ends)
