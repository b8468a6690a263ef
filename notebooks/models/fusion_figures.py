"""Drawing for the fusion chapter: committees on the plane and on a curve, matrices of who depends on whom."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dlcourse.figures import bar, curves, imshow, panel, plot, scatter, scene, text

LEFT, RIGHT, BOTTOM, TOP = -2.0, 3.0, -1.5, 2.0  # the part of the plane that the moons need
EDGES = (0.0, 0.3, 0.8, 1.5, 3.0, np.inf)  # weight of a point, as a multiple of the mean weight
SIZES = (1.2, 2.2, 3.4, 5.0, 7.5)  # pixels


def grid() -> np.ndarray:
    """Centres of 50 x 40 cells of the plane, row by row from the top (2000, 2)."""
    x, y = np.linspace(LEFT, RIGHT, 50), np.linspace(TOP, BOTTOM, 40)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)


def plane(
    X: np.ndarray, y: np.ndarray, z: np.ndarray, weights: np.ndarray | None = None, title: str = ""
) -> dict:
    """The score z (2000,) in -1 … 1 of the cells of `grid`, and the points; a heavy point is large."""
    marks = [
        imshow(
            -z.reshape(40, 50),
            extent=(LEFT, RIGHT, BOTTOM, TOP),
            lim=(-2.2, 2.2),
            cmap="diverging",
            smooth=False,
        )
    ]
    heavy = np.ones(len(y)) if weights is None else weights * len(y)
    sizes = np.digitize(heavy, EDGES) - 1
    for label, color, marker in ((1, "c1", "o"), (0, "c2", "s")):
        for size in np.unique(sizes):
            here = (y == label) & (sizes == size)
            name = f"class {label}" if size == sizes.min() else None
            marks.append(
                scatter(*X[here].T, color=color, marker=marker, size=SIZES[size], label=name)
            )
    return panel(
        *marks,
        title=title or None,
        xlabel="x₁",
        ylabel="x₂",
        xlim=(LEFT, RIGHT),
        ylim=(BOTTOM, TOP),
        size=(430, 330),
    )


def rounds(rows: Mapping[str, Sequence[float]], last: int) -> dict:
    """Error and bound by round, in per cent."""
    n = len(next(iter(rows.values())))
    lines = {name: 100 * np.asarray(values) for name, values in rows.items()}
    return panel(
        *curves(np.arange(1, n + 1), lines, markers=False),
        xlabel="rounds",
        ylabel="per cent",
        xlim=(0, last),
        ylim=(0, 100),
        size=(380, 330),
    )


def wobble(x: np.ndarray, truth: np.ndarray, fits: np.ndarray, title: str) -> dict:
    """Committees trained on different data sets, fits (sets, points), their mean and the truth."""
    thin = [plot(x, row, color="muted", width=0.7) for row in fits[:12]]
    return panel(
        *thin,
        plot(x, truth, color="fg", dash="5 4", label="truth"),
        plot(x, fits.mean(0), color="c2", label="mean over data sets"),
        title=title,
        xlabel="x",
        ylabel="y",
        ylim=(-2, 2),
        size=(430, 300),
    )


def parts(bias: float, variance: float) -> dict:
    """Squared bias and variance as two bars."""
    return panel(
        bar([0], [bias], color="c1", width=0.6),
        bar([1], [variance], color="c2", width=0.6),
        xticks={0.0: "bias²", 1.0: "variance"},
        ylabel="squared error",
        xlim=(-0.6, 1.6),
        ylim=(0, 0.22),
        size=(240, 300),
    )


def dependence(matrices: Mapping[str, np.ndarray]) -> dict:
    """Who changes (column) when a member (row) is replaced: one picture for each way of making a committee."""
    panels = []
    for name, D in matrices.items():
        n = len(D)
        ticks = {float(i): str(i + 1) for i in range(0, n, 3)}
        panels.append(
            panel(
                imshow(D.astype(float), lim=(0, 1.4), cmap="viridis"),
                title=name,
                xlabel="member that is made anew",
                ylabel="member replaced",
                xticks=ticks,
                yticks=ticks,
                size=(270, 300),
            )
        )
    return scene(*panels)


def strength(
    features: Sequence[int],
    wrong: Mapping[str, np.ndarray],
    alike: Mapping[str, np.ndarray],
    now: int,
) -> list[dict]:
    """Wrong digits and likeness of errors over the number of features tried, with a line at the value chosen."""
    rows = (("wrong digits, %", wrong, (10, 70)), ("ρ", alike, (0.3, 0.4)))
    made = []
    for label, lines, limits in rows:
        logarithmic = limits[0] > 1
        made.append(
            panel(
                plot([now, now], limits, color="muted", dash="3 3", width=1),
                *curves(np.array(features), lines),
                xlabel="features tried at each split",
                ylabel=label,
                xlog=True,
                xticks={float(f): str(f) for f in features},
                ylim=limits,
                ylog=logarithmic,
                yticks={v: f"{v:.0f}" for v in (10.0, 20.0, 30.0, 50.0)} if logarithmic else None,
                size=(380, 290),
            )
        )
    return made


def intervals(names: Sequence[str], accuracy: np.ndarray, half: np.ndarray) -> dict:
    """Accuracy of each network with its interval, best on top; names, accuracy and half width (networks,)."""
    order = np.argsort(accuracy)
    at = np.arange(len(names), dtype=float)
    marks = [
        plot([accuracy[i] - half[i], accuracy[i] + half[i]], [row, row], color="c1")
        for row, i in zip(at, order, strict=True)
    ]
    return panel(
        *marks,
        scatter(accuracy[order], at, color="c1", size=4),
        xlabel="accuracy on 997 digits, %",
        ylabel="network",
        yticks={row: names[i] for row, i in zip(at, order, strict=True)},
        ylim=(-0.6, len(names) - 0.4),
        size=(430, 320),
    )


def told_apart(names: Sequence[str], counts: np.ndarray, title: str) -> dict:
    """For each pair of networks in how many of the ten splits they are told apart (networks, networks)."""
    short = {float(i): name for i, name in enumerate(names)}
    numbers = [
        text(j, i + 0.12, f"{counts[i, j]:.0f}", anchor="middle", color="#ffffff" if counts[i, j] < 6 else "#111111")
        for i in range(len(names))
        for j in range(len(names))
        if i != j
    ]  # fmt: skip
    return panel(
        imshow(counts, lim=(0, 10), cmap="viridis"),
        *numbers,
        title=title,
        xlabel="network, numbered from the top",
        yticks=short,
        xticks={float(i): str(i + 1) for i in range(len(names))},
        size=(400, 360),
    )


def errors(rows: Mapping[str, np.ndarray], xlabel: str, ylabel: str) -> dict:
    """One line per name over 1 … n members."""
    n = len(next(iter(rows.values())))
    return panel(*curves(np.arange(1, n + 1), rows), xlabel=xlabel, ylabel=ylabel, size=(430, 300))


def answers(p: np.ndarray, means: Mapping[str, np.ndarray], names: Sequence[str]) -> list[dict]:
    """Probabilities of the members p (M, K) in one panel, what each way of averaging makes of them in another."""
    members = {f"member {i + 1}": row for i, row in enumerate(p)}
    return [_beside(members, names), _beside(means, names)]


def _beside(rows: Mapping[str, np.ndarray], names: Sequence[str]) -> dict:
    """For each row the probabilities (K,) as bars side by side."""
    at, K = np.arange(len(rows), dtype=float), len(names)
    marks = [
        bar(
            at + (k - (K - 1) / 2) * 0.8 / K,
            [row[k] for row in rows.values()],
            color=f"c{k + 1}",
            width=0.7 / K,
            label=names[k],
        )
        for k in range(K)
    ]
    return panel(
        *marks,
        xticks=dict(zip(at, rows, strict=True)),
        ylabel="probability",
        ylim=(0, 1.02),
        size=(380, 280),
    )


def drawing(
    x: np.ndarray, truth: Callable, noisy: np.ndarray, fits: Mapping[str, np.ndarray]
) -> dict:
    """Noisy points (n, 2), the truth and named fits over x."""
    return panel(
        scatter(*noisy.T, color="muted", size=2.5),
        plot(x, truth(x), color="fg", dash="5 4", label="truth"),
        *curves(x, fits, markers=False),
        xlabel="x",
        ylabel="y",
        size=(430, 300),
    )


def weights_panel(before: np.ndarray, came: np.ndarray, wrong: np.ndarray) -> dict:
    """Weights before a round and as they came back, mistakes marked."""
    at = np.arange(len(before), dtype=float)
    return panel(
        bar(at - 0.2, before, color="c1", width=0.36, label="before"),
        bar(at + 0.2, came, color="c2", width=0.36, label="yours"),
        scatter(at[wrong], 0 * at[wrong], color="fg", marker="x", size=5, label="a mistake"),
        xlabel="example",
        ylabel="weight",
        size=(430, 280),
    )
