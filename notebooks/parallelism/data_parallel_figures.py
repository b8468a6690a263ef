"""Drawing for the data-parallel chapter: the ring, the replicas, speed-up curves."""

from collections.abc import Mapping, Sequence

import numpy as np

from dlcourse.figures import bar, curves, imshow, panel, plot, scene, text

COLOURS = ("c1", "c2", "c3", "c4", "c5", "c6")


def ring_counts(workers: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """How many contributions each chunk holds (worker, chunk) after `step` steps, and what was just received."""
    held, fresh = np.ones((workers, workers), int), np.zeros((workers, workers), bool)
    for k in range(step):
        adding, shift = k < workers - 1, k - (k >= workers - 1) * workers
        before, fresh = held.copy(), np.zeros_like(fresh)
        for w in range(workers):
            chunk, right = (w - shift) % workers, (w + 1) % workers
            held[right, chunk] = before[w, chunk] + (before[right, chunk] if adding else 0)
            fresh[right, chunk] = True
    return held, fresh


def ring_scene(workers: int, step: int, megabytes: float = 244.0) -> dict:
    """The chunks of every worker after `step` steps of the ring, and what each has sent; `megabytes` of gradient."""
    steps = 2 * (workers - 1)
    step = min(step, steps)
    held, fresh = ring_counts(workers, step)
    marks = [imshow(held, lim=(1, workers), cmap="viridis")]
    for w, c in np.ndindex(held.shape):
        dark = held[w, c] < 0.6 * workers
        word = f"▸{held[w, c]}" if fresh[w, c] else str(held[w, c])
        marks.append(text(c, w, word, anchor="middle", color="#ffffff" if dark else "#000000"))
    ticks = {i: str(i) for i in range(workers)}
    grid = panel(
        *marks,
        title="contributions summed in each chunk",
        xlabel="chunk of the gradient",
        ylabel="worker",
        xticks=ticks,
        yticks=ticks,
        size=(380, 330),
    )
    ring = megabytes * step / workers
    done = step / max(steps, 1)
    sent = panel(
        bar([0], [ring], color="c1", width=0.6),
        bar([1], [2 * (workers - 1) * megabytes * done], color="c2", width=0.6),
        title="sent by the busiest worker so far",
        ylabel="megabytes through its network card",
        xticks={0: "ring", 1: "one collects for all"},
        xlim=(-0.6, 1.6),
        ylim=(0, max(2 * (workers - 1) * megabytes * 1.05, 1)),
        size=(330, 330),
    )
    phase = "adding up" if step <= workers - 1 else "handing round"
    state = "everyone holds every sum" if (held == workers).all() else phase
    return scene(
        grid,
        sent,
        text=f"step {step} of {steps}: {state}; each worker has sent {ring:.0f} MB of a {megabytes:.0f} MB gradient",
    )


def replicas_view(losses: np.ndarray, apart: np.ndarray, total: int) -> list[dict]:
    """Panels of a run so far: losses (step, worker) and the distance of each replica from their mean (step,)."""
    steps = np.arange(len(losses))
    workers = {f"worker {r}": loss for r, loss in enumerate(losses.T)}
    top = 2.6 if not len(losses) else max(2.6, float(losses.max()))
    left = panel(
        *curves(steps, workers, markers=False),
        title="loss on its own half of the batch",
        xlabel="step",
        ylabel="cross-entropy, nats",
        xlim=(0, total),
        ylim=(0, top),
    )
    right = panel(
        plot(steps, apart, color="c3"),
        title="distance between the two copies",
        xlabel="step",
        ylabel="length of the difference of the weights",
        xlim=(0, total),
        ylim=(0, max(0.5, 1.1 * float(apart.max()) if len(apart) else 0.5)),
    )
    return [left, right]


def stacked(names: Sequence[str], parts: Mapping[str, np.ndarray], **style: object) -> dict:
    """Stacked bars: parts[label] (len(names),), the first part at the bottom."""
    tops = np.cumsum(list(parts.values()), axis=0)
    marks = [
        bar(np.arange(len(names)), top, color=c, label=label, width=0.7)
        for label, top, c in list(zip(parts, tops, COLOURS, strict=False))[::-1]
    ]
    return panel(*marks, xticks=dict(enumerate(names)), **style)
