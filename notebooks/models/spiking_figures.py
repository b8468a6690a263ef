"""Drawing for the chapter on spiking networks: potentials, rasters, codes, prototypes, accuracy against spikes."""

from collections.abc import Mapping, Sequence

import numpy as np
from skimage.util import montage

from dlcourse.figures import (
    bar,
    curves,
    imshow,
    panel,
    plot,
    scatter,
    scene,
    text,
)

NEURON, SPIKE, OTHER = "c1", "c2", "c3"  # the same colours in every figure of the chapter
WIDE, HALF = (430, 270), (330, 270)


def spike_lines(times: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of upright strokes at `times`, lifted by NaN between two strokes."""
    x = np.repeat(times, 3).astype(float)
    y = np.tile([low, high, np.nan], len(times))
    return x, y


def hero(
    t: np.ndarray,
    u: np.ndarray,
    spikes: np.ndarray,
    curve: tuple[np.ndarray, np.ndarray],
    here: tuple[float, float],
    told: str,
) -> dict:
    """The potential over time with its spikes; and the curve of firing rate against current, with a ring at `here`."""
    potential = panel(
        plot(t, np.ones_like(t), color="muted", dash="4 3", width=1),
        plot(t, u, color=NEURON, label="potential u"),
        plot(*spike_lines(spikes, 1.0, 1.5), color=SPIKE, label="spike"),
        xlabel="time (ms)",
        ylabel="potential (thresholds)",
        ylim=(-0.05, 1.6),
        size=WIDE,
    )
    rate = panel(
        plot(*curve, color=NEURON),
        scatter([here[0]], [here[1]], color=SPIKE, size=6),
        xlabel="current (thresholds)",
        ylabel="spikes per second",
        xlim=(0, 4.1),
        ylim=(-5, 260),
        size=HALF,
    )
    return scene(potential, rate, text=told)


def stairs(a: np.ndarray, rows: Mapping[str, np.ndarray], T: int) -> dict:
    """Firing rate against a constant drive for each kind of reset; all (n,)."""
    return scene(
        panel(
            plot(a, np.clip(a, 0, 1), color="muted", dash="4 3", label="max(0, a)"),
            *curves(a, rows, markers=False),
            xlabel="drive a (thresholds a step)",
            ylabel=f"spikes in {T} steps / {T}",
            ylim=(-0.03, 1.08),
            size=(460, 290),
        )
    )


def codes(
    trains: Mapping[str, np.ndarray], errors: Mapping[str, np.ndarray], Ts: Sequence[int], told: str
) -> dict:
    """Spike trains (T,) of one number in each code; and mean error against steps, (len(Ts),) each."""
    names = list(trains)
    T = len(trains[names[0]])
    marks = [
        plot(*spike_lines(np.flatnonzero(trains[n]), i + 0.1, i + 0.8), color=f"c{i + 1}", width=3)
        for i, n in enumerate(reversed(names))
    ]
    raster = panel(
        *marks,
        xlabel="step",
        xlim=(-1, T),
        ylim=(0, len(names)),
        yticks={i + 0.45: n for i, n in enumerate(reversed(names))},
        size=WIDE,
    )
    rows = {n: errors[n] for n in reversed(names)}
    error = panel(
        *curves(Ts, rows),
        xlabel="steps T",
        ylabel="mean error",
        xlog=True,
        xticks={t: str(t) for t in Ts},
        ylog=True,
        size=HALF,
    )
    return scene(raster, error, text=told)


def delta_figure(
    t: np.ndarray, signal: np.ndarray, events: np.ndarray, rebuilt: np.ndarray
) -> dict:
    """A signal, its events (+1, 0, −1) and the staircase rebuilt from them; all (n,)."""
    up, down = np.flatnonzero(events > 0), np.flatnonzero(events < 0)
    return scene(
        panel(
            plot(t, signal, color="muted", width=3, label="signal"),
            plot(t, rebuilt, color=NEURON, label="rebuilt"),
            scatter(t[up], np.full(len(up), -1.35), color=OTHER, marker="^", size=3.5, label="up"),
            scatter(
                t[down], np.full(len(down), -1.55), color=SPIKE, marker="s", size=2.5, label="down"
            ),
            xlabel="time",
            ylabel="value",
            ylim=(-1.75, 1.5),
            size=(560, 280),
        )
    )


def surrogate(v: np.ndarray, forward: np.ndarray, backward: Mapping[str, np.ndarray]) -> dict:
    """The step at the left, its stand-ins for the derivative at the right; all (n,)."""
    step = panel(
        plot(v, forward, color=NEURON),
        xlabel="u − θ",
        ylabel="spike",
        title="forward",
        ylim=(-0.1, 1.1),
        size=HALF,
    )
    bells = panel(
        *curves(v, backward, markers=False),
        xlabel="u − θ",
        ylabel="derivative used",
        title="backward",
        ylim=(-0.05, 1.1),
        size=HALF,
    )
    return scene(step, bells)


def window(lag: np.ndarray, change: np.ndarray) -> dict:
    """Change of a weight against the lag from the input's spike to the neuron's; both (n,), NaN at the jump."""
    return scene(
        panel(
            plot(lag, np.zeros_like(lag), color="muted", width=1),
            plot(lag, change, color=NEURON),
            text(-38, 0.55, "input too late: weaker"),
            text(3, -0.3, "input in time: stronger"),
            xlabel="neuron's spike minus input's spike (ms)",
            ylabel="change of weight (A₊)",
            ylim=(-0.9, 1.1),
            size=(460, 280),
        )
    )


def raster(trains: np.ndarray) -> dict:
    """A panel of spikes of two layers, trains (T, 2, H): first layer below, second above."""
    T, _, H = trains.shape
    marks = []
    for layer, (color, marker) in enumerate(((NEURON, "o"), (OTHER, "s"))):
        t, unit = np.nonzero(trains[:, layer])
        marks.append(scatter(t, unit + layer * (H + 2), color=color, marker=marker, size=1.8))
    return panel(
        *marks,
        xlabel="step",
        ylabel="neuron",
        xlim=(-0.5, T - 0.5),
        ylim=(-1, 2 * H + 3),
        yticks={H / 2: "layer 1", 1.5 * H + 2: "layer 2"},
        size=HALF,
    )


def training(
    picture: np.ndarray,
    trains: np.ndarray,
    scores: np.ndarray,
    truth: int,
    log: Sequence[tuple[int, float]],
    steps: int,
    told: str,
) -> dict:
    """One digit (8, 8), its raster (T, 2, H), the ten scores as probabilities, and accuracy so far."""
    digit = panel(
        imshow(picture, cmap="gray", lim=(0, 1)),
        title=f"a test digit: {truth}",
        axes=False,
        size=(180, 200),
    )
    classes = panel(
        bar(np.arange(10), scores, color=SPIKE),
        xlabel="class",
        ylabel="probability",
        ylim=(0, 1.02),
        xticks={i: str(i) for i in range(10)},
        size=HALF,
    )
    k, percent = zip(*log, strict=True)
    progress = panel(
        plot(k, percent, color=NEURON),
        scatter(k, percent, color=NEURON),
        xlabel="step of training",
        ylabel="test accuracy (%)",
        xlim=(0, steps),
        ylim=(0, 100),
        size=HALF,
    )
    return scene(digit, raster(trains), classes, progress, text=told)


def conversion(
    relu: np.ndarray, rates: Sequence[np.ndarray], over_time: np.ndarray, truth: int, told: str
) -> dict:
    """Rates against rectified activations of both layers, (n,) each in thresholds; and scores (T, 10) so far."""
    limit = np.array([0.0, 1.0, 1.3])
    marks = [
        scatter(a, r, color=color, marker=marker, size=2, label=f"layer {i + 1}")
        for i, (a, r, color, marker) in enumerate(
            zip(relu, rates, (NEURON, OTHER), ("o", "s"), strict=True)
        )
    ]
    agreement = panel(
        plot(limit, np.minimum(limit, 1), color="muted", dash="4 3"),
        *marks,
        xlabel="activation of the ReLU net (thresholds)",
        ylabel="spikes per step",
        xlim=(-0.05, 1.3),
        ylim=(-0.05, 1.08),
        size=HALF,
    )
    steps = np.arange(1, len(over_time) + 1)
    others = [
        plot(steps, row, color="muted", width=1) for i, row in enumerate(over_time.T) if i != truth
    ]
    scores = panel(
        *others,
        plot(
            steps, over_time[:, truth], color=SPIKE, width=3, label=f"score of {truth}, the truth"
        ),
        xlabel="step",
        ylabel="score so far",
        size=WIDE,
    )
    return scene(agreement, scores, text=told)


def prototypes(weights: np.ndarray, wins: np.ndarray, told: str) -> dict:
    """Weights (64, K) as pictures in rows of ten, and how often each neuron won."""
    K = weights.shape[1]
    tiles = montage(weights.T.reshape(K, 8, 8), grid_shape=(K // 10, 10), padding_width=1, fill=0.0)
    wall = panel(imshow(tiles, cmap="gray", lim=(0, 1)), axes=False, size=(500, 210))
    share = panel(
        bar(np.arange(K), wins, color=NEURON, width=1.0),
        xlabel="neuron",
        ylabel="wins",
        size=(300, 210),
    )
    return scene(wall, share, text=told)


def budgets(rows: Mapping[str, tuple[np.ndarray, np.ndarray]], ceiling: float, xlabel: str) -> dict:
    """Accuracy (points, seeds) against spikes (points,) for each code or net, with the ordinary net's as a line."""
    looks = zip(rows.items(), ("c1", "c2", "c3", "c4"), ("o", "s", "^", "x"), strict=False)
    marks, spans = [], [x for x, _ in rows.values()]
    for (name, (x, y)), color, marker in looks:
        marks += [
            plot(x, y.mean(1), color=color),
            scatter(x, y.mean(1), color=color, marker=marker, size=4, label=name),
        ]
    ends = np.array([min(x.min() for x in spans), max(x.max() for x in spans)])
    line = plot(ends, [ceiling, ceiling], color="fg", dash="4 3", label="ordinary net")
    return scene(
        panel(
            *marks,
            line,
            xlabel=xlabel,
            ylabel="test accuracy (%)",
            xlog=True,
            xticks={n: str(n) for n in (100, 200, 500, 1000, 2000)},
            size=(520, 320),
        )
    )


def code_budgets(
    Ts: np.ndarray, rows: Mapping[str, tuple[np.ndarray, np.ndarray]], ceiling: float
) -> dict:
    """Accuracy (points, seeds) against steps at the left and against spikes (points,) at the right."""
    low = min(y.min() for _, y in rows.values()) - 2
    panels = []
    for xlabel, pick, ticks in (
        ("time steps T", lambda x: Ts, Ts),
        ("spikes per digit", lambda x: x, (40, 80, 160, 320, 640)),
    ):
        marks = []
        for i, (name, (x, y)) in enumerate(rows.items()):
            color, marker = f"c{i + 1}", "os"[i]
            marks += [
                plot(pick(x), y.mean(1), color=color),
                scatter(pick(x), y.mean(1), color=color, marker=marker, size=4, label=name),
            ]
        ends = [min(m["x"].min() for m in marks), max(m["x"].max() for m in marks)]
        line = plot(
            ends,
            [ceiling, ceiling],
            color="fg",
            dash="4 3",
            width=1.5,
            label="the pictures themselves",
        )
        panels.append(
            panel(
                *marks,
                line,
                xlabel=xlabel,
                ylabel="read correctly (%)",
                xlog=True,
                xticks={t: str(t) for t in ticks},
                ylim=(low, 100.5),
                size=(370, 290),
            )
        )
    return scene(*panels)


def energy(
    per_neuron: np.ndarray,
    rows: Mapping[str, np.ndarray],
    here: Mapping[str, tuple[float, float]],
    ordinary: Mapping[str, float],
) -> dict:
    """Energy in nJ against spikes per hidden neuron: lines for the spiking net, level lines for the ordinary one."""
    levels = [
        plot(per_neuron, np.full_like(per_neuron, v), color="fg", dash=d, width=1.5, label=n)
        for (n, v), d in zip(ordinary.items(), ("4 3", "2 3"), strict=True)
    ]
    dots = [
        scatter([x], [y], color=c, marker=m, size=6, label=n)
        for (n, (x, y)), c, m in zip(here.items(), ("c4", "c4", "c5"), ("o", "^", "s"), strict=True)
    ]
    return scene(
        panel(
            *curves(per_neuron, rows, markers=False),
            *levels,
            *dots,
            xlabel="spikes per hidden neuron and picture",
            ylabel="energy per picture (nJ)",
            size=(540, 330),
        )
    )


def counts(wanted: np.ndarray, came: np.ndarray, neuron: int) -> dict:
    """Spikes so far (T, n) of one neuron: expected, and as answered."""
    t = np.arange(1, len(wanted) + 1)
    marks = curves(t, {"expected": wanted[:, neuron], "came": came[:, neuron]}, markers=False)
    return scene(panel(*marks, xlabel="step", ylabel="spikes so far", title=f"neuron {neuron}"))
