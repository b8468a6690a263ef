"""Drawing for the landscape chapter: the timeline, the ladder of a stem, the views of a stream."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlcourse.figures import bar, panel, plot, scatter, scene, text

Row = Sequence[tuple[int, str]]  # (year, name), oldest first
SPAN = (1938, 2024)  # years on the timeline's axis


def _row_marks(height: int, row: str, items: Row, year: int) -> list[dict]:
    """One line of the timeline: what was known by `year`, the newest of it with its name."""
    known = [item for item in items if item[0] <= year]
    marks = [
        plot(SPAN, [height, height], color="muted", width=1),
        text(SPAN[0] + 0.5, height + 0.22, row, color="muted"),
    ]
    if not known:
        return marks
    newest, name = known[-1]
    side = "start" if newest < 1975 else "end"
    return [
        *marks,
        scatter([y for y, _ in known], [height] * len(known), color="c1", size=5),
        scatter([newest], [height], color="c2", size=6, marker="s"),
        text(newest, height - 0.42, f"{name}, {newest}", anchor=side),
    ]


def timeline(rows: Mapping[str, Row], year: int) -> dict:
    """All rows up to `year`, oldest subject on top; squares are the newest entries."""
    marks = [plot([year, year], [-0.7, len(rows) - 0.3], color="c2", width=1, dash="4 3")]
    for height, (row, items) in enumerate(reversed(rows.items())):
        marks += _row_marks(height, row, items, year)
    known = [(y, name) for items in rows.values() for y, name in items if y <= year]
    plane = panel(
        *marks,
        xlabel="year",
        xlim=SPAN,
        ylim=(-0.8, len(rows) - 0.2),
        yticks={},
        size=(400, 470),
    )
    return scene(plane, text=_readout(known, year))


def _readout(known: Row, year: int) -> str:
    if not known:
        return f"{year}: nothing on this map yet"
    last = max(y for y, _ in known)
    names = dict.fromkeys(name for y, name in known if y == last)
    return f"{year}: {len(known)} entries; newest: {', '.join(names)} ({last})"


def by_year(years: Sequence[int], first: int = 1940) -> dict:
    """How many entries of the bibliography carry each year."""
    axis = np.arange(first, max(years) + 1)
    counts = [sum(y == year for y in years) for year in axis]
    return panel(
        bar(axis, counts, width=0.9), xlabel="year", ylabel="entries", xlim=(first, max(years) + 1)
    )


def ladder(forms: Sequence[tuple[str, str]], sizes: Sequence[int], done: int) -> dict:
    """A word on its way through the steps, and the vocabulary that is left after each step."""
    rungs = []
    for i, (step, form) in enumerate(forms):
        height = len(forms) - 1 - i
        changed = i > 0 and form != forms[i - 1][1]
        shown = form if i <= done else "·"
        rungs += [
            text(0.1, height, step, color="muted"),
            text(1.6, height, shown, color="c2" if changed and i <= done else "fg"),
        ]
    axis = np.arange(len(sizes))
    words = panel(*rungs, axes=False, xlim=(0, 5), ylim=(-0.5, len(forms) - 0.3))
    curve = panel(
        plot(axis, sizes, color="c1"),
        scatter([done], [sizes[done]], color="c2", size=6, marker="s"),
        xlabel="steps taken",
        ylabel="different words left",
        ylim=(0, 1.08 * sizes[0]),
    )
    return scene(
        words,
        curve,
        text=f"after {done} steps: {forms[done][1]}; {sizes[done]} different words left in the whole text",
    )


def stream(history: Sequence[tuple[int, int, int]], sizes: tuple[int, int], **limits: Any) -> dict:
    """Counts of one word: batch view alone, both views merged, exact; and what each view holds.

    history: (batch, merged, exact) after each event, starting with none. sizes: events in batch and speed view.
    """
    batch, merged, exact = np.array(history).T
    axis = np.arange(len(history))
    counts = panel(
        plot(axis, exact, color="muted", width=6, label="exact recount"),
        plot(axis, merged, color="c3", width=2, label="batch + speed", dash="8 4"),
        plot(axis, batch, color="c2", dash="5 3", label="batch alone"),
        xlabel="events arrived",
        ylabel="times counted",
        **limits,
    )
    views = panel(
        bar([0], [sizes[0]], color="c2"),
        bar([1], [sizes[1]], color="c3"),
        xticks={0: "batch view", 1: "speed view"},
        ylabel="events held",
        xlim=(-0.6, 1.6),
        ylim=(0, limits["xlim"][1]),
    )
    return scene(
        counts,
        views,
        text=f"event {axis[-1]}: exact {exact[-1]}, merged {merged[-1]}, batch alone {batch[-1]}",
    )


def trade(periods: Sequence[int], late: Sequence[float], work: Sequence[float], at: int) -> dict:
    """How far the batch view lags and how much it recounts, against the batch period."""
    panels = []
    for values, label, color in (
        (late, "events missed, mean", "c2"),
        (work, "words recounted per new word", "c1"),
    ):
        marks = [
            plot(periods, values, color=color),
            scatter([periods[at]], [values[at]], color=color, size=6, marker="s"),
        ]
        panels.append(
            panel(*marks, xlabel="batch period, events", ylabel=label, ylim=(0, 1.1 * max(values)))
        )
    told = f"every {periods[at]} events: the batch view alone misses {late[at]:.1f} events on average; "
    return scene(*panels, text=told + f"each new word costs {work[at]:.1f} recounted ones")
