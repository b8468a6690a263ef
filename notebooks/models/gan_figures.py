"""Drawing for the GAN chapter: densities, discriminators, games on the ring, paths of the smallest GAN."""

from collections.abc import Mapping, Sequence

import numpy as np

from dlcourse.figures import bar, curves, fill_between, imshow, panel, plot, scatter, scene

DATA, FORGED, JUDGE = "c1", "c2", "c3"  # the same colours in every figure of the chapter
MENU_MARKERS = ("o", "^")


def densities(x: np.ndarray, q: np.ndarray, p: np.ndarray, D: np.ndarray, text: str) -> dict:
    """Data and generator density at the left, the best discriminator at the right; all (n,)."""
    hills = panel(
        fill_between(x, 0, q, color=DATA),
        plot(x, q, color=DATA, label="data q"),
        fill_between(x, 0, p, color=FORGED),
        plot(x, p, color=FORGED, label="generator p", dash="6 3"),
        xlabel="x",
        ylabel="density",
        xlim=(-5, 5),
        ylim=(0, 1.02),
        size=(430, 270),
    )
    best = panel(
        plot(x, np.full_like(x, 0.5), color="muted", dash="2 3", width=1),
        plot(x, D, color=JUDGE, label="best D = q/(q + p)"),
        xlabel="x",
        ylabel="probability of data",
        xlim=(-5, 5),
        ylim=(-0.03, 1.03),
        size=(430, 270),
    )
    return scene(hills, best, text=text)


def notes(q: np.ndarray, p: np.ndarray, D: np.ndarray) -> dict:
    """Shares of the four notes, and the best discriminator; all (4,)."""
    x = np.arange(len(q))
    ticks = {float(i): str(i) for i in x}
    shares = panel(
        bar(x - 0.2, q, color=DATA, width=0.36, label="real, q"),
        bar(x + 0.2, p, color=FORGED, width=0.36, label="forged, p"),
        xlabel="kind of note",
        ylabel="share",
        ylim=(0, 0.55),
        xticks=ticks,
    )
    best = panel(
        bar(x, D, color=JUDGE, width=0.5),
        plot([-0.5, len(q) - 0.5], [0.5, 0.5], color="fg", dash="4 3", width=1),
        xlabel="kind of note",
        ylabel="best D",
        ylim=(0, 1.05),
        xticks=ticks,
    )
    return scene(shares, best)


def pushes(a: np.ndarray, push: Mapping[str, np.ndarray]) -> dict:
    """Push on the logit against D; a (n,) logits, one curve (n,) for each loss."""
    D = 1 / (1 + np.exp(-a))
    order = ("non-saturating", "saturating", "without log")  # colours as in the later figures
    return scene(
        panel(
            *curves(D, {name: push[name] for name in order}, markers=False),
            xlabel="D of a forged note",
            ylabel="push on the logit",
            xlim=(0, 1),
            ylim=(-0.02, 1.05),
            size=(520, 300),
        )
    )


def inspectors(
    x: np.ndarray, q: np.ndarray, p: np.ndarray, formula: np.ndarray, learned: np.ndarray
) -> dict:
    """Trained discriminators (S, n) over the formula (n,), the densities below."""
    nets = [
        plot(x, D, color=JUDGE, width=1.2, label=None if s else "learned")
        for s, D in enumerate(learned)
    ]
    return scene(
        panel(
            fill_between(x, 0, q, color=DATA, label="data"),
            fill_between(x, 0, p, color=FORGED, label="generator"),
            plot(x, formula, color="fg", width=3, dash="7 4", label="q/(q + p)"),
            *nets,
            xlabel="x",
            ylabel="D, and densities",
            xlim=(-5, 5),
            ylim=(-0.02, 1.05),
            size=(600, 340),
        )
    )


def duels(
    games: Sequence[tuple[str, int, np.ndarray, np.ndarray]], centres: np.ndarray, k: int
) -> dict:
    """One panel a game: name, modes covered, samples (n, 2), scores of the discriminator (H, W)."""
    lim = {"xlim": (-1.5, 1.5), "ylim": (-1.5, 1.5), "aspect": "equal", "axes": False}
    panels = []
    for name, covered, y, score in games:
        middle, reach = np.median(score), np.abs(score - np.median(score)).max() + 1e-6
        ground = (score - middle) / reach  # the zero of a critic means nothing
        inside = y[(np.abs(y) < 1.5).all(axis=1)]
        panels.append(
            panel(
                imshow(ground, extent=(-1.5, 1.5, -1.5, 1.5), lim=(-1.6, 1.6), cmap="diverging"),
                scatter(centres[:, 0], centres[:, 1], color="fg", marker="x", size=4),
                scatter(inside[:, 0], inside[:, 1], color="fg", size=1.6),
                title=f"{name}: {covered} of 8",
                size=(230, 205),
                **lim,
            )
        )
    return scene(*panels, text=f"step {k}; modes covered in each title")


def circle(V: np.ndarray, angles: np.ndarray) -> dict:
    """The value of the one-parameter game; V (θ, ψ)."""
    degrees = 360
    return scene(
        panel(
            imshow(V, extent=(0, degrees, 0, degrees), origin="lower", cmap="diverging"),
            xlabel="the discriminator's angle ψ, degrees",
            ylabel="the generator's angle θ, degrees",
            xticks={float(t): str(t) for t in range(0, 361, 90)},
            yticks={float(t): str(t) for t in range(0, 361, 90)},
            aspect="equal",
            size=(400, 380),
        ),
        text=f"V runs from {V.min():.2f} to {V.max():.2f}",
    )


def dirac(path: np.ndarray, eigenvalues: np.ndarray) -> dict:
    """The path (k, 2) of (θ, ψ), and the eigenvalues in the complex plane."""
    t = np.linspace(0, 2 * np.pi, 181)
    reach = 2.5
    seen = np.where(np.abs(path).max(axis=1, keepdims=True) < 3 * reach, path, np.nan)
    walk = panel(
        plot(seen[:, 0], seen[:, 1], color=FORGED, width=1.4),
        scatter(path[:1, 0], path[:1, 1], color="fg", size=5, marker="s", label="start"),
        scatter([0], [0], color="fg", size=5, marker="x", label="saddle"),
        xlabel="generator θ",
        ylabel="discriminator ψ",
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        aspect="equal",
    )
    zoom = panel(
        plot(np.cos(t), np.sin(t), color="muted", label="size 1"),
        scatter(eigenvalues.real, eigenvalues.imag, color=FORGED, size=6, label="eigenvalues"),
        xlabel="real part",
        ylabel="imaginary part",
        xlim=(-1.2, 1.2),
        ylim=(-1.2, 1.2),
        aspect="equal",
    )
    size, end = np.abs(eigenvalues).max(), np.hypot(*path[-1])
    words = "inside" if size < 1 - 1e-9 else "outside" if size > 1 + 1e-9 else "on"
    return scene(
        walk,
        zoom,
        text=f"eigenvalues of size {size:.4f}, {words} the unit circle; distance 1 became {end:.3g} in {len(path) - 1} steps",
    )


def distance(m: np.ndarray, push: np.ndarray) -> dict:
    """Pushes (n, 2), saturating and non-saturating, against the distance m (n,) of the means."""
    rows = {"non-saturating": push[:, 1], "saturating": push[:, 0], "Wasserstein": np.ones_like(m)}
    return scene(
        panel(
            *curves(m, rows, markers=False),
            xlabel="distance of the means, spreads",
            ylabel="push towards the data",
            ylog=True,
            xlim=(0, 8),
            ylim=(1e-4, 30),
            size=(560, 320),
        )
    )


def menu(scores: Mapping[str, Sequence[np.ndarray]], budgets: Sequence[int], floor: float) -> dict:
    """One column a loss; scores[loss] holds an array (seeds,) for each budget."""
    marks = [
        plot(
            [-0.6, len(scores) - 0.4],
            [floor, floor],
            color="fg",
            dash="4 3",
            label="data against data",
        )
    ]
    for b, (steps, color, marker) in enumerate(
        zip(budgets, ("c2", "c1"), MENU_MARKERS[::-1], strict=True)
    ):
        x = np.concatenate(
            [np.full(len(s[b]), i + 0.3 * b - 0.15) for i, s in enumerate(scores.values())]
        )
        y = np.concatenate([s[b] for s in scores.values()])
        marks.append(scatter(x, y, color=color, marker=marker, size=3.5, label=f"{steps} steps"))
    short = ("sat.", "non-s.", "LS", "hinge", "W clip", "W pen.")  # must fit a phone
    return scene(
        panel(
            *marks,
            ylabel="MMD to the data",
            xlim=(-0.6, len(scores) - 0.4),
            ylim=(0, 0.65),
            xticks={float(i): name for i, name in enumerate(short)},
            size=(640, 340),
        )
    )


def perfect(looks: Sequence[int], sizes: Mapping[str, np.ndarray]) -> dict:
    """Gradient sizes (looks, 16) of each loss: games 8 to 15 start far away, 0 to 7 among the data."""
    x = np.array(looks) + 0.5  # so that step 0 stands on a logarithmic axis
    panels = []
    for title, games in (
        ("samples far from the data", slice(8, 16)),
        ("samples among the data", slice(0, 8)),
    ):
        marks = []
        for (loss, g), color, dash in zip(sizes.items(), ("c2", "c1"), ("6 4", None), strict=True):
            lines = np.maximum(g[:, games], 1e-9)
            marks += [
                plot(x, y, color=color, width=1.3, dash=dash, label=None if i else loss)
                for i, y in enumerate(lines.T)
            ]
        panels.append(
            panel(
                *marks,
                title=title,
                xlabel="steps of the discriminator",
                ylabel="generator's gradient",
                xlog=True,
                ylog=True,
                ylim=(1e-7, 100),
                xlim=(0.4, 400),
                xticks={0.5: "0", 1.5: "1", 10.5: "10", 100.5: "100", 300.5: "300"},
            )
        )
    return scene(*panels)


def closer(steps: np.ndarray, track: np.ndarray, floor: float) -> dict:
    """MMD (looks, games) against the steps, and the floor."""
    marks = [plot(steps, y, color=f"c{1 + i % 6}", width=1.3) for i, y in enumerate(track.T)]
    return scene(
        panel(
            *marks,
            plot([0, steps[-1]], [floor, floor], color="fg", dash="4 3", label="data against data"),
            xlabel="steps of both players",
            ylabel="MMD to the data",
            xlim=(0, steps[-1]),
            ylim=(0, float(track.max()) * 1.05),
            size=(600, 320),
        )
    )


def spiral(path: np.ndarray, goal: np.ndarray) -> dict:
    """The path (k, 2) of a learner's rule and the saddle (2,) that it should reach."""
    reach = 2.0
    near = path[(np.abs(path - goal) < 3 * reach).all(axis=1)]
    return scene(
        panel(
            plot(near[:, 0], near[:, 1], color=FORGED, width=1.4, label="your steps"),
            scatter(goal[:1], goal[1:], color="fg", size=6, marker="x", label="saddle"),
            xlabel="generator θ",
            ylabel="discriminator ψ",
            xlim=(goal[0] - reach, goal[0] + reach),
            ylim=(goal[1] - reach, goal[1] + reach),
            aspect="equal",
        )
    )
