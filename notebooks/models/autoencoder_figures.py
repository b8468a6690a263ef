"""Drawing for the autoencoder chapter: rows of digits, arrows in the plane, codes by class."""

from typing import Any

import numpy as np
from skimage.util import montage
from torch import Tensor

from dlcourse.figures import imshow, panel, plot, quiver, scatter

Mark = dict[str, Any]
MARKERS = "os^x"


def mosaic(images: Any, columns: int, scaled: bool = True, side: int = 8) -> Mark:
    """Images (N, side²) in rows of `columns`; each is stretched to its own range if `scaled`, else shown from 0 to 1."""
    tiles = np.array(images, float).reshape(-1, side, side)
    if scaled:
        reach = np.abs(tiles).max(axis=(1, 2), keepdims=True)
        tiles = 0.5 + 0.5 * tiles / np.where(reach > 0, reach, 1)
    shape = (-(-len(tiles) // columns), columns)
    page = montage(np.clip(tiles, 0, 1), fill=0.5, padding_width=1, grid_shape=shape)
    return imshow(page[1:-1, 1:-1], lim=(0, 1), cmap="gray")


def digit_panel(rows: list[Any], title: str) -> dict[str, Any]:
    """Rows of digits (N, 64) under each other, grey values 0 to 1."""
    images = np.concatenate([np.asarray(r, float).reshape(-1, 64) for r in rows])
    return panel(mosaic(images, len(images) // len(rows), scaled=False), axes=False, title=title)


def arrows(
    at: Tensor, moved: Tensor, color: str = "fg", longest: float | None = None
) -> list[Mark]:
    """Arrows at the points (N, 2), moved by (N, 2); those longer than `longest` are drawn shorter."""
    at, moved = at.numpy(), moved.numpy()
    if longest is not None:
        size = np.linalg.norm(moved, axis=1, keepdims=True)
        moved = moved * np.minimum(1, longest / np.maximum(size, 1e-12))
    return [quiver(at[:, 0], at[:, 1], moved[:, 0], moved[:, 1], color=color)]


def curve(points: Tensor) -> list[Mark]:
    """The points of a curve (N, 2), joined."""
    return [plot(points[:, 0].numpy(), points[:, 1].numpy(), color="c1", width=3, label="data")]


def plane_panel(*marks: Mark, title: str) -> dict[str, Any]:
    """The square from −1.3 to 1.3."""
    reach = (-1.3, 1.3)
    return panel(
        *marks, title=title, xlabel="x₁", ylabel="x₂", xlim=reach, ylim=reach, aspect="equal"
    )


def classes(codes: np.ndarray, labels: np.ndarray, size: float = 3) -> list[Mark]:
    """Codes (N, 2) by label 0 to 9: six colours, and a marker that changes with them."""
    return [
        scatter(
            *codes[labels == k].T,
            color=f"c{k % 6 + 1}",
            marker=MARKERS[k % 4],
            size=size,
            label=str(k),
        )
        for k in range(10)
    ]
