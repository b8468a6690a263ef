"""Drawing for the chapter on recurrent networks: curves over the lag, letters, accuracies with their seeds."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlcourse.figures import bar, panel, plot, scatter

Marks = list[dict[str, Any]]
Limits = tuple[float, float]


def lag_panel(
    marks: Marks, ylabel: str, ylim: Limits, xlim: Limits = (0, 60), **about: Any
) -> dict[str, Any]:
    """Sizes on a logarithmic axis against the lag in steps."""
    return panel(
        *marks, xlabel="lag k, steps", ylabel=ylabel, ylog=True, ylim=ylim, xlim=xlim, **about
    )


def letters_panel(text: str, bits: np.ndarray) -> dict[str, Any]:
    """A bar per letter of the text (T,), first letters of words in another colour; bits (T,)."""
    at, begins = np.arange(len(text)), np.array([False, *[a == " " for a in text[:-1]]])
    return panel(
        bar(at[begins], bits[begins], color="c2", label="first letter of a word"),
        bar(at[~begins], bits[~begins], color="c1", label="other letters"),
        ylabel="bits for this letter",
        xlim=(-1, len(text)),
        ylim=(0, 7),
        xticks=dict(enumerate(text.replace(" ", "·"))),
        size=(520, 300),
    )


def with_seeds(
    x: Sequence[float],
    values: Sequence[np.ndarray],
    color: str,
    marker: str,
    label: str,
    dash: str | None = None,
) -> Marks:
    """A line through the means and one mark per seed; values: one array (S,) per x."""
    spread = np.repeat(x, [len(v) for v in values])
    means = [float(np.mean(v)) for v in values]
    return [
        plot(x, means, color=color, dash=dash),
        scatter(spread, np.concatenate(values), color=color, marker=marker, label=label),
    ]


def bits_panel(rights: dict[str, np.ndarray]) -> dict[str, Any]:
    """Percent right by place in the triple, one bar per network: name -> (3,)."""
    width, colours = 0.8 / len(rights), ("c1", "c2", "c3", "c4")
    marks = [
        bar(np.arange(3) + (i - (len(rights) - 1) / 2) * width, v, colours[i], name, 0.9 * width)
        for i, (name, v) in enumerate(rights.items())
    ]
    places = {0: "the XOR", 1: "first bit", 2: "second bit"}
    return panel(*marks, ylabel="right, %", ylim=(0, 130), xticks=places, size=(560, 320))
