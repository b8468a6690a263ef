"""Drawing for the Boltzmann chapter: letters as patterns of ±1, mosaics of small pictures, energy paths."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlcourse import data
from dlcourse.figures import bar, imshow, panel, plot, scatter, scene

Panel = dict[str, Any]


def letter(character: str, side: int = 12) -> np.ndarray:
    """A printed character, cut to its ink and drawn on side × side cells, as ±1 (side²,); ink is +1."""
    font = ("DejaVuSansMono-Bold",)
    x = data.glyphs(1, characters=character, size=32, jitter=0.0, fonts=font)[0][0, 0]
    rows, columns = (np.flatnonzero(x.max(axis) > 0.4) for axis in (1, 0))
    i, j = (np.linspace(k[0], k[-1], side).round().astype(int) for k in (rows, columns))
    return np.where(x[np.ix_(i, j)] > 0.5, 1.0, -1.0).ravel()


def tile(s: np.ndarray, title: str, side: int = 12) -> Panel:
    """One pattern of ±1 (side²,) as a small picture, ink dark."""
    picture = imshow(-s.reshape(side, side), lim=(-1.6, 1.6), cmap="gray")
    return panel(picture, title=title, axes=False, size=(170, 190))


def path(values: Sequence[float], xlim: tuple[float, float], ylim: tuple[float, float]) -> Panel:
    """The energy after each visit to a unit."""
    about = {"xlabel": "units visited", "ylabel": "energy E", "size": (250, 230)}
    return panel(plot(np.arange(len(values)), values, color="c1"), xlim=xlim, ylim=ylim, **about)


def mosaic(patterns: np.ndarray, side: int, columns: int) -> np.ndarray:
    """Pictures (n, side²) set out in rows with a grey rim round each."""
    rows = -(-len(patterns) // columns)
    wall = np.zeros((rows * (side + 1) + 1, columns * (side + 1) + 1))
    for k, p in enumerate(patterns):
        r, c = divmod(k, columns)
        top, left = r * (side + 1) + 1, c * (side + 1) + 1
        wall[top : top + side, left : left + side] = p.reshape(side, side)
    return wall


def bars_scene(
    k: int, curve: Sequence[float], pictures: np.ndarray, links: np.ndarray, note: str
) -> dict[str, Any]:
    """The divergence so far, the likeliest pictures (16, 9) and the links of the hidden units (H, 9)."""
    about = {"xlabel": "steps", "ylabel": "divergence, nats", "xlim": (0, 160), "ylim": (0, 2.2)}
    wall = imshow(mosaic(-pictures, 3, 8), lim=(-1.3, 1.3), cmap="gray")
    panels = [
        panel(plot(np.arange(k + 1), curve, color="c1"), size=(300, 240), **about),
        panel(wall, title="its 16 likeliest pictures", axes=False, size=(330, 130)),
    ]
    if len(links):
        span = max(0.1, float(np.abs(links).max()))
        hidden = imshow(mosaic(links, 3, len(links)), lim=(-span, span), cmap="diverging")
        panels.append(panel(hidden, title="links of the hidden units", axes=False, size=(330, 120)))
    return scene(*panels, text=f"step {k}: divergence {curve[-1]:.3f} nats; {note}")


def density_scene(
    k: int, density: np.ndarray, points: np.ndarray, curve: Sequence[float]
) -> dict[str, Any]:
    """A density (45, 45) on [−2.2, 2.2]² with data points (n, 2), and the log-likelihood so far."""
    reach = {"xlim": (-2.2, 2.2), "ylim": (-2.2, 2.2), "aspect": "equal", "size": (290, 290)}
    field = imshow(density, extent=(-2.2, 2.2, -2.2, 2.2), lim=(0, 0.7), origin="lower")
    dots = scatter(points[:, 0], points[:, 1], color="#ffffff", size=1.5)
    about = {"xlabel": "steps", "ylabel": "log-likelihood, nats", "title": "unseen points"}
    lim = {"xlim": (0, 160), "ylim": (-3.5, -1.8), "size": (290, 290)}
    now = f"; unseen points: {curve[-1]:.3f} nats each" if k else ""
    return scene(
        panel(field, dots, title="density and data", xlabel="x₁", ylabel="x₂", **reach),
        panel(plot(np.arange(1, k + 1), curve), **about, **lim),
        text=f"step {k}{now}",
    )


def mixing_scene(T: float, distance: np.ndarray, slow: float, p: np.ndarray) -> dict[str, Any]:
    """Probabilities (32,), and total variation after 0, 1, … sweeps beside the slope of `slow` per sweep."""
    k = np.arange(len(distance))
    guide = distance[10] * slow ** (k - 10.0) if distance[10] > 1e-8 else np.full(len(k), np.nan)
    floor = 1e-9
    chances = panel(
        bar(np.arange(32), p),
        xlabel="state, all down to all up",
        ylabel="probability p(s)",
        ylim=(0, 0.55),
        size=(300, 250),
    )
    fall = panel(
        plot(k, np.maximum(distance, floor), label="distance"),
        plot(k, np.maximum(guide, floor), color="c2", dash="4 3", label="slope |λ₂|"),
        xlabel="sweeps",
        ylabel="total variation",
        ylog=True,
        ylim=(floor, 3),
        size=(330, 250),
    )
    tenth = np.log(10) / max(-np.log(slow), 1e-12)
    text = f"T = {T:.2f}: second eigenvalue {slow:.4f}; in the long run a tenth of the distance takes {tenth:.1f} sweeps"
    return scene(chances, fall, text=text)
