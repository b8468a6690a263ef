"""Drawing for the chapter on AlexNet and its heirs: challenge results, layer tables, maps, training curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dlcourse.figures import bar, curves, imshow, panel, plot, scatter, scene, text

Marks = list[dict[str, Any]]


def challenge_scene(
    results: Mapping[int, tuple[str, float]], human: float, start: int, end: int
) -> dict[str, Any]:
    """Top-5 error by year, % ; the two chosen years stand out and their relative change is read out."""
    years = list(results)
    error = np.array([results[y][1] for y in years])
    chosen = np.isin(years, (start, end))
    pairs = zip(years, error, strict=True)
    marks = [
        bar(np.array(years)[~chosen], error[~chosen], color="muted"),
        bar(np.array(years)[chosen], error[chosen], color="c1"),
        plot([2009.5, 2016.5], [human, human], color="c2", dash="4 3", label="one person"),
        # a low bar carries its label above the dashed line
        *[text(y, max(e, human) + 0.6, f"{e:g}", anchor="middle") for y, e in pairs],
    ]
    (a, was), (b, now) = results[start], results[end]
    readout = f"{start} ({a}) {was:g} %, {end} ({b}) {now:g} %: {now - was:+.2f} points, {100 * (now - was) / was:+.1f} % of the first."
    about = {"xlim": (2009.4, 2016.6), "ylim": (0, 32), "size": (640, 300)}
    ticks = {y: str(y) for y in years}
    return scene(
        panel(*marks, xlabel="year", ylabel="top-5 error, %", xticks=ticks, **about), text=readout
    )


def layer_scene(name: str, rows: Sequence[Any], index: int, image: int) -> dict[str, Any]:
    """Parameters and multiply-adds of every layer, and what one unit of the chosen layer sees."""
    at, row = np.arange(1, len(rows) + 1), rows[index]
    weights = [(i, r.parameters) for i, r in zip(at, rows, strict=True) if r.parameters]
    work = [(i, r.macs) for i, r in zip(at, rows, strict=True) if r.macs]
    small = 2 if len(rows) > 60 else 3
    counts = panel(
        plot([index + 1] * 2, [10, 3e10], color="fg", dash="3 3", width=1),
        scatter(
            *zip(*work, strict=True), color="c2", marker="s", size=small, label="multiply-adds"
        ),
        scatter(*zip(*weights, strict=True), color="c1", size=small, label="parameters"),
        title=name,
        xlabel="layer, in computing order",
        ylabel="count",
        ylog=True,
        ylim=(10, 3e10),
    )
    return scene(counts, _field_panel(row.field, image), text=_readout(row, image))


def _field_panel(field: int, image: int) -> dict[str, Any]:
    half, edge = field / 2, image / 2
    square = np.array([-1, 1, 1, -1, -1]), np.array([-1, -1, 1, 1, -1])
    lim = 1.08 * max(edge, min(half, 800))
    return panel(
        plot(edge * square[0], edge * square[1], color="muted", label="the picture"),
        plot(half * square[0], half * square[1], color="c3", label="what one unit sees"),
        xlabel="pixels from the centre",
        xlim=(-lim, lim),
        ylim=(-lim, lim),
        aspect="equal",
    )


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _readout(row: Any, image: int) -> str:
    counts = f"{_spaced(row.parameters)} parameters, {_spaced(row.macs)} multiply-adds"
    sees = f"a unit sees {row.field} × {row.field} pixels"
    wider = ", more than the picture" if row.field > image else ""
    return f"{row.name}: {row.channels} maps of {row.side} × {row.side}, {counts}, {sees}{wider}"


def family_scene(
    points: Mapping[str, tuple[float, float]], parents: Mapping[str, str], axis: str, log: bool
) -> dict[str, Any]:
    """One mark per network at (chosen quantity, error), joined to the network it grew from."""
    marks: Marks = []
    for child, parent in parents.items():
        (x0, y0), (x1, y1) = points[parent], points[child]
        marks.append(plot([x0, x1], [y0, y1], color="muted", width=1.5))
    x, y = (np.array(v) for v in zip(*points.values(), strict=True))
    marks.append(scatter(x, y, size=6))
    marks += [text(a, b + 0.6, name, anchor="middle") for name, (a, b) in points.items()]
    pad = 2.2 if log else 0
    reach = (x.min() / pad, x.max() * pad) if log else (x.min() - 0.8, x.max() + 0.8)
    return scene(
        panel(
            *marks,
            xlabel=axis,
            ylabel="top-5 error of the entry, %",
            xlog=log,
            xlim=reach,
            ylim=(0, 20),
            size=(600, 320),
        )
    )


def pair_scene(
    losses: Mapping[str, Sequence[float]],
    gradients: Mapping[str, np.ndarray],
    accuracy: Mapping[str, float],
    steps: int,
) -> dict[str, Any]:
    """Loss so far, and the size of the gradient in every block, for a plain and a residual network."""
    ink = {"plain": ("c2", "s"), "residual": ("c1", "o")}
    loss = [
        plot(np.arange(len(v)), np.minimum(v, 4), color=ink[n][0], label=n)
        for n, v in losses.items()
    ]
    size = [
        scatter(
            np.arange(1, len(g) + 1), np.maximum(g, 1e-12), ink[n][0], marker=ink[n][1], label=n
        )
        for n, g in gradients.items()
    ]
    words = "; ".join(
        f"{n} {100 * a:.0f} % of the training digits right" for n, a in accuracy.items()
    )
    return scene(
        panel(*loss, xlabel="step", ylabel="loss, nats", xlim=(0, steps), ylim=(0, 4)),
        panel(*size, xlabel="block", ylabel="size of the gradient", ylog=True, ylim=(1e-6, 1e2)),
        text=words,
    )


def lesion_scene(dropped: Mapping[str, np.ndarray], whole: Mapping[str, float]) -> dict[str, Any]:
    """Accuracy after one block has been taken out, for each block."""
    ink = {"plain": ("c2", "s"), "residual": ("c1", "o")}
    marks = []
    for name, values in dropped.items():
        at, (color, marker) = np.arange(1, len(values) + 1), ink[name]
        marks.append(plot([1, len(values)], [whole[name]] * 2, color=color, dash="4 3", width=1.5))
        marks.append(scatter(at, values, color, marker=marker, size=4, label=name))
    about = {"ylim": (0, 105), "size": (560, 300)}
    return scene(panel(*marks, xlabel="block taken out", ylabel="test accuracy, %", **about))


def maps_scene(
    image: np.ndarray, cover: np.ndarray, traces: Sequence[np.ndarray], said: str
) -> dict[str, Any]:
    """A picture, the occlusion map over it, and the traces of its strongest features in pixel space."""
    bare = {"axes": False, "size": (200, 200)}
    panels = [
        panel(imshow(image, cmap="gray"), title="picture", **bare),
        panel(imshow(cover, lim=(0, 1), smooth=False), title="probability when covered", **bare),
    ]
    for i, trace in enumerate(traces, 1):
        reach = float(np.abs(trace).max()) or 1.0
        shown = imshow(trace, lim=(-reach, reach), cmap="diverging")
        panels.append(panel(shown, title=f"trace of feature {i}", **bare))
    return scene(*panels, text=said)


def topk_scene(errors: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Error against the number of guesses allowed; one curve (K,) per name."""
    inks = (("c1", "o"), ("c3", "^"))
    marks = []
    for (name, values), (color, marker) in zip(errors.items(), inks, strict=False):
        k = np.arange(1, len(values) + 1)
        marks += [plot(k, values, color=color), scatter(k, values, color, name, marker=marker)]
    about = {"ylim": (0, max(v.max() for v in errors.values()) * 1.1), "size": (520, 280)}
    return scene(panel(*marks, xlabel="guesses allowed, k", ylabel="top-k error, %", **about))


def features_scene(
    picture: np.ndarray, histograms: np.ndarray, scores: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """A picture (28, 28), strokes along the edges of its cells (n, n, bins), and scores (seeds, 2) by size."""
    n, _, bins = histograms.shape
    along = np.pi * (np.arange(bins) + 0.5) / bins + np.pi / 2  # an edge runs across its gradient
    row, column = np.mgrid[:n, :n] + 0.5
    half = 0.5 * histograms / histograms.max()  # (n, n, bins) cells
    dx, dy = half * np.cos(along), half * np.sin(along)
    ends = lambda at, d: np.stack([at[..., None] - d, at[..., None] + d, np.full_like(d, np.nan)], -1).ravel()  # noqa: E731  # fmt: skip
    strokes = plot(ends(column, dx), ends(row, dy), color="fg", width=1.5)
    return scene(
        panel(imshow(picture, lim=(0, 1), cmap="gray"), title="a picture", axes=False, size=(190, 220)),
        panel(strokes, title="directions of its edges", axes=False, xlim=(0, n), ylim=(n, 0), aspect="equal", size=(190, 220)),
        panel(*curves((100, 800), scores), xlabel="training pictures", ylabel="read, %", xlog=True,
              xticks={100: "100", 800: "800"}, ylim=(30, 100), size=(330, 260)),
    )  # fmt: skip
