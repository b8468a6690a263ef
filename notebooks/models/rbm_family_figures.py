"""Drawing for the chapter on machines for real numbers: ellipses, walls of filters, image pairs."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from skimage.util import montage

from dlcourse.figures import bar, curves, imshow, panel, plot, scatter, scene

Panel = dict[str, Any]
Scene = dict[str, Any]
SPAN = 4.0  # the plane is drawn from −SPAN to SPAN


def grid(n: int = 41) -> np.ndarray:
    """Points (n·n, 2) of the plane, row by row from the bottom."""
    t = np.linspace(-SPAN, SPAN, n)
    return np.stack(np.meshgrid(t, t), -1).reshape(-1, 2)


def ellipse(mean: np.ndarray, cov: np.ndarray, n: int = 33) -> tuple[np.ndarray, np.ndarray]:
    """The curve at one standard deviation of a Gaussian in the plane."""
    t = np.linspace(0, 2 * np.pi, n)
    x, y = mean[:, None] + np.linalg.cholesky(cov) @ np.stack([np.cos(t), np.sin(t)])
    return x, y


def ellipses(means: np.ndarray, covs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All of them as one line with gaps."""
    loops = [ellipse(m, c) for m, c in zip(means, covs, strict=True)]
    gap = np.array([np.nan])
    return tuple(np.concatenate([p for c in loops for p in (c[i], gap)]) for i in (0, 1))


def plane(density: np.ndarray, *marks: dict, title: str, size: int = 330) -> Panel:
    """A density on `grid()` as a map, with marks on it."""
    n = round(len(density) ** 0.5)
    z = np.round(density / density.max(), 2).reshape(n, n)
    box = (-SPAN, SPAN, -SPAN, SPAN)
    image = imshow(1 - 0.75 * z, extent=box, lim=(0, 1), cmap="gray", origin="lower")
    about = {"xlabel": "first pixel v₁", "ylabel": "second pixel v₂", "aspect": "equal"}
    return panel(image, *marks, title=title, xlim=(-SPAN, SPAN), ylim=(-SPAN, SPAN), size=(size, size), **about)  # fmt: skip


def code_scene(
    density: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
    covs: np.ndarray,
    k: int,
    what: str,
    size: int = 330,
) -> Scene:
    """The density, the Gaussian of every hidden code, that of code k, and p(h) of all codes."""
    n = len(weights).bit_length() - 1
    names = {i: f"{i:0{n}b}" for i in range(len(weights))}
    marks = (
        plot(*ellipses(means, covs), color="c1", width=1, label="every code"),
        plot(*ellipse(means[k], covs[k]), color="c2", width=3.5, label="the chosen code"),
    )
    rest = np.arange(len(weights)) != k
    codes = panel(
        bar(np.flatnonzero(rest), weights[rest], color="c1"),
        bar([k], weights[[k]], color="c2"),
        title="how often each code is drawn",
        xlabel="hidden code h",
        ylabel="p(h)",
        xticks=names,
        ylim=(0, max(0.3, 1.1 * float(weights.max()))),
        size=(300, 250),
    )
    spread = np.sqrt(np.linalg.eigvalsh(covs[k]))
    text = (
        f"{what}, h = {names[k]}: centre ({means[k][0]:.2f}, {means[k][1]:.2f}), "
        f"standard deviations {spread[1]:.2f} and {spread[0]:.2f}"
    )
    return scene(plane(density, *marks, title="p(v), and p(v | h) as ellipses", size=size), codes, text=text)  # fmt: skip


def wall(
    pictures: np.ndarray,
    title: str,
    columns: int,
    width: int = 250,
    cmap: str = "gray",
    own: bool = True,
) -> Panel:
    """Pictures (n, side²) set out in rows; `own`: each on its own scale."""
    pictures = np.asarray(pictures, float)
    side = round(pictures.shape[1] ** 0.5)
    top = np.abs(pictures).max(1, keepdims=True) if own else np.abs(pictures).max()
    tiles = np.round(pictures / np.maximum(top, 1e-9), 2).reshape(-1, side, side)
    z = montage(tiles, fill=1.0, padding_width=1, grid_shape=(-(-len(tiles) // columns), columns))
    height = round(width * z.shape[0] / z.shape[1]) + 24
    return panel(imshow(z, lim=(-1, 1), cmap=cmap, smooth=False), title=title, axes=False, size=(width, height))  # fmt: skip


def tails_scene(v: np.ndarray) -> Scene:
    """Histogram of one whitened pixel beside the normal density; spread of its neighbour given its size."""
    edges = np.linspace(-8, 8, 65)
    density, _ = np.histogram(v[:, 0], edges, density=True)
    middle = (edges[1:] + edges[:-1]) / 2
    normal = np.exp(-(middle**2) / 2) / np.sqrt(2 * np.pi)
    seen = density > 0
    left = panel(
        plot(middle[seen], density[seen], label="a whitened pixel"),
        plot(middle, normal, color="c2", dash="--", label="normal density"),
        xlabel="value, standard deviations",
        ylabel="density",
        ylog=True,
        ylim=(2e-4, 2),
        size=(330, 250),
    )
    size = np.abs(v[:, 0])
    cuts = np.quantile(size, np.linspace(0, 1, 9))
    inside = [(size >= lo) & (size < hi) for lo, hi in pairwise(cuts)]
    at = [size[i].mean() for i in inside]
    right = panel(
        plot(at, [v[i, 1].std() for i in inside], color="c3"),
        scatter(at, [v[i, 1].std() for i in inside], color="c3"),
        xlabel="size of the pixel |v₁|",
        ylabel="spread of its neighbour v₂",
        ylim=(0, 3),
        size=(330, 250),
    )
    r = float(np.corrcoef(v[:, 0], v[:, 1])[0, 1])
    return scene(left, right, text=f"correlation of the two pixels {r:.2f}")


def filter_scene(
    k: int,
    filters: np.ndarray,
    data: np.ndarray,
    dreams: np.ndarray,
    curve: Sequence[tuple[int, float, float]],
    last: int,
) -> Scene:
    """Links of the hidden units, patches, the machine's own patches, and how heavy the tails of both are."""
    steps, real, dreamt = np.array(curve, float).T
    about = {"xlabel": "update", "ylabel": "kurtosis (normal: 3)"}
    tails = panel(
        plot(steps, real, color="c2", dash="--", label="patches"),
        plot(steps, dreamt, color="c1", label="dreams"),
        xlim=(0, last),
        ylim=(0, 14),
        size=(270, 230),
        **about,
    )
    walls = (
        wall(filters, "links of the hidden units", 7),
        wall(data, "patches", 4, 130),
        wall(dreams, "dreams", 4, 130),
    )
    text = f"update {k}: kurtosis of the patches {real[-1]:.1f}, of the dreams {dreamt[-1]:.1f}"
    return scene(*walls, tails, text=text)


def gated_scene(
    k: int, U: np.ndarray, V: np.ndarray, curve: Sequence[tuple[int, float]], last: int
) -> Scene:
    """Twenty input filters, the output filters they are tied to, and the score of the codes."""
    steps, score = np.array(curve, float).T
    best = np.argsort(-np.linalg.norm(U, axis=0) * np.linalg.norm(V, axis=0))[:20]
    score_panel = panel(
        plot(steps, score),
        scatter(steps, score),
        xlabel="update",
        ylabel="unseen pairs read rightly, %",
        xlim=(0, last),
        ylim=(0, 102),
        size=(300, 240),
    )
    walls = [wall(M.T[best], t, 5, 220) for M, t in ((U, "filters on x"), (V, "filters on y"))]
    return scene(*walls, score_panel, text=f"update {k}: {score[-1]:.0f} % of unseen pairs read rightly from the code")  # fmt: skip


def analogy_scene(
    x: np.ndarray, y: np.ndarray, code: np.ndarray, x2: np.ndarray, y2: np.ndarray, text: str
) -> Scene:
    """A pair, the code that it leaves, a new picture, and what the code makes of it."""
    walls = [
        wall(p[None], t, 1, 130) for p, t in ((x, "x"), (y, "y"), (x2, "new x"), (y2, "new y"))
    ]
    codes = panel(
        bar(np.arange(len(code)), code, color="c2"),
        xlabel="hidden unit",
        ylabel="p(on | x, y)",
        title="the code of the move",
        ylim=(0, 1.05),
        size=(230, 154),
    )
    return scene(*walls[:2], codes, *walls[2:], text=text)


def curve_panel(rows: dict[str, tuple[np.ndarray, np.ndarray]], xlabel: str) -> Panel:
    """Held-out scores against a logarithmic axis; every row has its own x."""
    lines = [
        mark
        for i, (name, (x, y)) in enumerate(rows.items())
        for mark in curves(x, {name: y}, first=i)
    ]
    return panel(*lines, xlabel=xlabel, ylabel="held-out score, nats", xlog=True, size=(360, 260))  # fmt: skip
