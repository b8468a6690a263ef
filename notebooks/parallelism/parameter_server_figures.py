"""Drawing for the parameter-server chapter: Gantt charts, delayed descent, where the workers' time goes."""

from collections.abc import Sequence

import numpy as np

from dlcourse.figures import bar, fill_between, panel, plot, scatter, scene, text
from dlcourse.parallel.simulator import Push

POLICIES = ("synchronous", "one backup worker", "bounded staleness", "asynchronous")
FATE = {"used": "c1", "dropped": "c2", "under way": "muted"}


def broken(starts: Sequence[float], ends: Sequence[float], y: Sequence[float]) -> tuple:
    """Arrays x, y that draw one horizontal stroke for each start and end."""
    x = np.column_stack([starts, ends, np.full(len(starts), np.nan)]).ravel()
    return x, np.repeat(np.asarray(y, float), 3)


def gantt(
    steps: Sequence[tuple[int, float, float, str]],
    updates: Sequence[float] | None,
    workers: int,
    until: float,
    since: float = 0.0,
    unit: str = "steps of a normal worker",
    size: tuple[int, int] = (640, 240),
) -> dict:
    """Steps (worker, begun, ready, fate) as thick strokes; updates, if given, as triangles in a top row."""
    marks = []
    for fate, color in FATE.items():
        kept = [s for s in steps if s[3] == fate and s[2] > since and s[1] < until]
        if kept:
            x, y = broken(
                [max(s[1], since) for s in kept],
                [min(s[2], until) for s in kept],
                [s[0] for s in kept],
            )
            marks.append(plot(x, y, color=color, width=11, label=fate))
            ends = [(s[2], s[0]) for s in kept if s[2] <= until and fate == "dropped"]
            if ends:
                marks.append(scatter(*zip(*ends, strict=True), color="fg", size=4, marker="x"))
    ticks = [s[1] for s in steps if since <= s[1] < until]
    rows = [s[0] for s in steps if since <= s[1] < until]
    marks.append(scatter(ticks, rows, color="fg", size=1.6, marker="s"))
    names = {k: f"worker {k}" for k in range(workers)}
    if updates is not None:
        shown = [u for u in updates if since <= u <= until]
        marks.append(scatter(shown, [workers] * len(shown), color="c3", size=4, marker="^"))
        names[workers] = "update"
    return panel(
        *marks, xlabel=f"time ({unit})", xlim=(since, until), ylim=(-0.6, len(names) - 0.1),
        yticks=names, size=size,
    )  # fmt: skip


def steps_of(log: Sequence[Push], under_way: bool = False) -> list[tuple[int, float, float, str]]:
    """The steps of a simulated run; a gradient is dropped if it is late and its worker goes on without an update."""
    return [
        (p.worker, p.begun, p.ready, "dropped" if not p.used and p.worker in p.free else "used")
        for p in log
    ]


def shares(log: Sequence[Push], workers: int, until: float) -> dict[str, float]:
    """Fractions of the workers' time spent on gradients that were used, on dropped ones, and on waiting."""
    total = {"used": 0.0, "dropped": 0.0}
    for _, begun, ready, fate in steps_of(log):
        total[fate] += max(0.0, min(ready, until) - min(begun, until)) / (workers * until)
    return total | {"waiting or cut off": 1 - total["used"] - total["dropped"]}


def hero_scene(log: Sequence[Push], workers: int, until: float) -> dict:
    """Gantt chart of a simulated run with its counts."""
    inside = [p for p in log if p.done <= until]
    updates = [p.done for p in inside if p.used]
    late = [p.staleness for p in inside if p.used]
    chart = gantt(steps_of(log), updates, workers, until)
    dropped = sum(s[3] == "dropped" for s in steps_of(inside))
    used = sum(len(p.used) for p in inside)
    said = (
        f"{len(updates)} updates from {used} gradients, {dropped} dropped; "
        f"mean staleness {np.mean(late) if late else 0:.1f} updates"
    )
    return scene(chart, text=said)


def delay_scene(path: np.ndarray, roots: np.ndarray, product: float, limit: float) -> dict:
    """Weight after every update, and the roots of the recursion against the unit circle."""
    span = float(np.clip(np.abs(path).max() * 1.1, 1.2, 4))
    inside = np.abs(roots).max() < 1
    walk = panel(
        plot([0, len(path)], [0, 0], color="muted", width=1),
        plot(np.arange(len(path)), np.clip(path, -span, span), color="c1"),
        title="distance from the best weight", xlabel="update", ylabel="w", ylim=(-span, span),
        size=(380, 280),
    )  # fmt: skip
    angle = np.linspace(0, 2 * np.pi, 90)
    circle = panel(
        plot(np.cos(angle), np.sin(angle), color="muted"),
        scatter(roots.real, roots.imag, color="c1" if inside else "c2", size=5,
                marker="o" if inside else "x"),
        title="roots: stable inside the circle", xlabel="real part", ylabel="imaginary part",
        xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal", size=(300, 280),
    )  # fmt: skip
    verdict = "stable" if inside else "unstable"
    said = (
        f"ηλ = {product:.3g}, limit {limit:.4f}: {verdict}; largest root {np.abs(roots).max():.3f}"
    )
    return scene(walk, circle, text=said)


def cluster_scene(log: Sequence[Push], workers: int, until: float) -> dict:
    """Where the workers' time goes, and how late the used gradients are."""
    inside = [p for p in log if p.done <= until]
    parts = shares(log, workers, until)
    time = panel(
        *(bar([k], [100 * v], color=c) for k, (v, c) in
          enumerate(zip(parts.values(), ("c1", "c2", "muted"), strict=True))),
        title="the workers' time", ylabel="%", ylim=(0, 100), size=(260, 260),
        xticks=dict(enumerate(("used", "dropped", "waiting"))), xlim=(-0.6, 2.6),
    )  # fmt: skip
    late = np.array([p.staleness for p in inside if p.used])
    top = max(12, int(late.max(initial=0)) + 1)
    counts = np.bincount(late, minlength=top) / max(1, len(late))
    by = panel(
        bar(np.arange(len(counts)), 100 * counts, color="c1"),
        title="staleness of used gradients", xlabel="updates by others", ylabel="%", ylim=(0, 100),
        xlim=(-0.7, min(len(counts), 40) - 0.3), size=(380, 260),
    )  # fmt: skip
    gradients = sum(len(p.used) for p in inside)
    said = (
        f"{len(late)} updates from {gradients} gradients; without waiting or loss there would be "
        f"about {workers * until:.0f} at full speed; mean staleness {late.mean() if len(late) else 0:.1f}"
    )
    return scene(time, by, text=said)


def training_scene(log: Sequence[Push], losses: Sequence, workers: int, span: float) -> dict:
    """A moving Gantt chart and the loss on the virtual clock; losses: pairs (time, loss)."""
    now = log[-1].done if log else 0.0
    since = max(0.0, now - span)
    updates = [p.done for p in log if p.used]
    chart = gantt(
        steps_of(log), updates, workers, since + span, since, unit="steps of a normal worker"
    )
    t, y = np.array(losses).T
    curve = panel(
        plot(t, y, color="c2"), title="training loss", xlabel="time (steps of a normal worker)",
        ylabel="nats", xlim=(0, max(60.0, now)), ylim=(0, 2.6), size=(380, 240),
    )  # fmt: skip
    said = (
        f"time {now:.1f}: {len(updates)} updates from {sum(len(p.used) for p in log)} gradients, "
        f"loss {y[-1]:.3f}"
    )
    return scene(chart, curve, text=said)


def heat_scene(
    maps: dict[str, np.ndarray], workers: Sequence[int], rates: Sequence[float], start: float
) -> dict:
    """Final loss against the rate, one curve per number of workers, one panel per kind of update."""
    panels = []
    for name, z in maps.items():
        marks = [
            plot(rates, np.clip(row, 0, start), color=c, label=f"{n} workers" if n > 1 else "1 worker", dash=d)
            for n, row, c, d in zip(workers, z, ("c1", "c2", "c3", "c4"), (None, "6 4", "2 3", "8 3 2 3"), strict=True)
        ]  # fmt: skip
        best = [rates[int(np.nanargmin(row))] for row in z]
        low = [np.nanmin(row) for row in z]
        marks.append(scatter(best, low, color="fg", size=4, marker="x"))
        panels.append(
            panel(*marks, title=name, xlabel="learning rate η", ylabel="final loss (nats)", xlog=True,
                  ylim=(0, start * 1.05), size=(320, 280))
        )  # fmt: skip
    return scene(*panels, text="the cross marks each curve's best rate")


def speed_scene(
    n: np.ndarray, curves: dict[str, np.ndarray], dots: tuple[Sequence[int], Sequence[float]]
) -> dict:
    """Speed-up of rounds against the number of workers."""
    marks = [plot(n, n, color="muted", dash="2 3", label="ideal")]
    for (name, y), c, d in zip(
        curves.items(), ("c1", "c3", "c2"), (None, "6 4", "8 3 2 3"), strict=False
    ):
        marks.append(plot(n, y, color=c, dash=d, label=name))
    marks.append(scatter(*dots, color="fg", size=4, marker="x", label="simulated"))
    return scene(
        panel(*marks, xlabel="workers", ylabel="times faster than one", xlog=True, ylog=True,
              xlim=(1, n.max()), ylim=(0.8, 60), size=(460, 320))
    )  # fmt: skip


def max_scene(
    n: np.ndarray, curves: dict[float, np.ndarray], dots: dict[float, np.ndarray], at: Sequence[int]
) -> dict:
    """Expected largest of n step times over the mean."""
    marks = []
    for (spread, y), c, k in zip(curves.items(), ("c1", "c2", "c3"), "os^", strict=True):
        marks.append(plot(n, y, color=c, label=f"spread σ = {spread}"))
        marks.append(scatter(at, dots[spread], color=c, marker=k, size=4))
    return scene(
        panel(*marks, xlabel="workers n", ylabel="mean of the longest / mean", xlog=True,
              ylim=(0.9, 5), size=(460, 300))
    )  # fmt: skip


def limit_scene(delays: np.ndarray, limit: np.ndarray, found: np.ndarray) -> dict:
    """Largest stable product of rate and curvature against the delay."""
    return scene(
        panel(
            fill_between(delays, 1e-3, limit, color="c1", alpha=0.15),
            plot(delays, limit, color="c1", label="2 sin(π / (2(2τ + 1)))"),
            plot(delays[1:], np.pi / (2 * delays[1:] + 1), color="muted", dash="6 4", label="π / (2τ + 1)"),
            scatter(delays, found, color="fg", marker="x", size=4, label="found by simulation"),
            text(6, 0.02, "stable", anchor="middle"),
            xlabel="delay τ (updates)", ylabel="largest stable ηλ", ylog=True, ylim=(0.01, 3.5),
            size=(460, 300),
        )
    )  # fmt: skip
