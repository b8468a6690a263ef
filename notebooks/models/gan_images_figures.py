"""Drawing for the chapter on GANs and pictures: walls of pictures, overlaps, tracks of distances."""

from collections.abc import Mapping, Sequence

import numpy as np
from skimage.util import montage

from dlcourse.figures import curves, imshow, panel, plot, scene


def _tiled(x: np.ndarray, side: int, columns: int) -> np.ndarray:
    """Pictures (n, side²) as one picture, a grey line between them."""
    shape = _rows(len(x), columns), columns
    return montage(x.reshape(-1, side, side), grid_shape=shape, padding_width=1, fill=0.4)


def _rows(n: int, columns: int) -> int:
    """How many rows of `columns` hold n pictures."""
    return -(-n // columns)


def wall(x: np.ndarray, side: int, text: str = "", columns: int = 8) -> dict:
    """One wall of pictures (n, side²)."""
    tiles = _tiled(x, side, columns)
    ratio = tiles.shape[0] / tiles.shape[1]
    return scene(
        panel(imshow(tiles, lim=(0, 1), cmap="gray"), axes=False, size=(520, 520 * ratio)),
        text=text,
    )


def walls(named: Mapping[str, np.ndarray], side: int, text: str = "", columns: int = 8) -> dict:
    """One titled wall for each name."""
    panels = []
    for title, x in named.items():
        tiles = _tiled(x, side, columns)
        ratio = tiles.shape[0] / tiles.shape[1]
        size = (330, 330 * ratio + 24)
        panels.append(
            panel(imshow(tiles, lim=(0, 1), cmap="gray"), title=title, axes=False, size=size)
        )
    return scene(*panels, text=text)


def colours(x: np.ndarray, columns: int) -> dict:
    """A wall of colour pictures (n, h, w, 3) uint8."""
    tiles = montage(
        x, grid_shape=(_rows(len(x), columns), columns), channel_axis=3, padding_width=1
    )
    ratio = tiles.shape[0] / tiles.shape[1]
    return scene(panel(imshow(tiles), axes=False, size=(620, 620 * ratio)))


def overlaps(counts: np.ndarray, stripes: np.ndarray, text: str) -> dict:
    """How often each pixel is printed (H, W), and what one layer makes of an even grey (H, W)."""
    return scene(
        panel(
            imshow(counts, lim=(0, max(float(counts.max()), 1)), cmap="viridis"),
            title="prints on each pixel",
            axes=False,
            size=(300, 320),
        ),
        panel(
            imshow(stripes, cmap="gray"),
            title="an even grey, one random layer later",
            axes=False,
            size=(300, 320),
        ),
        text=text,
    )


def tracks(groups: Mapping[str, tuple[Sequence[int], Mapping[str, np.ndarray], float]]) -> dict:
    """For each group the steps, the distances (seeds, looks) of its arms, and the floor."""
    panels = []
    for title, (steps, rows, floor) in groups.items():
        ends = [min(steps), max(steps)]
        panels.append(
            panel(
                *curves(steps, rows),
                plot(ends, [floor, floor], color="fg", dash="4 3", label="real against real"),
                title=title,
                xlabel="steps of both players",
                ylabel="Fréchet distance",
                xlog=True,
                ylog=True,
                xticks=_apart(steps),
                size=(420, 330),
            )
        )
    return scene(*panels)


def _apart(steps: Sequence[int]) -> dict[float, str]:
    """Labels of those steps whose right neighbour is far enough on a narrow logarithmic axis."""
    after = (*steps[1:], 2 * steps[-1])
    return {float(s): str(s) for s, t in zip(steps, after, strict=True) if t > 1.6 * s}


def both(pictures: np.ndarray, read: np.ndarray, side: int) -> dict:
    """Pictures (n, side²), and below each what the forger draws from the code that was read."""
    rows = [x for pair in zip(np.split(pictures, 2), np.split(read, 2), strict=True) for x in pair]
    return wall(np.concatenate(rows), side, columns=len(pictures) // 2)


def prints(came: np.ndarray, expected: np.ndarray) -> dict:
    """A learner's counts against the expected ones, both (n,)."""
    rows = (
        {"yours": came, "expected": expected} if came.shape == expected.shape else {"yours": came}
    )
    return scene(
        panel(
            *[
                mark
                for i, (name, y) in enumerate(rows.items())
                for mark in curves(np.arange(len(y)), {name: y}, first=i)
            ],
            xlabel="place",
            ylabel="prints",
            size=(420, 240),
        )
    )
