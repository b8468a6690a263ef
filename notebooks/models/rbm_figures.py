"""Drawing for the RBM chapter: walls of small pictures, the seven-unit machine, gradients, training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from skimage.util import montage

from dlcourse.figures import bar, imshow, panel, plot, scatter, scene

Panel = dict[str, Any]
Scene = dict[str, Any]


def mosaic(pictures: np.ndarray, columns: int, side: int = 8, rim: float = 0.5) -> np.ndarray:
    """Pictures (n, side²) set out in rows, with a rim of one pixel round each."""
    tiles = np.asarray(pictures, float).reshape(-1, side, side)
    shape = (-(-len(tiles) // columns), columns)
    return montage(tiles, fill=rim, padding_width=1, grid_shape=shape)


def ink(pictures: np.ndarray, columns: int, title: str, width: int = 300) -> Panel:
    """A wall of pictures in [0, 1], ink dark; missing pixels (NaN) are grey."""
    z = mosaic(1 - np.nan_to_num(pictures, nan=0.4), columns)
    height = round(width * z.shape[0] / z.shape[1]) + 24
    return panel(imshow(z, lim=(0, 1), cmap="gray"), title=title, axes=False, size=(width, height))


def links(W: np.ndarray, columns: int, title: str, width: int = 300) -> Panel:
    """The links of every hidden unit W (64, H) as a small picture."""
    span = max(0.1, float(np.abs(W).max()))
    z = mosaic(W.T, columns, rim=0.0)
    height = round(width * z.shape[0] / z.shape[1]) + 24
    picture = imshow(z, lim=(-span, span), cmap="diverging", smooth=False)
    return panel(picture, title=title, axes=False, size=(width, height))


def chances(p: np.ndarray, title: str) -> Panel:
    """Probabilities of the ten digits."""
    names = {k: str(k) for k in range(10)}
    about = {"xlabel": "digit", "ylabel": "probability", "ylim": (0, 1), "size": (230, 190)}
    return panel(bar(np.arange(10), p), title=title, xticks=names, **about)


def repair_scene(
    given: np.ndarray, drawn: np.ndarray, mean: np.ndarray, p: np.ndarray, digit: int
) -> Scene:
    """What was given (64,) with NaN for erased pixels, six drawn completions, their mean, and p(digit)."""
    best = int(p.argmax())
    hit = "right" if best == digit else f"wrong, it is a {digit}"
    text = f"{int(np.isnan(given).sum())} of 64 pixels erased; it reads a {best} ({hit}), probability {p[best]:.2f}"
    return scene(
        ink(given[None], 1, "given", 130),
        ink(drawn, 3, "six completions", 230),
        ink(mean[None], 1, "their mean", 130),
        chances(p, "and what it reads"),
        text=text,
    )


def seven_scene(joint: np.ndarray, v: int, formula: np.ndarray, sign: str) -> Scene:
    """All p(v, h) (16, 8), the eight of the chosen v marked, and p(h_j = 1 | v) enumerated beside the formula."""
    now = joint[v]
    h = np.array([[k >> (2 - j) & 1 for j in range(3)] for k in range(8)])
    enumerated = now @ h / now.sum()
    k = np.arange(128)
    mine = k // 8 == v
    states = panel(
        bar(k[~mine], joint.ravel()[~mine], color="c1", label="all states"),
        bar(k[mine], now, color="c2", label="states with this v"),
        xlabel="state, v then h",
        ylabel="probability p(v, h)",
        ylim=(0, 0.32),
        size=(330, 240),
    )
    units = panel(
        bar(np.arange(3), enumerated, color="c2", label="by enumeration", width=0.6),
        scatter(np.arange(3), formula, color="fg", marker="x", size=6, label="σ(Wᵀv + b)"),
        xlabel="hidden unit",
        ylabel="p(unit is on | v)",
        xticks={0: "h₁", 1: "h₂", 2: "h₃"},
        ylim=(0, 1.35),
        size=(270, 240),
    )
    gap = float(np.abs(enumerated - formula).max())
    bits = f"{v:04b}"
    return scene(states, units, text=f"v = {bits}, {sign}: largest difference {gap:.2f}")


def cd_scene(
    k: int, ks: Sequence[int], cosines: Sequence[float], exact: np.ndarray, cd: np.ndarray
) -> Scene:
    """Cosine between the expected CD-k and the exact gradient, and both as pictures (9, 8)."""
    i = list(ks).index(k)
    length = float(np.linalg.norm(cd) / np.linalg.norm(exact))
    span = float(np.abs(exact).max())
    about = {"xlabel": "k, sweeps", "ylabel": "cosine with the exact gradient", "ylim": (0, 1.05)}
    curve = panel(
        plot(ks, cosines),
        scatter([k], [cosines[i]], color="c2", size=6),
        xlog=True,
        size=(330, 250),
        **about,
    )
    pair = [
        panel(
            imshow(g, lim=(-span, span), cmap="diverging", smooth=False),
            title=t,
            xlabel="hidden unit",
            ylabel="visible unit",
            size=(210, 250),
        )
        for g, t in ((exact, "exact"), (cd, f"CD-{k}"))
    ]
    angle = float(np.degrees(np.arccos(min(1.0, cosines[i]))))
    text = f"CD-{k}: angle {angle:.0f}°, length {length:.2f} of the exact gradient's"
    return scene(curve, *pair, text=text)


def training_scene(
    k: int,
    curve: Sequence[tuple[int, float, float]],
    W: np.ndarray,
    shown: np.ndarray,
    fantasies: np.ndarray,
    steps: int,
) -> Scene:
    """Pseudo-likelihood so far, links, unseen digits above their reconstructions, and fantasies."""
    at, seen, unseen = (np.array(c) for c in zip(*curve, strict=True))
    about = {"xlabel": "steps", "ylabel": "nats an image", "xlim": (0, steps), "ylim": (-34, -8)}
    line = panel(
        plot(at, seen, color="c1", label="seen"),
        plot(at, unseen, color="c2", dash="6 4", label="unseen"),
        title="pseudo-likelihood",
        size=(300, 230),
        **about,
    )
    return scene(
        line,
        links(W, 8, "links of the hidden units", 230),
        ink(shown, 8, "unseen digits, and rebuilt", 300),
        ink(fantasies, 8, "fantasies", 300),
        text=f"step {k}: pseudo-likelihood of unseen digits {unseen[-1]:.2f} nats an image",
    )
