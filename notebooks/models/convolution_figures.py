"""Drawing for the convolution chapter: montages of maps, scenes of its interactive figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from skimage.util import montage

from dlcourse.figures import bar, imshow, panel, plot, scatter, scene, text

SMALL = (190, 190)
KEY = {-1: "c2", 0: "muted", 1: "c1"}


def plain(z: object) -> np.ndarray:
    """Any tensor or array as a NumPy array of floats."""
    return np.asarray(z.detach() if hasattr(z, "detach") else z, dtype=float)


def tiled(maps: object, columns: int) -> np.ndarray:
    """Maps (c, h, w) side by side in rows of `columns`, one blank pixel (NaN) between them."""
    z = plain(maps)
    grid = (-(-len(z) // columns), columns)
    return montage(z, fill=np.nan, padding_width=1, grid_shape=grid)[1:-1, 1:-1]


def maps(
    z: object,
    columns: int,
    title: str,
    cmap: str = "viridis",
    lim: object = None,
    size: object = SMALL,
) -> dict:
    """A panel without axes with all maps z (c, h, w)."""
    sheet = tiled(z, columns)
    if lim is None:
        top = max(float(np.nanmax(np.abs(sheet))), 1e-6)
        lim = (-top, top) if cmap == "diverging" else (0.0, top)
    return panel(imshow(sheet, lim=lim, cmap=cmap), title=title, axes=False, size=size)


def kernel_panel(w: np.ndarray, title: str = "kernel", size: object = SMALL) -> dict:
    """A kernel (k, k) in colour with its numbers written in."""
    top = 1.6 * max(float(np.abs(w).max()), 1e-6)  # pale enough for dark figures
    marks = [imshow(w, lim=(-top, top), cmap="diverging")]
    for (i, j), value in np.ndenumerate(w):
        marks.append(text(j, i + 0.1, f"{value:.2g}", anchor="middle", color="#1a1a1a"))
    return panel(*marks, title=title, axes=False, size=size)


def kernel_scene(photo: np.ndarray, w: np.ndarray, z: np.ndarray) -> dict:
    """Photograph, kernel and response."""
    signed = w.min() < 0 and abs(w.sum()) < 1e-9
    lim, cmap = ((-2, 2), "diverging") if signed else ((0, 1), "gray")
    shown = panel(
        imshow(z, lim=lim, cmap=cmap), title="response of every neuron", axes=False, size=(280, 280)
    )
    source = panel(
        imshow(photo, lim=(0, 1), cmap="gray"), title="photograph", axes=False, size=(280, 280)
    )
    note = "blue: negative; brown: positive" if signed else "grey values, as in the photograph"
    said = (
        f"the nine weights add up to {w.sum():.3g}; responses from {z.min():.2f} to {z.max():.2f}"
    )
    return scene(source, kernel_panel(w), shown, text=f"{said}; {note}")


def heading_curves(curves: Mapping[str, np.ndarray], x: Sequence[float], **style: object) -> dict:
    """Mean lines of curves[name] (seeds, len(x)) with one mark per seed."""
    marks = []
    for (name, y), color, shape, dash in zip(
        curves.items(),
        ("c1", "c3", "c2", "c4"),
        ("o", "^", "s", "x"),
        (None, "2 3", "6 4", "8 3 2 3"),
        strict=False,
    ):
        marks.append(plot(x, y.mean(0), color=color, label=name, dash=dash))
        marks.append(scatter(np.tile(x, len(y)), y.ravel(), color=color, size=3, marker=shape))
    return panel(*marks, **style)


def receptive_scene(
    image: np.ndarray,
    z: np.ndarray,
    unit: tuple[int, int],
    field: tuple[int, int, int, int],
    title: str,
) -> dict:
    """A layer's map with one unit marked, and the input with the field (top, bottom, left, right)."""
    side = image.shape[0]
    h, w = z.shape
    at = ((unit[1] + 0.5) * side / w, (unit[0] + 0.5) * side / h)
    grid = panel(
        imshow(z, extent=(0, side, side, 0), smooth=False, lim=(0, max(float(z.max()), 1e-6))),
        scatter([at[0]], [at[1]], color="c2", size=7, marker="x"),
        title=title, xlabel="x (pixels of the input)", ylabel="y", aspect="equal", size=(330, 330),
    )  # fmt: skip
    top, bottom, left, right = field
    box = plot(
        [left, right, right, left, left], [top, top, bottom, bottom, top], color="c2", width=3
    )
    seen = panel(
        imshow(image, extent=(0, side, side, 0), cmap="gray", lim=(0, 1), smooth=False), box,
        title="what this unit sees", xlabel="x (pixels)", ylabel="y", aspect="equal", size=(330, 330),
    )  # fmt: skip
    return scene(
        grid, seen, text=f"unit ({unit[0]}, {unit[1]}) sees {bottom - top} × {right - left} pixels"
    )


def digit_bars(
    p: Sequence[float], title: str, colours: str = "c1", size: object = (250, 190)
) -> dict:
    """Ten (or fewer) bars, one per digit."""
    n = len(p)
    ticks = {k: str(k) for k in range(n)}
    return panel(
        bar(range(n), p, color=colours),
        title=title,
        xlabel="digit",
        ylim=(0, 1.02),
        xticks=ticks,
        size=size,
    )


def training_scene(
    losses: Sequence[float],
    accuracy: Sequence[float],
    every: int,
    steps: int,
    net: object,
    digit: object,
) -> dict:
    """Loss, test accuracy, first kernels, and what one digit does to the layers S2, C3, output."""
    layers = net.layers(digit[None])
    p = plain(layers["output"][0].softmax(0))
    k = np.arange(1, len(losses) + 1)
    curve = panel(
        plot(k[::2], np.asarray(losses)[::2], color="c2", width=1.5),
        title="training loss", xlabel="step", xlim=(0, steps), ylim=(0, 3), size=(250, 190),
    )  # fmt: skip
    marks = every * np.arange(len(accuracy))
    right = panel(
        plot(marks, 100 * np.asarray(accuracy), color="c1"), title="right on the test part, %",
        xlabel="step", xlim=(0, steps), ylim=(0, 100), size=(250, 190),
    )  # fmt: skip
    kernels = maps(
        net.c1.weight[:, 0], 3, "the six kernels of C1", cmap="diverging", size=(220, 190)
    )
    inside = [
        panel(imshow(plain(digit[0]), cmap="gray"), title="a test digit", axes=False, size=SMALL),
        maps(layers["S2"][0], 3, "S2: 6 maps, 14 × 14", size=(250, 190)),
        maps(layers["C3"][0], 4, "C3: 16 maps, 10 × 10"),
    ]
    said = f"step {len(losses)}: {100 * accuracy[-1]:.1f} % of the test digits right"
    return scene(curve, right, kernels, *inside, digit_bars(p, "output: probability"), text=said)


def layers_scene(net: object, digit: object, label: int) -> dict:
    """Every layer of LeNet for one digit."""
    layers = {name: z[0] for name, z in net.layers(digit[None]).items()}
    p = plain(layers["output"].softmax(0))
    panels = [
        panel(imshow(plain(digit[0]), cmap="gray"), title="input 32 × 32", axes=False, size=SMALL),
        maps(layers["C1"], 3, "C1: 6 × 28 × 28", size=(280, 190)),
        maps(layers["S2"], 3, "S2: 6 × 14 × 14", size=(280, 190)),
        maps(layers["C3"], 4, "C3: 16 × 10 × 10"),
        maps(layers["S4"], 4, "S4: 16 × 5 × 5"),
        maps(layers["C5"].reshape(1, 8, 15), 1, "C5: 120 numbers", size=(220, 130)),
        maps(layers["F6"].reshape(1, 6, 14), 1, "F6: 84 numbers", size=(220, 130)),
        digit_bars(p, "output: probability"),
    ]
    return scene(
        *panels, text=f"a {label}, taken for a {p.argmax()} with probability {p.max():.3f}"
    )


def neocognitron_scene(
    image: np.ndarray, c1: np.ndarray, c2: np.ndarray, votes: np.ndarray
) -> dict:
    """The shifted image, what C1 and C2 report (largest over the planes), and the final answers."""
    total = votes.max()
    said = f"the answer is {votes.argmax()}" if total > 0 else "no cell of the last stage answers"
    return scene(
        panel(imshow(image, lim=(0, 1), cmap="gray"), title="input", axes=False, size=SMALL),
        panel(imshow(c1, lim=(0, 1)), title="C1, largest of all planes", axes=False, size=SMALL),
        panel(imshow(c2, lim=(0, 1)), title="C2, largest of all planes", axes=False, size=SMALL),
        digit_bars(votes / max(total, 1e-9), "last stage, relative"),
        text=said,
    )


def example_scene(examples: Sequence[tuple[np.ndarray, tuple[int, int]]]) -> dict:
    """Pictures of the detector exercise with (row, column) of the cross above them."""
    style = {"axes": False, "size": (220, 220)}
    return scene(
        *(
            panel(imshow(x, cmap="gray", lim=(0, 2)), title=f"the cross is at {at}", **style)
            for x, at in examples
        )
    )
