"""Drawing for the systolic chapter: arrays of cells, Gantt charts of pipelines, cost curves."""

from collections.abc import Mapping, Sequence

import numpy as np

from dlcourse.figures import bar, imshow, panel, plot, scatter, scene, text

BUSY, DONE = 0.45, -0.3  # brown: multiplies now; blue: has finished


def wavefront_scene(A: np.ndarray, B: np.ndarray, clock: int) -> dict:
    """Where every number of A (R, T) and B (T, C) is after `clock` clocks, by arithmetic: no machine runs here."""
    (R, T), C = A.shape, B.shape[1]
    t = clock - 1
    k = t - np.add.outer(np.arange(R), np.arange(C))  # (R, C): the pair that cell (i, j) multiplies
    sums = np.array(
        [[A[i, : max(0, k[i, j] + 1)] @ B[: max(0, k[i, j] + 1), j] for j in range(C)] for i in range(R)]
    )  # fmt: skip
    shade = np.where(k < 0, 0.0, np.where(k < T, BUSY, DONE))
    marks = []
    for (i, n), value in np.ndenumerate(A):
        if t - i - n < 0:  # still on its way to the left edge
            marks.append(text(t - i - n - 0.35, i + 0.12, str(value), "middle", color="c1"))
    for (n, j), value in np.ndenumerate(B):
        if t - j - n < 0:
            marks.append(text(j, t - j - n - 0.25, str(value), "middle", color="c2"))
    for (i, j), n in np.ndenumerate(k):
        if 0 <= n < T:
            marks.append(text(j, i - 0.22, f"{A[i, n]}·{B[n, j]}", "middle"))
    low = -(max(R, C) + T) - 0.2
    edges = np.arange(max(R, C) + 1) - 0.5
    for e in edges:
        marks.append(plot([-0.5, C - 0.5], [e, e], color="muted", width=1))
        marks.append(plot([e, e], [-0.5, R - 0.5], color="muted", width=1))
    grid = panel(
        imshow(shade, lim=(-1, 1), cmap="diverging"),
        *(text(j, i + 0.3, str(v), "middle") for (i, j), v in np.ndenumerate(sums)),
        *marks,
        axes=False, aspect="equal", xlim=(low, C - 0.4), ylim=(R - 0.4, low + 1), size=(400, 400),
    )  # fmt: skip
    busy = [int(((c - i - j >= 0) & (c - i - j < T)).sum()) for c in range(R + C + T - 2) for i, j in [np.indices((R, C))]]  # fmt: skip
    count = panel(
        bar(np.arange(len(busy)) + 1, busy, color="muted"),
        *([bar([clock], [busy[t]], color="c2")] if clock else []),
        xlabel="clock", ylabel="cells that multiply", ylim=(0, R * C + 0.5), size=(330, 260),
    )  # fmt: skip
    now = busy[t] if clock else 0
    return scene(grid, count, text=f"clock {clock} of {len(busy)}: {now} of {R * C} cells multiply")


def machine_scene(
    registers: Mapping[str, tuple[np.ndarray, float]],
    result: tuple[np.ndarray, float],
    busy: Sequence[int],
    clocks: int,
    said: str,
) -> dict:
    """Registers (name -> values (R, C), largest value), what has left, and how many cells were busy at each clock."""
    shown = {**registers, "results so far": result}
    pictures = [
        panel(
            imshow(values, lim=(-top, top), cmap="diverging"),
            title=name,
            xlabel="column",
            ylabel="row",
            size=(215, 215),
        )
        for name, (values, top) in shown.items()
    ]
    trace = panel(
        plot(np.arange(1, len(busy) + 1), busy, color="c2"),
        xlabel="clock", ylabel="cells that multiply", xlim=(0, clocks), ylim=(0, 66),
        size=(300, 215),
    )  # fmt: skip
    return scene(*pictures, trace, text=said)


def gantt_scene(starts: np.ndarray, times: Sequence[int], names: Sequence[str], said: str) -> dict:
    """One row per stage, one block per item: starts (items, stages) in clocks."""
    colours = ("c1", "c2", "c3", "c4", "c5", "c6")
    marks = []
    for stage, length in enumerate(times):
        for item, start in enumerate(starts[:, stage]):
            line = [start + 0.08, start + length - 0.08]
            marks.append(plot(line, [stage, stage], color=colours[item % 6], width=13))
    end = int((starts[:, -1] + times[-1]).max())
    chart = panel(
        *marks,
        xlabel="clock", yticks=dict(enumerate(names)), xlim=(0, end), ylim=(len(times) - 0.4, -0.6),
        size=(620, 60 + 42 * len(times)),
    )  # fmt: skip
    return scene(chart, text=said)


def training_scene(
    curves: Mapping[str, np.ndarray], clocks: Mapping[str, int], k: int, steps: int
) -> dict:
    """Accuracy (n, 2) of each arithmetic against the step, and the clocks that each kind of product has taken."""
    styles = zip(("c1", "c2", "c3"), (None, "--", ":"), strict=True)
    lines = [
        plot(curve[:, 0], 100 * curve[:, 1], color=color, dash=dash, label=name)
        for (name, curve), (color, dash) in zip(curves.items(), styles, strict=True)
    ]
    accuracy = panel(
        *lines, xlabel="step", ylabel="right on the test part, %", xlim=(0, steps), ylim=(0, 100),
        size=(430, 290),
    )  # fmt: skip
    spent = np.array(list(clocks.values())) / 1e6
    work = panel(
        bar(range(len(clocks)), spent, color="muted"),
        ylabel="clocks so far, millions", xticks=dict(enumerate(clocks)), ylim=(0, 0.4),
        size=(350, 290),
    )  # fmt: skip
    now = ", ".join(f"{name} {100 * curve[-1, 1]:.1f} %" for name, curve in curves.items())
    return scene(accuracy, work, text=f"step {k}: {now}")


def utilisation_scene(
    x: np.ndarray, curves: Mapping[str, np.ndarray], here: tuple[float, Mapping[str, float]], said: str
) -> dict:  # fmt: skip
    """Useful share of the multipliers against the number of rows, one line per dataflow."""
    marks = []
    for (name, y), color, dash, shape in zip(curves.items(), ("c1", "c2"), (None, "--"), "os", strict=True):  # fmt: skip
        marks.append(plot(x, 100 * y, color=color, dash=dash, label=name))
        marks.append(scatter([here[0]], [100 * here[1][name]], color=color, size=6, marker=shape))
    chart = panel(
        *marks, xlog=True, xlabel="rows M of the input (batch, or places of a convolution)",
        ylabel="multipliers in use, %", xlim=(1, float(x[-1])), ylim=(0, 100), size=(560, 320),
    )  # fmt: skip
    return scene(chart, text=said)


def cost_scene(
    volumes: np.ndarray,
    costs: Mapping[str, np.ndarray],
    volume: float,
    better: Mapping[str, tuple[float, float]],
    said: str,
) -> dict:
    """Cost of one piece against volume; and, on five axes, how many times worse than the better of the two each is."""
    styles = zip(("c1", "c2", "c3"), (None, "--", ":"), strict=True)
    lines = [
        plot(volumes, y, color=color, dash=dash, label=name)
        for (name, y), (color, dash) in zip(costs.items(), styles, strict=True)
    ]
    top, low = max(y.max() for y in costs.values()), min(y.min() for y in costs.values())
    cost = panel(
        *lines, plot([volume, volume], [low, top], color="muted", dash=":"), xlog=True, ylog=True,
        xlabel="pieces made", ylabel="cost of one piece, dollars", size=(460, 330),
    )  # fmt: skip
    return scene(cost, radar(better), text=said)


def radar(better: Mapping[str, tuple[float, float]]) -> dict:
    """Axis -> (FPGA, ASIC), each how many times worse than the better one (1 = the better). A ring inwards is ten times."""
    n = len(better)
    angle = np.pi / 2 - 2 * np.pi * np.arange(n + 1) / n
    marks = []
    for r in (1 / 3, 2 / 3, 1):
        marks.append(plot(r * np.cos(angle), r * np.sin(angle), color="muted", width=1))
    values = np.array(list(better.values()))  # (n, 2)
    radius = np.clip(1 - np.log10(values) / 3, 0.02, 1)
    for column, (name, color, dash) in enumerate((("FPGA", "c1", None), ("ASIC", "c2", "--"))):
        r = np.append(radius[:, column], radius[0, column])
        marks.append(
            plot(
                r * np.cos(angle), r * np.sin(angle), color=color, dash=dash, label=name, width=2.5
            )
        )
    for name, a in zip(better, angle, strict=False):
        side = "middle" if abs(np.cos(a)) < 0.3 else "start" if np.cos(a) > 0 else "end"
        marks.append(text(1.08 * np.cos(a), 1.1 * np.sin(a), name, side))
    return panel(
        *marks, axes=False, aspect="equal", xlim=(-2.1, 2.1), ylim=(-1.25, 1.5), size=(460, 330),
        title="on the rim: the better of the two; a ring inwards: ten times worse",
    )  # fmt: skip
