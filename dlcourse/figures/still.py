"""Still pictures: a scene drawn by Matplotlib, and plain Matplotlib figures, as small PNG files."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from .marks import MARGINS, Mark, Panel, Scene

COLOURS = {
    "c1": "#0b62b8", "c2": "#b64700", "c3": "#00734f", "c4": "#8a3a86", "c5": "#6b5d00", "c6": "#a4262c",
    "fg": "#1f2328", "muted": "#57606a",
}  # fmt: skip
DIVERGING = LinearSegmentedColormap.from_list("dlc-diverging", ["#4889ca", "#ffffff", "#c87540"])
ALIGN = {"start": "left", "middle": "center", "end": "right"}
PER_INCH = 90  # pixels of a panel's size per inch of the still
TITLE, LEGEND = 26, 20  # pixels above a panel, and under it for each line of its legend
TOLERANCE = 1.5  # mean error of a palette, in levels of 255, that nobody sees


def colour(name: str) -> str:
    """Return the light theme's colour for a name of ours, or the CSS colour itself."""
    return COLOURS.get(name, name)


def _plot(ax: Axes, m: Mark) -> None:
    dash = (0, [float(n) / m["width"] for n in m["dash"].split()]) if m["dash"] else "-"
    ax.plot(m["x"], m["y"], color=colour(m["color"]), lw=m["width"], ls=dash, label=m["label"])


def _scatter(ax: Axes, m: Mark) -> None:
    edge = {} if m["marker"] == "x" else {"edgecolors": "white", "linewidths": 0.5}
    area = 3 * m["size"] ** 2
    ax.scatter(
        m["x"], m["y"], s=area, c=colour(m["color"]), marker=m["marker"], label=m["label"], **edge
    )


def _bar(ax: Axes, m: Mark) -> None:
    ax.bar(m["x"], m["y"], width=m["width"], color=colour(m["color"]), label=m["label"])


def _fill_between(ax: Axes, m: Mark) -> None:
    style = {"color": colour(m["color"]), "alpha": m["alpha"], "label": m["label"], "linewidth": 0}
    ax.fill_between(m["x"], m["y1"], m["y2"], **style)


def _quiver(ax: Axes, m: Mark) -> None:
    data_units = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006}
    ax.quiver(m["x"], m["y"], m["u"], m["v"], color=colour(m["color"]), **data_units)


def _imshow(ax: Axes, m: Mark) -> None:
    cmap = DIVERGING if m["cmap"] == "diverging" else None if m["cmap"] == "rgb" else m["cmap"]
    how = "bilinear" if m["smooth"] else "nearest"
    lim = {} if m["cmap"] == "rgb" else {"vmin": m["lim"][0], "vmax": m["lim"][1]}
    ax.imshow(m["z"], extent=m["extent"], cmap=cmap, interpolation=how, aspect="auto", **lim)


def _text(ax: Axes, m: Mark) -> None:
    ax.text(
        m["x"], m["y"], m["text"], ha=ALIGN[m["anchor"]], color=colour(m["color"]), clip_on=True
    )


DRAW = {
    "plot": _plot, "scatter": _scatter, "bar": _bar, "fill_between": _fill_between, "quiver": _quiver,
    "imshow": _imshow, "text": _text,
}  # fmt: skip


def _draw(ax: Axes, p: Panel) -> None:
    for m in p["marks"]:
        DRAW[m["type"]](ax, m)
    ax.set_title(p["title"] or "", fontsize=10, fontweight="bold")
    ax.set(xlabel=p["xlabel"] or "", ylabel=p["ylabel"] or "")
    ax.set(xscale="log" if p["xlog"] else "linear", yscale="log" if p["ylog"] else "linear")
    ax.set(xlim=p["xlim"], ylim=p["ylim"])
    ax.set_aspect("equal" if p["equal"] else "auto", anchor="N")
    for axis, ticks in ((ax.xaxis, p["xticks"]), (ax.yaxis, p["yticks"])):
        if ticks is not None:
            axis.set_ticks([at for at, _ in ticks], [label for _, label in ticks])
    ax.tick_params(labelsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    if p["bare"]:
        ax.set_axis_off()


def _legend(ax: Axes, p: Panel, below: float) -> None:
    """Write the legend under the panel, `below` pixels lower than its axes."""
    if any(m.get("label") for m in p["marks"]):
        down = -below / (ax.get_position().height * ax.figure.get_figheight() * PER_INCH)
        at = {"loc": "upper center", "bbox_to_anchor": (0.5, down), "borderaxespad": 0}
        ax.legend(fontsize=9, frameon=False, ncols=3, handlelength=1.6, columnspacing=1.2, **at)


def _rows(panels: list[Panel]) -> list[list[Panel]]:
    columns = 2 if len(panels) in (2, 4) else 3
    return [panels[i : i + columns] for i in range(0, len(panels), columns)]


def _height(row: list[Panel]) -> float:
    return TITLE + max(p["size"][1] + LEGEND * _legend_lines(p) for p in row)


def _legend_lines(p: Panel) -> int:
    return math.ceil(sum(bool(m.get("label")) for m in p["marks"]) / 3)


def scene_png(scene: Scene, dpi: int = 96) -> bytes:
    """Draw a scene on white and return a PNG with a palette: 256 colours for images, else 64."""
    rows = _rows(scene["panels"]) or [[]]
    width = max(sum(p["size"][0] for p in row) for row in rows) or 1
    height = sum(_height(row) for row in rows if row) or 1
    fig = Figure(figsize=(width / PER_INCH, height / PER_INCH))
    top = height
    for row in rows:
        left = (width - sum(p["size"][0] for p in row)) / 2
        for p in row:
            _place(fig, p, left, top - TITLE, (width, height))
            left += p["size"][0]
        top -= _height(row) if row else 0
    images = any(m["type"] == "imshow" for p in scene["panels"] for m in p["marks"])
    return shrink(figure_png(fig, dpi), colours=256 if images else 64, tolerance=math.inf)


def _place(fig: Figure, p: Panel, left: float, top: float, whole: tuple[float, float]) -> None:
    """Draw a panel whose upper left corner is at (left, top) pixels from the lower left one."""
    (w, h), (width, height) = p["size"], whole
    bare = dict.fromkeys(MARGINS, 4)
    m = bare if p["bare"] else MARGINS
    box = (
        left + m["left"],
        top - h + m["bottom"],
        w - m["left"] - m["right"],
        h - m["top"] - m["bottom"],
    )
    ax = fig.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
    _draw(ax, p)
    _legend(ax, p, m["bottom"] + 2)


def figure_png(fig: Any, dpi: float) -> bytes:
    """Save a Matplotlib figure as PNG without the version of the program in it."""
    out = io.BytesIO()
    fig.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return out.getvalue()


def shrink(png: bytes, colours: int = 256, tolerance: float = TOLERANCE) -> bytes:
    """Give a PNG a palette when the mean error stays within `tolerance`, else keep its colours."""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    small = flat.quantize(colours, dither=Image.Dither.NONE)
    error = np.abs(np.asarray(flat, int) - np.asarray(small.convert("RGB"), int)).mean()
    out = io.BytesIO()
    (small if error <= tolerance else flat).save(out, format="png", optimize=True)
    return out.getvalue()
