"""Drawing for the chapter on the unified view: humps, tables, learners, bands, walls of pictures."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats
from skimage.util import montage

from dlcourse.figures import (
    bar,
    curves,
    fill_between,
    imshow,
    panel,
    plot,
    scatter,
    scene,
    text,
)

MAKER, DATA = "c2", "c1"


def humps(x: np.ndarray, q: np.ndarray, best: Mapping[str, tuple[np.ndarray, float]]) -> dict:
    """Data q (n,) and, in a panel each, the best hump (n,) by one divergence, with its value."""
    panels = [
        panel(
            bar(x, q, color=DATA, width=0.9, label="data q" if i == 0 else None),
            plot(x, p, color=MAKER, width=3, label="model p" if i == 0 else None),
            title=name,
            xlabel="x",
            ylabel="probability" if i == 0 else None,
            ylim=(0, 0.2),
            size=(290, 250),
        )
        for i, (name, (p, _)) in enumerate(best.items())
    ]
    values = ", ".join(
        f"{name.split(',')[0]}: {value:.3f} nats" for name, (_, value) in best.items()
    )
    return scene(*panels, text=f"smallest divergence, {values}")


def sharp(table: np.ndarray, size: int = 12) -> np.ndarray:
    """Every cell as size × size pixels, so that no browser blurs their edges."""
    return np.kron(table, np.ones((size, size)))


def switch(a: np.ndarray, b: np.ndarray, names: Sequence[str], kind: str) -> dict:
    """Tables a and b (5, 5) or (5, 2), and the contributions of their cells to KL(a || b)."""
    parts = a * np.log(a / b)
    wide = a.shape[1]
    look = {"extent": (-0.5, wide - 0.5, 4.5, -0.5)}
    top, reach = max(a.max(), b.max()), max(np.abs(parts).max(), 1e-3)
    hidden = "code z" if wide == 5 else "label y"
    ticks = {
        "xticks": {float(i): str(i) for i in range(wide)},
        "yticks": {float(i): str(i) for i in range(5)},
        "xlabel": hidden,
        "size": (270, 270),
    }
    numbers = [
        text(j, i, f"{parts[i, j]:+.2f}", anchor="middle") for i in range(5) for j in range(wide)
    ]
    return scene(
        panel(imshow(sharp(a), lim=(0, top), **look), title=names[0], ylabel="picture x", **ticks),
        panel(imshow(sharp(b), lim=(0, top), **look), title=names[1], **ticks),
        panel(
            imshow(sharp(parts), lim=(-reach, reach), cmap="diverging", **look),
            *numbers,
            title="contribution",
            **ticks,
        ),
        text=f"{kind}. KL = {abs(parts.sum()):.4f} nats",
    )


def drawings(p: np.ndarray, V: np.ndarray, n: int = 16) -> np.ndarray:
    """A wall, two pictures high, of n fair drawings from p (512,), sorted by probability."""
    order = np.argsort(-p, kind="stable")
    at = np.searchsorted(np.cumsum(p[order]) / p.sum(), (np.arange(n) + 0.5) / n)
    tiles = V[order[at]].reshape(n, 3, 3)
    return montage(tiles, grid_shape=(2, n // 2), padding_width=1, fill=0.5)


def race(names: Sequence[str], curve: Sequence[tuple], p: np.ndarray, V: np.ndarray) -> dict:
    """Both divergences of the learners, means and ranges of the seeds, and drawings of p (L, 512)."""
    k = np.array([row[0] for row in curve])
    panels = []
    for i, label in ((1, "KL(q‖p), nats: data first"), (2, "KL(p‖q), nats: model first")):
        values = np.array([row[i] for row in curve])  # (T, L, S)
        rows = {name: values[:, j].T for j, name in enumerate(names)}
        panels.append(
            panel(
                *curves(k, rows, markers=False),
                xlabel="steps",
                ylabel=label,
                xlim=(0, 200),
                ylim=(0.0, 5.0),
                size=(310, 330),
            )
        )
    wall = np.concatenate([drawings(row, V) for row in p])  # (L · 9, 33)
    high, wide = wall.shape
    labels = {(i + 0.5) * high / len(names): name for i, name in enumerate(names)}
    walls = panel(
        imshow(wall, extent=(0, wide, high, 0), lim=(0, 1), cmap="gray"),
        title="drawings, most probable first",
        yticks=labels,
        xticks={},
        size=(330, 330),
    )
    return scene(*panels, walls, text=f"step {k[-1]}")


def bands(
    x: np.ndarray,
    rows: Mapping[str, tuple[np.ndarray, np.ndarray]],
    x_seen: np.ndarray,
    y_seen: np.ndarray,
    m: np.ndarray,
    s: np.ndarray,
    mean: np.ndarray,
    covariance: np.ndarray,
    k: int,
) -> dict:
    """Predicted curves with two spreads either side, and weights with theirs."""
    marks = []
    for i, (name, (middle, spread)) in enumerate(rows.items()):
        color = (DATA, MAKER)[i]
        marks += [
            fill_between(x, middle - 2 * spread, middle + 2 * spread, color=color, alpha=0.25),
            plot(x, middle, color=color, label=name, dash=(None, "6 4")[i]),
        ]
    left = panel(
        *marks,
        scatter(x_seen, y_seen, color="fg", size=3, label="data"),
        xlabel="x",
        ylabel="y, curve ± 2 spreads",
        ylim=(-2.5, 2.5),
        size=(430, 320),
    )
    at, right = np.arange(len(m)), []
    for i, (middle, spread) in enumerate(((mean, np.sqrt(np.diag(covariance))), (m, s))):
        color, place = (DATA, MAKER)[i], at + (-0.12, 0.12)[i]
        whisker = np.array([[j, j, np.nan] for j in place]).ravel()
        ends = np.stack([middle - 2 * spread, middle + 2 * spread, np.full(len(m), np.nan)], 1)
        right += [
            plot(whisker, ends.ravel(), color=color, width=3),
            scatter(place, middle, color=color, marker="os"[i], size=5),
        ]
    ticks = {float(i): f"w{i}" for i in at}
    weights = panel(
        *right, ylabel="weight ± 2 spreads", xticks=ticks, ylim=(-4, 6), size=(300, 320)
    )
    return scene(left, weights, text=f"step {k}")


def floors(seen: np.ndarray, rows: Mapping[str, np.ndarray]) -> dict:
    """Points (n, 2) of the data and of every model, a small panel each."""
    tiles = np.add.outer(np.arange(3), np.arange(3)) % 2  # the same from every side
    panels = []
    for name, points in {"data": seen, **rows}.items():
        inside = points[(np.abs(points) < 2.6).all(axis=1)]
        panels.append(
            panel(
                imshow(0.75 + 0.25 * tiles, extent=(-2, 2, -2, 2), lim=(0, 1), cmap="gray"),
                scatter(
                    inside[:, 0], inside[:, 1], color=DATA if name == "data" else MAKER, size=1.3
                ),
                title=name,
                xlim=(-2.6, 2.6),
                ylim=(-2.6, 2.6),
                size=(200, 200),
                aspect="equal",
                axes=False,
            )
        )
    return scene(*panels)


def posterior(
    axis: np.ndarray, density: np.ndarray, x: np.ndarray, path: list, sweeps: int, evidence: float
) -> dict:
    """Exact density (n, n) of the first centre, points, the approximation, and the bound by sweeps."""
    (m, v, bound), angle = path[sweeps - 1], np.linspace(0, 2 * np.pi, 41)
    circle = m[0] + 2 * np.sqrt(v[0]) * np.stack([np.cos(angle), np.sin(angle)], 1)
    lim = (axis[0], axis[-1])
    left = panel(
        imshow(density[::-1], extent=(*lim, *lim), cmap="gray"),
        scatter(x[:, 0], x[:, 1], color="c3", size=4, marker="^", label="points"),
        plot(circle[:, 0], circle[:, 1], color=MAKER, width=3, label="approximation, 2 spreads"),
        xlabel="first coordinate",
        ylabel="second coordinate",
        xlim=lim,
        ylim=lim,
        aspect="equal",
        size=(360, 360),
    )
    k, bounds = np.arange(1, len(path) + 1), np.array([row[2] for row in path])
    right = panel(
        plot(k, np.full(len(k), evidence), color=DATA, label="log evidence, exact", dash="6 4"),
        plot(k, bounds, color="muted"),
        plot(k[:sweeps], bounds[:sweeps], color=MAKER, label="bound", width=3),
        xlabel="sweeps",
        ylabel="nats",
        size=(400, 330),
    )
    text = f"sweep {sweeps}: bound {bound:.3f}, evidence {evidence:.3f}, gap {evidence - bound:.3f} nats"
    return scene(left, right, text=text)


def walls(rows: Mapping[str, np.ndarray]) -> dict:
    """Forty pictures of each model (n, 64)."""
    return scene(
        *[
            panel(
                imshow(
                    montage(x[:40].reshape(-1, 8, 8), grid_shape=(5, 8), padding_width=1, fill=0.5),
                    lim=(0, 1),
                    cmap="gray",
                ),
                title=name,
                axes=False,
                size=(270, 190),
            )
            for name, x in rows.items()
        ]
    )


def judged(scores: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> dict:
    """Means and 95 % intervals of both judges, a bar a model."""
    at, ticks = np.arange(len(scores)), {float(i): name for i, name in enumerate(scores)}
    panels = []
    for i, label in enumerate(("Fréchet distance of features", "told apart, %")):
        values = np.array([row[i] for row in scores.values()])  # (models, trainings)
        half = stats.sem(values, axis=1) * stats.t.ppf(0.975, values.shape[1] - 1)
        mean = values.mean(1)
        ends = np.stack([mean - half, mean + half, np.full(len(at), np.nan)], 1).ravel()
        line = plot([-0.5, len(at) - 0.5], [50, 50], color="fg", dash="4 3", width=1) if i else None
        panels.append(
            panel(
                bar(at, mean, color=MAKER, width=0.6),
                line,
                plot(np.repeat(at.astype(float), 3), ends, color="fg", width=2),
                xticks=ticks,
                ylabel=label,
                ylim=(0, float(np.nanmax(ends) * 1.08)),
                size=(560, 290),
            )
        )
    return scene(*panels)
