"""Drawing for the chapter on gates: streams with marks, gates over time, learning curves."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dlcourse.figures import imshow, panel, plot, scatter

Panel = dict[str, Any]


def stream_panel(
    values: np.ndarray, marks: np.ndarray, wanted: np.ndarray, outputs: Mapping[str, np.ndarray]
) -> Panel:
    """A stream (T,), its marked steps, the value to hold and what cells put out, name -> (T,)."""
    at, steps = np.flatnonzero(marks), np.arange(len(values))
    lines = [
        plot(steps, y, color=color, dash=dash, label=name)
        for (name, y), color, dash in zip(
            outputs.items(), ("c1", "c2", "c4"), (None, "4 3", "8 3 2 3"), strict=False
        )
    ]
    return panel(
        scatter(steps, values, color="muted", marker="x", label="input"),
        scatter(at, values[at], color="c3", size=5, marker="s", label="marked"),
        plot(steps, wanted, color="fg", dash="2 3", label="to be held"),
        *lines,
        xlabel="step",
        ylabel="value",
        ylim=(-1.3, 1.7),
    )


def gates_panel(gates: Mapping[str, np.ndarray], title: str | None = None) -> Panel:
    """Gates over time, name -> (T,) between 0 and 1."""
    looks = zip(("c1", "c2", "c4"), (None, "6 4", "2 3"), strict=True)
    return panel(
        *[
            plot(np.arange(len(g)), g, color=color, dash=dash, label=name)
            for (name, g), (color, dash) in zip(gates.items(), looks, strict=False)
        ],
        title=title,
        xlabel="step",
        ylabel="gate",
        ylim=(-0.05, 1.05),
    )


def cell_panel(c: np.ndarray, a: np.ndarray) -> Panel:
    """The cell's state and its candidate over time, both (T,)."""
    steps, tall = np.arange(len(c)), 1.1 * max(1.0, float(np.abs(c).max()))
    return panel(
        plot(steps, c, color="c3", label="cell state c"),
        scatter(steps, a, color="muted", marker="x", label="candidate a"),
        xlabel="step",
        ylabel="value",
        ylim=(-tall, tall),
    )


def gate_panel(z: float) -> Panel:
    """What a gate with the sum z lets through, and how fast that changes."""
    grid = np.linspace(-8, 8, 129)
    sigma = 1 / (1 + np.exp(-grid))
    open_ = 1 / (1 + np.exp(-z))
    return panel(
        plot(grid, sigma, color="c1", label="share let through"),
        plot(grid, sigma * (1 - sigma), color="c2", dash="4 3", label="slope of the gate"),
        scatter([z], [open_], color="c1", size=6),
        scatter([z], [open_ * (1 - open_)], color="c2", size=6, marker="s"),
        xlabel="the gate's sum z",
        ylabel="share",
        ylim=(-0.05, 1.05),
    )


def passing_panel(signal: np.ndarray, z: float) -> Panel:
    """A signal (T,) before and after a gate with the sum z."""
    steps = np.arange(len(signal))
    return panel(
        plot(steps, signal, color="muted", dash="4 3", label="signal"),
        plot(steps, signal / (1 + np.exp(-z)), color="c1", label="behind the gate"),
        xlabel="step",
        ylabel="value",
        ylim=(-1.1, 1.1),
    )


def learning_panel(
    steps: np.ndarray, curves: Mapping[str, np.ndarray], title: str, width: int = 420
) -> Panel:
    """Mean percent right over training, name -> (looks, seeds)."""
    looks = (
        ("c1", None, "o"),
        ("c2", "6 4", "s"),
        ("c3", "2 3", "^"),
        ("c4", None, "x"),
        ("c5", "6 4", "o"),
        ("c6", "2 3", "s"),
    )
    marks = []
    for (name, right), (color, dash, marker) in zip(curves.items(), looks, strict=False):
        mean = right.mean(1)
        marks += [plot(steps, mean, color=color, dash=dash)]
        marks += [scatter(steps[::3], mean[::3], color=color, marker=marker, label=name)]
    return panel(
        *marks,
        title=title,
        xlabel="training step",
        ylabel="right, %",
        ylim=(38, 104),
        size=(width, 320),
    )


def caption_panel(picture: np.ndarray) -> dict[str, Any]:
    """A picture (12, 12, 3) with values in [0, 1]."""
    return panel(imshow(picture), title="a new combination", axes=False, size=(220, 240))


def words_panel(chances: np.ndarray, words: list[str], said: list[str]) -> dict[str, Any]:
    """Chances (words, places) of each word at each place of a sentence."""
    rows, places = chances.shape
    return panel(
        imshow(chances, extent=(-0.5, places - 0.5, rows - 0.5, -0.5), lim=(0, 1), smooth=False),
        title="chance of the next word",
        yticks=dict(enumerate(words)),
        xticks=dict(enumerate(said)),
        size=(400, 300),
    )
