"""Drawing for the chapter on variational autoencoders: codes by class, walls of digits, bars of divergence."""

from typing import Any

import numpy as np
from skimage.util import montage

from dlcourse.figures import bar, fill_between, imshow, panel, plot, scatter, scene

Mark = dict[str, Any]
MARKERS = "os^x"


def wall(images: Any, columns: int, title: str | None = None) -> dict[str, Any]:
    """Images (N, 64) with values from 0 to 1 in rows of `columns`."""
    tiles = np.clip(np.asarray(images, float).reshape(-1, 8, 8), 0, 1)
    shape = (-(-len(tiles) // columns), columns)
    page = montage(tiles, fill=0.5, padding_width=1, grid_shape=shape)
    return panel(imshow(page[1:-1, 1:-1], lim=(0, 1), cmap="gray"), axes=False, title=title)


def classes(codes: np.ndarray, labels: np.ndarray) -> list[Mark]:
    """Codes (N, 2) by label 0 to 9: six colours, and a marker that changes with them."""
    looks = [(f"c{k % 6 + 1}", MARKERS[k % 4]) for k in range(10)]
    return [
        scatter(*codes[labels == k].T, color=c, marker=m, size=3, label=str(k))
        for k, (c, m) in enumerate(looks)
    ]


def code_panel(*marks: Mark, title: str, reach: float = 3.2) -> dict[str, Any]:
    """The square from −reach to reach in the plane of the codes."""
    box = {"xlim": (-reach, reach), "ylim": (-reach, reach), "size": (400, 380)}
    return panel(*marks, title=title, xlabel="first code unit", ylabel="second code unit", **box)


def circle(radius: float) -> Mark:
    """A dashed circle around zero."""
    turn = np.linspace(0, 2 * np.pi, 61)
    return plot(radius * np.cos(turn), radius * np.sin(turn), color="muted", dash="4 3", width=1.5)


def bound_scene(
    z: np.ndarray, posterior: np.ndarray, q: np.ndarray, evidence: float, bound: float
) -> dict[str, Any]:
    """Left: the posterior and the guess over the code; right: log p and the bound below it."""
    left = panel(
        fill_between(z, 0 * z, posterior, color="c1", label="posterior p(z | x)"),
        plot(z, posterior, color="c1", width=1.5),
        plot(z, q, color="c2", dash="6 4", label="your guess q(z)"),
        xlabel="code z",
        ylabel="density",
        ylim=(0, 2.2),
    )
    right = panel(
        bar([0], [evidence], color="c1"),
        bar([1], [max(bound, -12)], color="c2"),
        xticks={0: "log p(x)", 1: "bound"},
        ylabel="nats",
        ylim=(-12, 0),
        size=(240, 300),
    )
    told = f"log p(x) = {evidence:.3f}, bound {bound:.3f}, gap {evidence - bound:.3f} nats"
    return scene(left, right, text=told)


def units_panel(kl: np.ndarray, title: str, top: float) -> dict[str, Any]:
    """Bars of the divergence of each code unit, in nats."""
    places = np.arange(1, len(kl) + 1)
    marks = [bar(places, kl, color="c1")]
    names = {"xlabel": "code unit", "ylabel": "divergence, nats"}
    return panel(*marks, title=title, ylim=(0, top), **names)
