"""Drawing for the super-resolution chapter: photographs side by side, the divider, curves."""

from collections.abc import Mapping, Sequence

import numpy as np
from skimage.util import montage

from dlcourse.figures import bar, imshow, panel, plot, scatter, scene

SIDE = 270


def photo(
    y: np.ndarray, title: str, lim: tuple = (0, 1), cmap: str = "gray", size: int = SIDE
) -> dict:
    """One picture (h, w) without axes."""
    return panel(imshow(y, lim=lim, cmap=cmap), title=title, axes=False, size=(size, size))


def loss_scene(parts: Mapping[str, np.ndarray], readout: str) -> dict:
    """Original, reduced, enlarged, and what is missing."""
    *pictures, (name, missing) = parts.items()
    shown = [photo(y, title) for title, y in pictures]
    return scene(*shown, photo(missing, name, (-0.3, 0.3), "diverging"), text=readout)


def kernels(weight: np.ndarray, columns: int) -> np.ndarray:
    """Kernels (n, k, k) on one sheet, one blank pixel between them."""
    grid = (-(-len(weight) // columns), columns)
    return montage(weight, fill=np.nan, padding_width=1, grid_shape=grid)[1:-1, 1:-1]


def training_scene(
    gains: Sequence[float], every: int, steps: int, y: np.ndarray, w: np.ndarray, readout: str
) -> dict:
    """Gain over bicubic against the step, the picture now, the first kernels."""
    x = np.arange(len(gains)) * every
    shown = np.clip(gains, -4, 2)
    zero = plot([0, steps], [0, 0], color="muted", dash="--", label="bicubic")
    curve = panel(
        zero, plot(x, shown, label="network"), title="gain on unseen crops", xlabel="step", ylabel="dB over bicubic (cut at −4)",
        xlim=(0, steps), ylim=(-4.2, 1.4), size=(300, SIDE),
    )  # fmt: skip
    sheet = kernels(w, 8)
    top = float(np.nanpercentile(np.abs(sheet), 99.5))  # the copying kernel alone is much larger
    first = panel(
        imshow(sheet, lim=(-top, top), cmap="diverging"),
        title="first kernels, 9 × 9",
        axes=False,
        size=(SIDE, 150),
    )
    return scene(curve, photo(y, "an unseen crop, from the network"), first, text=readout)


def divider(left: np.ndarray, right: np.ndarray, at: int, strip: int) -> list[dict]:
    """Marks that show `left` up to column `at` and `right` beyond, in strips, with a line between."""
    h, w = left.shape
    marks = [
        imshow(
            (left if start < at else right)[:, start : start + strip],
            extent=(start, start + strip, h, 0),
            lim=(0, 1),
            cmap="gray",
            smooth=False,
        )
        for start in range(0, w, strip)
    ]
    return [*marks, plot([at, at], [0, h], color="#ff7f0e", width=2)]


def divider_scene(
    left: np.ndarray, right: np.ndarray, truth: np.ndarray, at: int, strip: int, readout: str
) -> dict:
    """The divided picture beside the original."""
    h, w = left.shape
    split = panel(
        *divider(left, right, at, strip), title="bicubic | network", xlim=(0, w), ylim=(h, 0), aspect="equal", axes=False, size=(330, 330)
    )  # fmt: skip
    true = panel(
        imshow(truth, extent=(0, w, h, 0), lim=(0, 1), cmap="gray", smooth=False),
        title="original", xlim=(0, w), ylim=(h, 0), aspect="equal", axes=False, size=(330, 330),
    )  # fmt: skip
    return scene(split, true, text=readout)


def gains_scene(
    gains: Mapping[str, np.ndarray], names: Sequence[str], ylabel: str = "dB over bicubic"
) -> dict:
    """One marker per photograph and method."""
    x = np.arange(len(names))
    marks = [plot([-0.5, len(names) - 0.5], [0, 0], color="muted", dash="--")]
    for (label, y), color, shape in zip(
        gains.items(), ("c1", "c2", "c3", "c4"), ("o", "s", "^", "x"), strict=False
    ):
        marks.append(scatter(x, y, color=color, label=label, size=5, marker=shape))
    ticks = {i: name[:6] for i, name in enumerate(names)}
    return scene(
        panel(
            *marks,
            xlabel="photograph",
            ylabel=ylabel,
            xticks=ticks,
            xlim=(-0.5, len(names) - 0.5),
            size=(560, 300),
        )
    )


def code_scene(
    exact: np.ndarray, now: np.ndarray, learned: np.ndarray, patch: np.ndarray, readout: str
) -> dict:
    """A patch, its exact code, the code of ISTA so far and that of the learned network."""
    k = np.arange(len(exact))
    marks = [
        bar(k, exact, color="muted", label="exact (Lasso)", width=1.0),
        scatter(k, np.where(now == 0, np.nan, now), color="c1", label="ISTA", size=3),
        scatter(
            k,
            np.where(learned == 0, np.nan, learned),
            color="c2",
            label="LISTA, 2 steps",
            size=3,
            marker="^",
        ),
    ]
    codes = panel(*marks, xlabel="atom", ylabel="coefficient", ylim=(-0.8, 0.8), size=(460, 270))
    top = float(np.abs(patch).max())
    return scene(photo(patch, "patch, mean removed", (-top, top), size=150), codes, text=readout)


def convergence_scene(ista: np.ndarray, lista: Mapping[int, float]) -> dict:
    """Code error against the number of steps."""
    marks = [
        plot(np.arange(1, len(ista) + 1), ista, label="ISTA"),
        scatter(
            list(lista),
            list(lista.values()),
            color="c2",
            label="LISTA, trained",
            size=6,
            marker="^",
        ),
    ]
    return scene(
        panel(
            *marks,
            xlabel="steps",
            ylabel="relative squared error of the code",
            xlog=True,
            ylog=True,
            size=(460, 300),
        )
    )


def tradeoff_scene(
    pictures: Mapping[str, np.ndarray],
    path: np.ndarray,
    sharpened: np.ndarray,
    here: Sequence[float],
    readout: str,
) -> dict:
    """Pictures and the plane of distortion against distance of gradients."""
    plane = panel(
        plot(path[:, 0], path[:, 1], color="c1", label="from plain to adversarial"),
        plot(sharpened[:, 0], sharpened[:, 1], color="c3", dash="--", label="sharpening by a filter"),
        scatter([here[0]], [here[1]], color="c2", size=7, label="shown"),
        xlabel="PSNR, dB (right: fewer errors)", ylabel="distance of gradients (low: as crisp as real)", size=(360, 290),
    )  # fmt: skip
    return scene(*[photo(y, title, size=210) for title, y in pictures.items()], plane, text=readout)


def row(pictures: Mapping[str, np.ndarray], readout: str = "", size: int = 190) -> dict:
    """Pictures in a row."""
    return scene(*[photo(y, title, size=size) for title, y in pictures.items()], text=readout)
