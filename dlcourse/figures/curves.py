"""Several curves in one panel, told apart by colour, dash and marker."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .marks import MARKERS, Mark, array, fill_between, plot, scatter

COLOURS = ("c1", "c2", "c3", "c4", "c5", "c6")
DASHES = (None, "6 4", "2 3", "8 3 2 3", "12 4", "4 2")


def curves(x: Any, rows: Mapping[str, Any], *, markers: bool = True, first: int = 0) -> list[Mark]:
    """Return the marks of one labelled line per name over x (points,).

    `rows[name]` is (points,), or (seeds, points): then the line is the mean over the seeds and a band
    covers their range. `first` is the place of the first line in the row of six looks.
    """
    marks = []
    for i, (name, values) in enumerate(rows.items(), first):
        color, dash, marker = (looks[i % len(looks)] for looks in (COLOURS, DASHES, MARKERS))
        y = np.atleast_2d(array(values))  # (seeds, points)
        if len(y) > 1:
            marks.append(fill_between(x, y.min(0), y.max(0), color=color, alpha=0.12))
        marks.append(plot(x, y.mean(0), color=color, dash=dash, label=name))
        if markers:
            marks.append(scatter(x, y.mean(0), color=color, marker=marker, size=3.5))
    return marks
