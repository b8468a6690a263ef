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

from .marks import Mark, Panel, Scene

COLOURS = {
    "c1": "#0b62b8", "c2": "#b64700", "c3": "#00734f", "c4": "#8a3a86", "c5": "#6b5d00", "c6": "#a4262c",
    "fg": "#1f2328", "muted": "#57606a",
}  # fmt: skip
DIVERGING = LinearSegmentedColormap.from_list("dlc-diverging", ["#4889ca", "#ffffff", "#c87540"])
ALIGN = {"start": "left", "middle": "center", "end": "right"}
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
    ax.set(title=p["title"] or "", xlabel=p["xlabel"] or "", ylabel=p["ylabel"] or "")
    ax.set(xscale="log" if p["xlog"] else "linear", yscale="log" if p["ylog"] else "linear")
    ax.set_xlim(p["xlim"])
    ax.set_ylim(p["ylim"])
    ax.set_aspect("equal" if p["equal"] else "auto")
    for axis, ticks in ((ax.xaxis, p["xticks"]), (ax.yaxis, p["yticks"])):
        if ticks is not None:
            axis.set_ticks([at for at, _ in ticks], [label for _, label in ticks])
    ax.spines[["top", "right"]].set_visible(False)
    if p["bare"]:
        ax.set_axis_off()
    if any(m.get("label") for m in p["marks"]):
        ax.legend(
            fontsize=8, frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.16)
        )


def scene_png(scene: Scene, dpi: int = 96) -> bytes:
    """Draw a scene on white and return a PNG of at most 96 colours."""
    panels = scene["panels"]
    columns = min(len(panels), 2 if len(panels) == 4 else 3) or 1
    rows = math.ceil(len(panels) / columns) or 1
    width = columns * max([p["size"][0] for p in panels], default=380) / 90
    height = rows * (max([p["size"][1] for p in panels], default=300) + 40) / 90
    fig = Figure(figsize=(width, height), layout="constrained")
    grid = fig.subplots(rows, columns, squeeze=False).ravel()
    for ax, p in zip(grid, panels, strict=False):
        _draw(ax, p)
    for ax in grid[len(panels) :]:
        ax.set_visible(False)
    return shrink(figure_png(fig, dpi), colours=96, tolerance=math.inf)


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
