"""Drawing for the chapter on deep belief networks: walls of pictures, causes, bounds, repairs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rbm_figures import ink, links, mosaic

from dlcourse.figures import bar, imshow, panel, plot, scatter, scene

Panel = dict[str, Any]
Scene = dict[str, Any]


def wall(pictures: np.ndarray, columns: int, title: str, width: int) -> Panel:
    """Pictures (n, side, side) in [0, 1] in rows of `columns`, ink dark."""
    z = mosaic(1 - pictures, columns, side=pictures.shape[1])
    height = round(width * z.shape[0] / z.shape[1]) + 24
    return panel(imshow(z, lim=(0, 1), cmap="gray"), title=title, axes=False, size=(width, height))


def bases(W: np.ndarray, columns: int, side: int, title: str, width: int) -> Panel:
    """Signed patterns W (n, side²), each stretched to its own range."""
    tiles = W.reshape(len(W), -1) / np.abs(W.reshape(len(W), -1)).max(1, keepdims=True)
    z = mosaic(tiles, columns, side=side, rim=0.0)
    height = round(width * z.shape[0] / z.shape[1]) + 24
    picture = imshow(z, lim=(-1, 1), cmap="diverging", smooth=False)
    return panel(picture, title=title, axes=False, size=(width, height))


def hero_scene(
    top: np.ndarray, middle: np.ndarray, pictures: np.ndarray, digit: int, sweeps: int
) -> Scene:
    """Top and middle layer of the first of the pictures (12, 64), the label, and all pictures."""
    names = {k: str(k) for k in range(10)}
    label = panel(
        bar(np.arange(10), np.eye(10)[digit], color="c2"),
        title="clamped label",
        xlabel="digit",
        ylabel="state",
        ylim=(0, 1.1),
        xticks=names,
        size=(200, 150),
    )
    return scene(
        label,
        ink(top[:1], 1, "top layer", 130),
        ink(middle[:1], 1, "middle layer", 130),
        ink(pictures, 4, "written downwards", 260),
        text=f"label {digit}, {sweeps} sweeps of the two upper layers, one pass down",
    )


def causes_scene(prior: np.ndarray, posterior: np.ndarray, evidence: str) -> Scene:
    """Margins of the two causes before and after, and the joint p (4,) beside the product of its margins."""
    S = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    before, after = prior @ S, posterior @ S
    product = np.where(S > 0, after, 1 - after).prod(1)
    about = {"ylabel": "probability", "ylim": (0, 1.25), "size": (300, 230)}
    margins = panel(
        bar(np.array([0, 1]) - 0.2, before, color="c3", width=0.36, label="before looking"),
        bar(np.array([0, 1]) + 0.2, after, color="c1", width=0.36, label="after"),
        title="each cause alone",
        xticks={0: "rain", 1: "sprinkler"},
        **about,
    )
    joint = panel(
        bar(np.arange(4), posterior, color="c1", width=0.6, label="posterior"),
        scatter(np.arange(4), product, color="c2", marker="x", size=6, label="product of margins"),
        title="both together",
        xticks={0: "neither", 1: "sprinkler", 2: "rain", 3: "both"},
        **about,
    )
    text = f"{evidence}: rain {before[0]:.2f} to {after[0]:.2f}, sprinkler {before[1]:.2f} to {after[1]:.2f}"
    return scene(margins, joint, text=text)


def bars_scene(
    curve: Sequence[tuple[int, float, float]], W: np.ndarray, dreams: np.ndarray, entropy: float
) -> Scene:
    """Exact scores so far, generative links W (8, 16) and dreams (24, 16) of the Helmholtz machine."""
    at, nats, gap = (np.array(c) for c in zip(*curve, strict=True))
    end = 1400
    loss = panel(
        plot(at, nats, color="c1", label="−log p"),
        plot([0, end], [entropy, entropy], color="fg", dash="4 3", width=1, label="entropy"),
        title="exact −log p(v)",
        xlabel="updates",
        ylabel="nats a picture",
        xlim=(0, end),
        ylim=(0, 12.5),
        size=(260, 220),
    )
    recognition = panel(
        plot(at, gap, color="c2"),
        title="recognition against the posterior",
        xlabel="updates",
        ylabel="KL, nats a picture",
        xlim=(0, end),
        ylim=(0, 1.05 * max(0.4, float(gap.max()))),
        size=(260, 220),
    )
    text = f"{at[-1]} updates: −log p {nats[-1]:.2f} nats, recognition loses {gap[-1]:.2f}"
    return scene(
        loss,
        recognition,
        bases(W, 4, 4, "links of the 8 units downwards", 240),
        wall(dreams.reshape(-1, 4, 4), 8, "24 dreams", 260),
        text=text,
    )


def bound_panels(
    runs: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], best: float
) -> list[Panel]:
    """For each run the exact likelihood, the bound and the depth after every iteration."""
    out = []
    for name, (likelihood, bounds, depth) in runs.items():
        k = np.arange(len(depth))
        steps = [plot([i, i], [-9, -2], color="muted", width=1) for i in k[1:][np.diff(depth) > 0]]
        out.append(
            panel(
                *steps,
                plot(k, likelihood, color="c1", label="exact log p"),
                plot(k, bounds, color="c2", dash="6 4", label="bound"),
                plot(k[[0, -1]], [best, best], color="fg", dash="2 3", width=1, label="best"),
                title=f"new machine: {name}",
                xlabel="iterations; a line where a layer is added",
                ylabel="nats a picture",
                ylim=(-9, -2),
                size=(340, 260),
            )
        )
    return out


def dbm_scene(truth: np.ndarray, bound: np.ndarray, blind: np.ndarray, rounds: int) -> Scene:
    """Bound after mean field and after one upward pass against the exact log p of the 64 patterns."""
    low = float(min(bound.min(), blind.min(), truth.min())) - 0.5
    high = float(truth.max()) + 0.5
    picture = panel(
        plot([low, high], [low, high], color="fg", width=1, label="bound = log p"),
        scatter(truth, blind, color="c2", marker="x", size=4, label="one upward pass"),
        scatter(truth, bound, color="c1", size=4, label="mean field"),
        xlabel="exact log p(v), nats",
        ylabel="bound, nats",
        xlim=(float(truth.min()) - 0.5, high),
        ylim=(low, high),
        size=(420, 300),
    )
    p = np.exp(truth)
    text = f"mean gap: mean field ({rounds} rounds) {p @ (truth - bound):.3f}, one upward pass {p @ (truth - blind):.3f} nats"
    return scene(picture, text=text)


def digits_scene(W: np.ndarray, seen: np.ndarray | None, pictures: np.ndarray, text: str) -> Scene:
    """Links of the lower machine, units of the upper one seen through it (64, 64), and pictures (20, 64)."""
    upper = np.zeros((64, 64)) if seen is None else seen
    return scene(
        links(W, 8, "lower machine", 220),
        links(upper, 8, "upper machine, seen through it", 220),
        ink(pictures, 10, "dreams" if seen is None else "written for 0 to 9", 420),
        text=text,
    )


def repair_scene(truth: np.ndarray, known: np.ndarray, filled: Mapping[str, np.ndarray]) -> Scene:
    """A digit (64,), what is known of it, and completions (5, 64) by each machine."""
    given = np.where(known, truth, np.nan)
    walls = [ink(p, 5, name, 190) for name, p in filled.items()]
    errors = {
        name: ((p - truth)[:, ~known] ** 2).mean() for name, p in filled.items()
    }  # a single picture
    told = ", ".join(f"{name} {error:.3f}" for name, error in errors.items())
    return scene(
        ink(truth[None], 1, "truth", 100),
        ink(given[None], 1, "given", 100),
        *walls,
        text=f"squared error per covered pixel, this digit: {told}",
    )
