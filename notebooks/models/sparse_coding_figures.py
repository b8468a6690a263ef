"""Drawing for the sparse coding chapter: walls of atoms, pictures in a row, and the tree of methods without labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from skimage.util import montage

from dlcourse.figures import imshow, panel, plot, text

Mark = dict[str, Any]


def wall(atoms: ArrayLike, columns: int) -> Mark:
    """Atoms (H, side²) or (H, side, side) in rows of `columns`, each stretched to its own range, zero in mid-grey."""
    tiles = np.array(atoms, float)
    side = round((tiles.size / len(tiles)) ** 0.5)
    tiles = tiles.reshape(-1, side, side)
    reach = np.abs(tiles).max(axis=(1, 2), keepdims=True)
    grey = 0.5 + 0.5 * tiles / np.where(reach > 0, reach, 1)
    shape = (-(-len(tiles) // columns), columns)
    page = montage(grey, fill=1, padding_width=1, grid_shape=shape)[1:-1, 1:-1]
    return imshow((255 * page).astype(np.uint8), lim=(0, 255), cmap="gray")


def wall_panel(atoms: ArrayLike, columns: int, title: str, size: tuple[int, int] | None = None):
    """A wall of atoms under a title."""
    return panel(wall(atoms, columns), axes=False, title=title, size=size)


def pictures(rows: dict[str, ArrayLike], reach: float = 2.5, side: int = 190) -> list[dict]:
    """One panel per picture (h, w); grey from -reach to reach."""
    return [
        panel(
            imshow(
                (255 * np.clip(0.5 + np.array(z, float) / (2 * reach), 0, 1)).astype(np.uint8),
                lim=(0, 255),
                cmap="gray",
            ),
            axes=False,
            title=title,
            size=(side, side + 20),
        )
        for title, z in rows.items()
    ]


# --- methods that learn without labels ------------------------------------------------------------


@dataclass(frozen=True)
class Method:
    """A leaf: its chapter in the book, the line that survey C gives it, what it is asked for, how it finds a code."""

    name: str
    chapter: str
    line: str
    asked: str
    found: str


AE, RBM, NEITHER = "autoencoders", "Boltzmann machines", "neither"
COPY, LIKELY, FOOL, LAST = "rebuild the input", "be likely", "fool a judge", "change slowly"
PASS, SEARCH, SAMPLE, NONE = "one pass", "a search", "sampling", "no code is found"
METHODS = (
    Method("autoencoder", "models/autoencoder", AE, COPY, PASS),
    Method("denoising, contractive, sparse", "models/autoencoder", AE, COPY, PASS),
    Method("stacked autoencoder", "models/pretraining", AE, COPY, PASS),
    Method("variational autoencoder", "models/vae", AE, LIKELY, PASS),
    Method("restricted Boltzmann machine", "models/rbm", RBM, LIKELY, PASS),
    Method("RBMs for real numbers", "models/rbm_family", RBM, LIKELY, PASS),
    Method("deep belief network", "models/deep_belief", RBM, LIKELY, PASS),
    Method("deep Boltzmann machine", "models/deep_belief", RBM, LIKELY, SAMPLE),
    Method("adversarial network", "models/gan", NEITHER, FOOL, NONE),
    Method("sparse coding", "models/sparse_coding", NEITHER, COPY, SEARCH),
    Method("hierarchical sparse coding", "models/sparse_coding", NEITHER, COPY, SEARCH),
    Method("deconvolutional network", "models/sparse_coding", NEITHER, COPY, SEARCH),
    Method("temporal coherence", "models/sparse_coding", NEITHER, LAST, PASS),
)
QUESTIONS = {
    "Which of C's two lines?": "line",
    "What is it asked for?": "asked",
    "How is a code found?": "found",
}


def branches(question: str) -> dict[str, list[Method]]:
    """The methods grouped by their answer to one of QUESTIONS."""
    groups: dict[str, list[Method]] = {}
    for method in METHODS:
        groups.setdefault(getattr(method, QUESTIONS[question]), []).append(method)
    return groups


def tree(question: str) -> dict[str, Any]:
    """Root, one branch per answer, one leaf per method with the name of its chapter."""
    groups, marks, row = branches(question), [], 0.0
    for color, (answer, leaves) in zip(("c1", "c2", "c3", "c4"), groups.items(), strict=False):
        middle = row + (len(leaves) - 1) / 2
        marks.append(text(0.9, -middle - 0.15, answer))
        for leaf in leaves:
            marks.append(plot([2.6, 2.9], [-middle, -row], color=color))
            marks.append(text(2.95, -row - 0.15, leaf.name))
            marks.append(text(5.75, -row - 0.15, leaf.chapter.split("/")[1], color="muted"))
            row += 1
        row += 0.6
    lim = {"xlim": (0.9, 7.0), "ylim": (-row, 0.8), "size": (620, 400)}
    return panel(*marks, title=question, axes=False, **lim)
