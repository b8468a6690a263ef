"""Drawing for the pooling chapter: maps, poses, the panels of its figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from dlcourse.figures import bar, imshow, panel, plot, scatter


def picture_of(z: np.ndarray, title: str, top: float | None = None, size: int = 190) -> dict:
    """A panel without axes that shows a map z (height, width) from 0 to `top` (its maximum)."""
    lim = (0.0, float(top if top is not None else max(z.max(), 1e-6)))
    return panel(imshow(z, lim=lim), title=title, axes=False, size=(size, size))


def pose(
    images: np.ndarray,
    right: float = 0.0,
    down: float = 0.0,
    angle: float = 0.0,
    scale: float = 1.0,
) -> np.ndarray:
    """Images (N, height, width) moved in pixels, turned in degrees counter-clockwise, scaled.

    Linear interpolation; what comes in from outside is black (0).
    """
    turn = np.deg2rad(angle)
    back = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / scale
    centre = (np.array(images.shape[1:]) - 1) / 2
    matrix = np.eye(3)
    matrix[1:, 1:] = back
    offset = centre - back @ (centre + np.array([down, right]))
    return ndimage.affine_transform(images, matrix, offset=[0, *offset], order=1)


def paired_bars(x: np.ndarray, rows: Mapping[str, np.ndarray], **style: object) -> dict:
    """Two rows of bars side by side, one colour and label each."""
    marks = [
        bar(x + move, y, color=color, width=0.4, label=name)
        for (name, y), move, color in zip(rows.items(), (-0.2, 0.2), ("c1", "c2"), strict=True)
    ]
    return panel(*marks, **style)


def separability_panel(sizes: np.ndarray, rows: Mapping[str, np.ndarray], P: int) -> dict:
    """Separability against the pool size, with a line at P."""
    styles = zip(rows.items(), ("c2", "c1"), ("6 4", None), strict=True)
    marks = [
        plot(sizes, y, color=color, label=name, dash=dash) for (name, y), color, dash in styles
    ]
    marks.append(plot([P, P], [0, 4], color="muted", width=1))
    labels = {"xlabel": "places pooled, P", "ylabel": "separability ψ"}
    return panel(*marks, ylim=(0, 4), size=(360, 270), **labels)


def race_panels(
    losses: Mapping[str, list[float]], tests: Mapping[int, Mapping[str, float]], steps: int
) -> list[dict]:
    """Loss (mean of ten steps) and test accuracy of two nets, max dashed and average solid."""
    styles = {"max": ("c2", "6 4", "s"), "average": ("c1", None, "o")}
    falling, rising, times = [], [], sorted(tests)
    for name, (color, dash, marker) in styles.items():
        ten = np.convolve(losses[name], np.ones(10) / 10, "valid") if len(losses[name]) > 9 else []
        falling.append(plot(10 + np.arange(len(ten)), ten, color=color, dash=dash, label=name))
        y = [tests[t][name] for t in times]
        rising.append(plot(times, y, color=color, dash=dash))
        rising.append(scatter(times, y, color=color, marker=marker, label=name))
    style = {"xlabel": "step", "xlim": (0, steps), "size": (370, 260)}
    return [
        panel(*falling, ylabel="loss, mean of 10 steps", ylim=(0, 2.5), **style),
        panel(*rising, ylabel="test accuracy (%)", ylim=(0, 100), **style),
    ]


def pose_map(chart: np.ndarray, shift: float, turn: float, title: str) -> dict:
    """Probabilities (turns −90 … 90, shifts −4 … 4) as a map, with a cross at the pose shown."""
    return panel(
        imshow(chart, (-4.5, 4.5, -97.5, 97.5), lim=(0, 1), origin="lower", smooth=False),
        scatter([shift], [turn], color="white", size=10, marker="o"),
        scatter([shift], [turn], color="black", size=7, marker="x"),
        title=title,
        xlabel="shift to the right (pixels)",
        ylabel="turn (degrees)",
        xticks={x: str(x) for x in range(-4, 5, 2)},
        yticks={y: str(y) for y in range(-90, 91, 45)},
        size=(400, 300),
    )


def change_bars(change: Sequence[float], names: Sequence[str]) -> dict:
    """How much each layer's map differs from that of the unmoved image."""
    marks = bar(np.arange(len(change)), change, color="c3")
    ticks = dict(enumerate(names))
    return panel(marks, ylabel="relative change", ylim=(0, 2), xticks=ticks, size=(370, 250))
