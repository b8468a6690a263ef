"""Drawing for the backpropagation chapter: a network with numbers on it, and a graph of operations."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dlcourse.figures import panel, plot, scatter, text

BARE = {"axes": False, "xlabel": None, "ylabel": None}


def _number(value: float, digits: str = ".3g") -> str:
    return f"{float(value):{digits}}".replace("-", "−")


def _heights(n: int) -> np.ndarray:
    """Vertical places of n nodes, top to bottom, centred on zero (n,)."""
    return (n - 1) / 2 - np.arange(n)


def network(
    weights: Sequence[np.ndarray], values: Sequence[np.ndarray], title: str | None = None
) -> dict[str, Any]:
    """Panel of a layered network, blue for positive and orange (dashed) for negative numbers.

    weights: one (inputs, outputs) array per layer; zero is drawn as a gap, NaN as a faint line without a value.
    values: one array per column of nodes; NaN leaves the node open.
    """
    marks = [
        _edge(k, i, j, w[i, j], w.shape)
        for k, w in enumerate(weights)
        for i, j in np.ndindex(w.shape)
    ]
    for k, column in enumerate(values):
        for y, v in zip(_heights(len(column)), column, strict=True):
            marks += _node(k, y, v)
    tallest = max(len(column) for column in values)
    lim = {"xlim": (-0.3, len(values) - 0.7), "ylim": (-tallest / 2 - 0.1, tallest / 2 + 0.2)}
    return panel(*marks, title=title, size=(430, 320), **lim, **BARE)


def _edge(k: int, i: int, j: int, w: float, shape: tuple[int, ...]) -> dict[str, Any] | None:
    if w == 0:
        return None
    ends = [_heights(shape[0])[i], _heights(shape[1])[j]]
    if np.isnan(w):
        return plot([k, k + 1], ends, color="muted", width=0.4)
    width = 0.6 + 3.4 * min(abs(w), 2) / 2  # pixels
    return plot(
        [k, k + 1], ends, color="c1" if w > 0 else "c2", width=width, dash=None if w > 0 else "5 3"
    )


def _node(x: float, y: float, v: float) -> list[dict[str, Any]]:
    if np.isnan(v):
        return [scatter([x], [y], color="muted", size=5)]
    dot = scatter([x], [y], color="c1" if v >= 0 else "c2", size=5 + 6 * min(abs(v), 1.5))
    return [dot, text(x, y + 0.24, _number(v, ".2f"), anchor="middle")]


def _columns(nodes: Sequence[Any]) -> dict[Any, int]:
    """Column of each node, just left of its leftmost consumer; `nodes` are ordered, the result last."""
    column = {nodes[-1]: 0}
    for node in reversed(nodes):
        for parent in node.parents:
            column[parent] = min(column.get(parent, 0), column[node] - 1)
    first = min(column.values())
    return {node: c - first for node, c in column.items()}


def _places(nodes: Sequence[Any]) -> dict[Any, tuple[float, float]]:
    """Results stand on the ground line, the leaves that join them above it."""
    column, places = _columns(nodes), {}
    for c in sorted(set(column.values())):
        members = [n for n in nodes if column[n] == c]
        places |= {n: (float(c), float(len(members) - 1 - i)) for i, n in enumerate(members)}
    return places


def graph(
    nodes: Sequence[Any],
    label: Callable[[Any], str],
    gradient: dict[Any, float],
    active: Any = None,
) -> dict[str, Any]:
    """Panel of a graph of operations: name and value beside each node, and the gradient that arrived, in orange.

    nodes: parents before children. gradient: what has arrived so far; a node without entry shows nothing.
    active: the node whose rule has just run; its wires to its parents are drawn thick.
    """
    at = _places(nodes)
    wires = [(parent, node) for node in nodes for parent in dict.fromkeys(node.parents)]
    marks = [_wire(at[p], at[n], n is active) for p, n in wires]
    for node, (x, y) in at.items():
        lit, away = node in gradient, 1 if y > 0 else -1
        marks.append(
            scatter([x], [y], color="c2" if lit else "muted", size=9 if node is active else 6)
        )
        name = f"{label(node)} = {_number(node.data)}"
        marks.append(text(x, y + 0.24 * away - 0.04, name, anchor="middle"))
        if lit:
            worth = _number(gradient[node])
            marks.append(text(x, y + 0.44 * away - 0.04, worth, anchor="middle", color="c2"))
    xs, ys = zip(*at.values(), strict=True)
    lim = {"xlim": (-0.5, max(xs) + 0.5), "ylim": (min(ys) - 0.7, max(ys) + 0.6)}
    return panel(*marks, size=(540, 260), **lim, **BARE)


def _wire(start: tuple[float, float], end: tuple[float, float], active: bool) -> dict[str, Any]:
    x, y = zip(start, end, strict=True)
    return plot(x, y, color="c2" if active else "muted", width=3.5 if active else 1)
