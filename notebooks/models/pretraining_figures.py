"""Drawing for the chapter on layer-wise training: climbing a stack, learning curves, gradients by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from autoencoder_figures import classes, digit_panel

from dlcourse.figures import bar, curves, imshow, panel, plot, scatter, scene

Panel = dict[str, Any]
Scene = dict[str, Any]


def climb_scene(x: np.ndarray, codes: Sequence[np.ndarray], back: np.ndarray, told: str) -> Scene:
    """Digits x (n, 64), the codes of one of them floor by floor, and all digits after coming back down."""
    width = max(map(len, codes))
    tower = np.full((len(codes), width), np.nan)
    for row, code in zip(tower[::-1], codes, strict=True):
        left = (width - len(code)) // 2
        row[left : left + len(code)] = code
    names = {8 * k + 3.5: f"{len(c)}" for k, c in enumerate(codes[::-1])}
    floors = panel(
        imshow(
            np.nan_to_num(tower, nan=0.5).repeat(8, 0), lim=(0, 1), cmap="diverging", smooth=False
        ),
        title="the first digit on its way up",
        ylabel="units",
        xticks={},
        yticks=names,
        size=(300, 220),
    )
    return scene(
        digit_panel([x, back], "above: given; below: back from the top"), floors, text=told
    )


def race_scene(
    errors: Mapping[str, Sequence[float]],
    lines: Mapping[str, float],
    rows: list[np.ndarray],
    k: int,
) -> Scene:
    """Errors by update of several nets, reference errors as lines, and what each net makes of the digits."""
    marks = curves(range(k + 1), errors, markers=False)
    for dash, (name, level) in zip((None, "2 2"), lines.items(), strict=True):
        marks.append(
            plot([0, max(1, k)], [level, level], color="muted", width=1, dash=dash, label=name)
        )
    error = panel(
        *marks, title="error on new digits", xlabel="updates", ylabel="error", ylog=True,
        yticks={e: f"{e}" for e in (0.03, 0.05, 0.1, 0.2)}, size=(360, 300),
    )  # fmt: skip
    told = ", ".join(f"{name} {y[-1]:.4f}" for name, y in errors.items())
    wall = digit_panel(rows, "top row: given; then " + ", ".join(errors))
    return scene(error, wall, text=f"update {k}, error: {told}")


def layers_scene(slope: np.ndarray, spread: np.ndarray, told: str) -> Scene:
    """Size of the gradient and spread of the activations, layer by layer."""
    at = np.arange(1, len(slope) + 1)
    names = {int(k): str(k) for k in at}
    both = {"xlabel": "layer, from the input", "ylog": True, "xticks": names, "size": (320, 260)}
    return scene(
        panel(bar(at, slope), title="gradient of the weights", ylabel="root mean square", ylim=(1e-10, 1), **both),
        panel(bar(at, spread, color="c3"), title="what differs between images", ylabel="standard deviation", ylim=(1e-8, 1), **both),
        text=told,
    )  # fmt: skip


def map_scene(
    codes: np.ndarray, y: np.ndarray, x: np.ndarray, back: np.ndarray, told: str
) -> Scene:
    """Codes (n, 2) by class, and ten digits above their reconstructions."""
    plane = panel(
        *classes(codes, y), title="new digits in two numbers", xlabel="first", ylabel="second", size=(420, 380)
    )  # fmt: skip
    return scene(
        plane, digit_panel([x, back], "above: given; below: back from two numbers"), text=told
    )


def curves_panel(
    runs: Mapping[str, tuple[Sequence[float], np.ndarray]], title: str, **about: Any
) -> Panel:
    """Mean of each run (seeds, positions) and its range over the seeds."""
    marks = []
    for i, (name, (at, values)) in enumerate(runs.items()):
        marks += curves(at, {name: values}, first=i)
    return panel(*marks, title=title, ylabel="accuracy on new digits, %", size=(360, 300), **about)


def search_scene(
    asked: np.ndarray,
    pictures: Mapping[str, np.ndarray],
    wrong: Mapping[str, np.ndarray],
    means: Mapping[str, np.ndarray],
    told: str,
) -> Scene:
    """A digit (64,), rows of ten finds (10, 64) with crosses on the wrong ones, and precisions (seeds,)."""
    wall = np.full((10 * (len(pictures) + 1), 100), np.nan)
    wall[1:9, 46:54] = asked.reshape(8, 8)
    crosses = []
    for row, (name, found) in enumerate(pictures.items(), 1):
        for column, image in enumerate(found):
            wall[10 * row + 1 : 10 * row + 9, 10 * column + 1 : 10 * column + 9] = image.reshape(
                8, 8
            )
            if wrong[name][column]:
                crosses.append((10 * column + 5, 10 * row + 5))
    at = np.array(crosses).reshape(-1, 2)
    finds = panel(
        imshow(np.nan_to_num(wall, nan=1.0), extent=(0, 100, len(wall), 0), lim=(0, 1), cmap="gray", smooth=False),
        scatter(at[:, 0], at[:, 1], color="c2", marker="x", size=7),
        yticks={10 * r + 5: name for r, name in enumerate(("asked", *pictures))}, xticks={},
        xlabel="ten finds, the closest first", size=(430, 200),
    )  # fmt: skip
    order = list(means)
    ranges = [(values.min(), values.max()) for values in means.values()]
    right = panel(
        *[plot([low, high], [i, i], color="muted", width=2) for i, (low, high) in enumerate(ranges)],
        scatter([means[n].mean() for n in order], range(len(order)), size=5),
        yticks=dict(enumerate(order)), ylim=(len(order) - 0.5, -0.5), xlabel="precision at ten, %", xlim=(40, 100), size=(330, 200),
    )  # fmt: skip
    return scene(finds, right, text=told)
