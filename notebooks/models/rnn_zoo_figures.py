"""Drawing for the chapter on the relatives: words, waves, pens, mazes, who hears whom, and a score board."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlcourse.figures import bar, curves, imshow, panel, plot, scatter

Panel = dict[str, Any]
COLOURS = ("c1", "c2", "c3", "c4", "c5", "c6")


def words_panel(
    shares: Mapping[str, float], right: str, other: Mapping[str, float] | None = None
) -> Panel:
    """Probabilities of words; the right one in another colour; a second opinion as marks."""
    words = list(shares)
    at, heights = np.arange(len(words)), np.array(list(shares.values()))
    is_right = np.array([w == right for w in words])
    marks = [
        bar(at[is_right], heights[is_right], color="c1", label="the word that was there"),
        bar(at[~is_right], heights[~is_right], color="muted", label="other words that fit"),
    ]
    if other is not None:
        values = [other.get(w, 0.0) for w in words]
        marks.append(scatter(at, values, color="c2", marker="s", size=5, label="the network"))
    look = {"ylim": (0, 1.45), "xlim": (-0.7, max(len(words) - 0.3, 3.7)), "size": (560, 300)}
    return panel(*marks, ylabel="probability", xticks=dict(enumerate(words)), **look)


def wave_panel(wanted: np.ndarray, drawn: np.ndarray) -> Panel:
    """A wave (T,) and a network's copy of it."""
    ms = np.arange(len(wanted)) / 4  # 4 samples a millisecond
    return panel(
        plot(ms, wanted, color="muted", width=4, label="the vowel"),
        plot(ms, drawn, color="c1", label="the network"),
        xlabel="time, ms",
        ylabel="sound pressure, standard deviations",
        ylim=(-4, 5.5),
    )


def clocks_panel(states: np.ndarray, periods: Sequence[int]) -> Panel:
    """One unit of each group, one above the other: states (T, groups)."""
    ms = np.arange(len(states)) / 4
    lines = [plot(ms, 2.3 * g + s, color=COLOURS[g]) for g, s in enumerate(states.T)]
    ticks = {2.3 * g: f"every {p}" for g, p in enumerate(periods)}
    return panel(*lines, xlabel="time, ms", ylabel="one unit of each clock", yticks=ticks)


def error_panel(missed: Sequence[float], steps: int) -> Panel:
    """Share of the variance that is missed, over training."""
    return panel(
        plot(np.arange(1, len(missed) + 1), missed, color="c2"),
        xlabel="training step",
        ylabel="share of the variance missed",
        xlim=(0, steps),
        ylim=(1e-3, 3),
        ylog=True,
    )


def pen_panel(moves: np.ndarray, read: int, direction: str) -> Panel:
    """A digit from its moves (T, 2), with the part that has been read."""
    at = np.vstack([[0, 0], np.cumsum(moves, 0)])
    part = slice(0, read + 1) if direction == "forwards" else slice(len(at) - read - 1, None)
    return panel(
        plot(at[:, 0], at[:, 1], color="muted", width=2, label="not read yet"),
        plot(*at[part].T, color="c1", width=4, label="read"),
        scatter(at[:1, 0], at[:1, 1], color="c2", size=6, label="first touch"),
        aspect="equal",
        axes=False,
        xlim=(at[:, 0].min() - 1.5, at[:, 0].max() + 1.5),
        ylim=(at[:, 1].min() - 1, at[:, 1].max() + 4),
        size=(300, 320),
    )


def guesses_panel(shares: np.ndarray, digit: int) -> Panel:
    """Probability of each of the ten digits."""
    others = np.arange(10) != digit
    return panel(
        bar([digit], [shares[digit]], color="c1", label="the digit"),
        bar(np.arange(10)[others], shares[others], color="muted", label="others"),
        xlabel="digit",
        ylabel="probability",
        ylim=(0, 1.3),
        xticks={i: str(i) for i in range(10)},
    )


def hearing_panel(sizes: np.ndarray) -> Panel:
    """How much the state after step t (rows) changes with the input of step s: powers of ten (T, T)."""
    shown = np.log10(np.maximum(sizes, 1e-12))
    return panel(
        imshow(shown, lim=(-6, 0.5), smooth=False),
        xlabel="input of step",
        ylabel="state after step",
        size=(400, 380),
    )


def maze_panel(maze: np.ndarray, reached: np.ndarray, goal: tuple[int, int]) -> Panel:
    """Walls dark, free cells light, reached cells coloured; start and goal marked."""
    picture = np.where(maze[..., None], np.array([0.2, 0.2, 0.2]), np.array([0.93, 0.93, 0.93]))
    picture[reached] = (0.35, 0.7, 0.9)
    return panel(
        imshow(picture),
        scatter([0], [0], color="c2", marker="o", size=5, label="start"),
        scatter([goal[1]], [goal[0]], color="c2", marker="x", size=5, label="goal"),
        axes=False,
        size=(380, 400),
    )


def board_panel(
    task: str, scores: Mapping[str, np.ndarray], guess: float, size: Sequence[int] = (420, 420)
) -> Panel:
    """One line for each arm, the best at the top: every seed, and the mean."""
    order = sorted(scores, key=lambda arm: scores[arm].mean())
    marks = [plot([guess, guess], [-0.5, len(order) - 0.5], color="fg", dash="2 3", width=1)]
    for row, arm in enumerate(order):
        color = "c2" if arm == "LSTM" else "muted" if arm in ("plain", "GRU") else "c1"
        values = scores[arm]
        marks.append(scatter(values, np.full(len(values), row), color=color, size=2.5))
        marks.append(plot([values.mean()] * 2, [row - 0.35, row + 0.35], color=color, width=4))
    return panel(
        *marks,
        title=task,
        xlabel="right, %",
        xlim=(0, 103),
        ylim=(-0.7, len(order) - 0.3),
        yticks=dict(enumerate(order)),
        size=size,
    )


def lengths_panel(lengths: Mapping[str, np.ndarray]) -> Panel:
    """Length of a gradient over the steps back, name -> (T,)."""
    return panel(
        *curves(np.arange(1, 1 + len(next(iter(lengths.values())))), lengths, markers=False),
        xlabel="steps back",
        ylabel="length of the gradient",
        ylog=True,
        ylim=(1e-3, 10),
        size=(600, 320),
    )
