"""The checks of the GAN chapter's exercises; the notebook imports this file as `exercises`."""

from collections.abc import Callable
from typing import Any

import numpy as np
from gan_figures import notes
from gan_figures import spiral as spiral_scene

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, scene


# --- 1. an inspector with a hunch -----------------------------------------------------------------
def _share_inputs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Six notes: one is never printed, one only real, one only forged; the share is far from a half."""
    q, p = rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(6))
    q[[0, 1]], p[[0, 2]] = 0.0, 0.0
    share = float(rng.choice([rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.95)]))
    order = rng.permutation(6)
    return q[order] / q.sum(), p[order] / p.sum(), share


def _share_reference(q: np.ndarray, p: np.ndarray, share: float) -> np.ndarray:
    seen = share * q + (1 - share) * p
    return np.array([share if s == 0 else share * a / s for s, a in zip(seen, q, strict=True)])


def _check_share(answer: Any) -> str:
    for _ in range(10):
        q, p, share = _share_inputs(require.rng())
        with np.errstate(all="ignore"):
            raw = require.call(answer, q, p, share)
        came = require.array(raw, "your answers D", shape=(6,), finite=False)
        if not np.isfinite(came).all():
            raise Wrong(
                f"your answers D: expected finite numbers, came {came[~np.isfinite(came)][0]} among them. "
                "For a note that nobody prints, 0 / 0 must become π."
            )
        require.close(
            came,
            _share_reference(q, p, share),
            what=f"D of six notes when {share:.0%} are real",
            do="Set the derivative of π q log D + (1 − π) p log(1 − D) to zero, and mind a note that nobody prints.",
            figure=notes(q, p, came),
        )
    return "it agrees on ten random pairs; with a share of one half it is q/(q + p)."


share = Exercise(
    "gan-share",
    "Return the best discriminator when a share of the notes is real",
    check=_check_share,
    hints=(
        "Each note can be treated alone. What is the derivative of its contribution with respect to D?",
        "π q / D = (1 − π) p / (1 − D). Solve for D. It is Bayes' rule: π is the prior.",
        "D = π q / (π q + (1 − π) p). Use np.where, so that 0 / 0 becomes π.",
    ),
)

# --- 2. a rock worth two ---------------------------------------------------------------------------
GAIN = np.array(
    [[0, -1, 2], [1, 0, -1], [-2, 1, 0]]
)  # gain of the row player: rock, paper, scissors


def _check_mixture(answer: Any) -> str:
    x = require.array(answer, "the three probabilities", shape=(3,))
    if (x < -1e-9).any() or abs(x.sum() - 1) > 1e-3:
        raise Wrong(
            f"expected three numbers from 0 to 1 that add up to 1, came {np.round(x, 3).tolist()}; divide by their sum."
        )
    against = x @ GAIN  # (3,) your mean gain against each choice
    worst = int(against.argmin())
    if against[worst] < -5e-3:
        name = ("rock", "paper", "scissors")[worst]
        picture = panel(
            bar(np.arange(3), against, color="c2"),
            title="your mean gain against each choice",
            xticks={0.0: "rock", 1.0: "paper", 2.0: "scissors"},
            ylabel="gain a round",
            ylim=(-2.1, 2.1),
        )
        raise Wrong(
            f"an opponent who always plays {name} wins {-against[worst]:.3f} a round from you; expected 0 against every choice. "
            "Make the three gains equal.",
            scene(picture),
        )
    return "no choice of the opponent gains anything against your mixture."


mixture = Exercise(
    "gan-mixture",
    "Give the probabilities of rock, paper and scissors that cannot be exploited when a win with rock pays 2",
    check=_check_mixture,
    hints=(
        "A rock that pays more tempts the opponent. Which choice punishes it?",
        "Against each of the opponent's choices your mean gain must be 0. That gives equations such as p − 2 s = 0.",
        "The equations are p = 2 s, r = s and p = 2 r. Add that all three sum to 1.",
    ),
    answer="value",
)

# --- 3. three more pushes ------------------------------------------------------------------------------
NAMES = ("non-saturating", "least squares", "both")


def _slope_reference(name: str, a: np.ndarray) -> np.ndarray:
    if name == "least squares":
        return 2.0 * a - 2.0
    return np.full(a.shape, -1.0) if name == "both" else -1.0 / (1.0 + np.exp(a))


def _check_slopes(answer: Any) -> str:
    for name in [*require.rng().permutation(NAMES), *NAMES]:
        a = np.r_[-3.0, require.rng().normal(0, 2, 5), 4.0]
        came = require.array(require.call(answer, str(name), a), f"dL/da of {name}", shape=(7,))
        require.close(
            came,
            _slope_reference(str(name), a),
            what=f"dL/da of {name}",
            do="The derivative of log σ(a) is 1 − σ(a), that of log(1 − σ(a)) is −σ(a). Mind the sign of the loss.",
        )
    return (
        "all three; the sum of both logistic losses pushes with strength 1 wherever the sample is."
    )


slopes = Exercise(
    "gan-slopes",
    "Return dL/da for three losses of the generator",
    check=_check_slopes,
    hints=(
        "σ'(a) = σ(a)(1 − σ(a)). What is left of it after the logarithm's 1/σ(a)?",
        "non-saturating: −(1 − σ(a)). Least squares needs no σ at all.",
        "For both: −σ(a) − (1 − σ(a)). Return an array of the shape of a.",
    ),
)


# --- 4. stop the spiral ----------------------------------------------------------------------------------
def _game(
    rng: np.random.Generator,
) -> tuple[Callable[[float, float], tuple[float, float]], np.ndarray]:
    """A game that only rotates, with its saddle at a random place well away from zero."""
    goal = rng.choice([-1.0, 1.0], 2) * rng.uniform(1.0, 3.0, 2)

    def push(theta: float, psi: float) -> tuple[float, float]:
        return 0.5 * (psi - goal[1]), -0.5 * (theta - goal[0])

    return push, goal


def _walk(rule: Callable, push: Callable, start: np.ndarray, h: float, steps: int) -> np.ndarray:
    path = [start]
    for _ in range(steps):
        came = rule(float(path[-1][0]), float(path[-1][1]), push, h)
        path.append(require.array(came, "the new (theta, psi)", shape=(2,)))
        if np.abs(path[-1]).max() > 1e6:
            break
    return np.array(path)


def _check_spiral(answer: Any) -> str:
    rng = require.rng()
    for h in (0.2, 0.5):
        push, goal = _game(rng)
        turn = rng.uniform(0, 2 * np.pi)
        first = goal + np.array([np.cos(turn), np.sin(turn)])
        one = require.call(answer, float(first[0]), float(first[1]), push, h)
        require.array(one, "the new (theta, psi)", shape=(2,))
        with require.running("running your step"):
            path = _walk(answer, push, first, h, 300)
        gap = np.hypot(*(path[-1] - goal))
        picture = spiral_scene(path, goal)
        if not gap < 0.5:
            raise Wrong(
                f"with h = {h} the distance to the saddle went from 1 to {gap:.3g} in {len(path) - 1} steps; expected less than 0.5. "
                "Ask for the push at the trial point, and step from the old place.",
                picture,
            )
        wanted = [old + h * np.array(push(*(old + h * np.array(push(*old))))) for old in path[:-1]]
        require.close(
            path[1:],
            np.array(wanted),
            what="the places after each step, theta and psi",
            do="One trial step of size h for both players, then one real step of size h from the old place.",
            figure=picture,
        )
    return "the path runs into the saddle, in two random games."


spiral = Exercise(
    "gan-spiral",
    "Write one extragradient step (theta, psi)",
    check=_check_spiral,
    hints=(
        "d_theta, d_psi = push(theta, psi) is where each wants to go. Where would both be after a step of size h?",
        "Call push a second time, at that trial point.",
        "Return theta + h * (second push on theta), and the same for psi: from the old place, not from the trial point.",
    ),
)
