"""A scene is plain data: panels made of marks. Marks are named as in Matplotlib; nothing is drawn here.

Arrays may be NumPy arrays, torch tensors (any device, with or without gradient) or plain sequences.
Colours: ``"c1"`` … ``"c6"`` (follow the theme, safe for colour-blind readers), ``"fg"``, ``"muted"``
or any CSS colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Mark = dict[str, Any]
Panel = dict[str, Any]
Scene = dict[str, Any]
Limits = tuple[float, float] | Sequence[float]

MARKERS = ("o", "s", "^", "x")
COLOUR_MAPS = ("viridis", "diverging", "gray")
# pixels round the axes, as in figure.js
MARGINS = {"left": 54, "right": 12, "top": 8, "bottom": 44}
LARGEST = 340  # pixels, the longer side of the axes when both axes share one scale


def array(values: Any) -> np.ndarray:
    """Return any array-like, torch tensors included, as a NumPy array."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)


def column(values: Any) -> np.ndarray:
    """Return array-like numbers as a flat float array (n,)."""
    return array(values).astype(float).ravel()


def _same_length(kind: str, **columns: Any) -> dict[str, np.ndarray]:
    flat = {name: column(values) for name, values in columns.items()}
    sizes = {name: a.size for name, a in flat.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"{kind}() needs arrays of one length, got {sizes}")
    return flat


def plot(
    x: Any,
    y: Any,
    color: str = "c1",
    label: str | None = None,
    width: float = 2,
    dash: str | bool | None = None,
) -> Mark:
    """Join the points (x, y) by a line, `width` pixels wide; NaN lifts the pen.

    `dash` is True, "--", ":" or an SVG dash pattern such as "6 4".
    """
    pattern = {True: "6 4", "--": "6 4", ":": "2 3", "-.": "8 3 2 3"}.get(dash, dash)
    style = {"color": color, "label": label, "width": width, "dash": pattern or None}
    return {"type": "plot", **_same_length("plot", x=x, y=y), **style}


def scatter(
    x: Any,
    y: Any,
    color: str = "c1",
    label: str | None = None,
    size: float = 3,
    marker: str = "o",
) -> Mark:
    """Draw one marker ("o", "s", "^" or "x") of radius `size` pixels at each point."""
    if marker not in MARKERS:
        raise ValueError(f"marker must be one of {MARKERS}, got {marker!r}")
    style = {"color": color, "label": label, "size": size, "marker": marker}
    return {"type": "scatter", **_same_length("scatter", x=x, y=y), **style}


def bar(
    x: Any, height: Any, color: str = "c1", label: str | None = None, width: float = 0.8
) -> Mark:
    """Draw bars from zero to `height`, `width` data units wide, centred on x."""
    style = {"color": color, "label": label, "width": width}
    return {"type": "bar", **_same_length("bar", x=x, y=height), **style}


def fill_between(
    x: Any, y1: Any, y2: Any, color: str = "c1", label: str | None = None, alpha: float = 0.2
) -> Mark:
    """Fill the band between two curves over x; y1 and y2 may be single numbers."""
    x, y1, y2 = column(x), column(y1), column(y2)
    y1, y2 = (np.full_like(x, y[0]) if y.size == 1 else y for y in (y1, y2))
    style = {"color": color, "label": label, "alpha": alpha}
    return {"type": "fill_between", **_same_length("fill_between", x=x, y1=y1, y2=y2), **style}


def quiver(x: Any, y: Any, u: Any, v: Any, color: str = "fg") -> Mark:
    """Draw an arrow from each (x, y) to (x + u, y + v), all in data units."""
    return {"type": "quiver", **_same_length("quiver", x=x, y=y, u=u, v=v), "color": color}


def text(x: float, y: float, s: str, anchor: str = "start", color: str = "fg") -> Mark:
    """Write `s` at (x, y); the point is the text's start, middle or end."""
    if anchor not in ("start", "middle", "end"):
        raise ValueError(f'anchor must be "start", "middle" or "end", got {anchor!r}')
    at = {"x": float(x), "y": float(y)}
    return {"type": "text", **at, "text": str(s), "anchor": anchor, "color": color}


def imshow(
    z: Any,
    extent: Sequence[float] | None = None,
    lim: Limits | None = None,
    cmap: str = "viridis",
    origin: str = "upper",
    smooth: bool | None = None,
) -> Mark:
    """Show an array (H, W) through a colour map, or (H, W, 3) as RGB in [0, 1] or uint8.

    `extent` is (left, right, bottom, top) as in Matplotlib, one unit per pixel by default. Row 0 is at
    the top; `origin="lower"` puts it at the bottom (a grid from `meshgrid`). `lim` is the pair of
    values at the ends of the colour map ("viridis", "diverging", "gray"). `smooth` blends
    neighbouring pixels; by default only maps with an extent are blended, pictures keep their pixels.
    """
    z = array(z)
    rgb = z.ndim == 3 and z.shape[2] == 3
    if not (z.ndim == 2 or rgb) or not z.size:
        raise ValueError(f"imshow() needs an array (H, W) or (H, W, 3), got shape {z.shape}")
    if cmap not in COLOUR_MAPS:
        raise ValueError(f"cmap must be one of {COLOUR_MAPS}, got {cmap!r}")
    h, w = z.shape[:2]
    z = z[::-1] if origin == "lower" else z
    square = extent is None
    bottom, top = (-0.5, h - 0.5) if origin == "lower" else (h - 0.5, -0.5)
    extent = (-0.5, w - 0.5, bottom, top) if square else extent
    return {
        "type": "imshow",
        "z": _rgb(z) if rgb else z.astype(float),
        "shape": [h, w],
        "extent": [float(e) for e in extent],
        "lim": [0.0, 1.0] if rgb else _colour_limits(z, lim),
        "cmap": "rgb" if rgb else cmap,
        "smooth": (not square and not rgb and cmap != "gray") if smooth is None else smooth,
        "square": square,
    }


def _rgb(z: np.ndarray) -> np.ndarray:
    if z.dtype == np.uint8:
        return z / 255
    return np.clip(np.nan_to_num(z.astype(float)), 0, 1)


def _colour_limits(z: np.ndarray, lim: Limits | None) -> list[float]:
    if lim is not None:
        return [float(lim[0]), float(lim[1])]
    finite = z[np.isfinite(z)].astype(float)
    return [float(finite.min()), float(finite.max())] if finite.size else [0.0, 1.0]


def panel(
    *marks: Mark | None,
    title: str | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    xlog: bool = False,
    ylog: bool = False,
    size: Sequence[float] | None = None,
    aspect: str | None = None,
    axes: bool = True,
    alt: str | None = None,
    xticks: Mapping[float, str] | None = None,
    yticks: Mapping[float, str] | None = None,
) -> Panel:
    """Put marks on one pair of axes; marks that are None are left out.

    `size` is (width, height) in pixels, 380 by 300 unless told. `aspect="equal"` gives both axes one
    scale (the default for pictures shown without an extent). `axes=False` hides axes and ticks.
    `xticks` and `yticks` map positions to labels, for bars and categories. `alt` describes this panel.
    """
    kept = [m for m in marks if m]
    xlim = _numbers(xlim) or _span(kept, "x", xlog)
    ylim = _numbers(ylim) or _span(kept, "y", ylog)
    if aspect is None and any(m.get("square") for m in kept):
        aspect = "equal"
    out = {
        "marks": kept, "title": title, "xlabel": xlabel, "ylabel": ylabel, "xlim": xlim, "ylim": ylim,
        "xlog": xlog, "ylog": ylog, "equal": aspect == "equal", "bare": not axes, "alt": alt,
        "xticks": _ticks(xticks), "yticks": _ticks(yticks),
    }  # fmt: skip
    out["size"] = [float(s) for s in size] if size is not None else _size(out)
    return out


def _numbers(lim: Limits | None) -> list[float] | None:
    return None if lim is None else [float(lim[0]), float(lim[1])]


def _ticks(ticks: Mapping[float, str] | None) -> list[list[Any]] | None:
    return None if ticks is None else [[float(at), str(label)] for at, label in ticks.items()]


def _span(marks: list[Mark], axis: str, log: bool) -> list[float]:
    """Limits that show every finite value; images fix the limits to their extent."""
    images = [m["extent"] for m in marks if m["type"] == "imshow"]
    if images:
        lo, hi = (0, 1) if axis == "x" else (2, 3)
        flipped = images[0][lo] > images[0][hi]
        ends = [e[i] for e in images for i in (lo, hi)]
        return [max(ends), min(ends)] if flipped else [min(ends), max(ends)]
    values = np.concatenate([np.zeros(0), *(v for m in marks for v in _extremes(m, axis))])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    lo, hi = (float(values.min()), float(values.max())) if values.size else (0.1 * log, 1.0)
    if log:
        return [lo / 1.3, hi * 1.3]
    pad = 0.05 * ((hi - lo) or abs(hi) or 1.0)
    return [lo - pad, hi + pad]


def _extremes(mark: Mark, axis: str) -> list[np.ndarray]:
    kind = mark["type"]
    if kind == "fill_between" and axis == "y":
        return [mark["y1"], mark["y2"]]
    if kind == "quiver":
        start, move = (mark["x"], mark["u"]) if axis == "x" else (mark["y"], mark["v"])
        return [start, start + move]
    if kind == "bar":
        half = mark["width"] / 2
        return [mark["x"] - half, mark["x"] + half] if axis == "x" else [mark["y"], np.zeros(1)]
    return [np.atleast_1d(mark[axis])]


def _size(p: Panel) -> list[float]:
    """380 by 300, or, when both axes share one scale, as high as the data ask for."""
    if not p["equal"]:
        return [380.0, 300.0]
    dx, dy = abs(p["xlim"][1] - p["xlim"][0]), abs(p["ylim"][1] - p["ylim"][0])
    unit = min(314 / dx, LARGEST / dy)
    frame = 4 if p["bare"] else MARGINS["top"] + MARGINS["bottom"]
    return [380.0, max(60.0, round(dy * unit + frame))]


def scene(*panels: Panel, text: str = "") -> Scene:
    """Set panels side by side; `text` is the readout under them, in plain text."""
    for p in panels:
        if not isinstance(p, dict) or "marks" not in p:
            raise TypeError(f"scene() takes panels made by panel(), got {type(p).__name__}")
    return {"panels": list(panels), "text": str(text)}
