"""The checks of the optimisation chapter's exercises; the notebook imports this file as `exercises`."""

import math
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import numpy as np
from optimisation_figures import level_lines, path

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, plot, scatter, scene


def _rotated(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A symmetric matrix with these eigenvalues in a random position."""
    Q = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    H = Q @ np.diag(values) @ Q.T
    return (H + H.T) / 2


# --- 1. settings for a ravine -------------------------------------------------------------------
def _settings_picture(low: float, high: float, rate: float, beta: float) -> dict:
    H, w, v = np.diag([low, high]), np.array([-10.0, 10 * math.sqrt(low / high)]), np.zeros(2)
    rate, beta = np.clip([rate, beta], -100, 100)  # beyond, the path leaves the window all the same
    points = [w]
    for _ in range(30):
        v = beta * v + H @ w
        w = np.clip(w - rate * v, -50, 50)
        points.append(w)
    levels = low * np.array([2.0, 10.0, 30.0, 100.0])
    lim = {"xlim": (-15, 15), "ylim": (-10, 10), "xlabel": "w₁", "ylabel": "w₂"}
    title = f"your settings on eigenvalues {low:.2g} and {high:.2g}"
    return scene(panel(level_lines(H, levels), *path(np.array(points)), title=title, **lim))


def _pair(came: Any) -> tuple[float, float]:
    """The rate and beta out of a tuple, a list, an array or a tensor."""
    listed = type(came) in (tuple, list)
    parts = came if listed else require.array(came, "the rate and beta").ravel()
    if len(parts) != 2:
        raise Wrong("expected two numbers, the rate and beta: return rate, beta.")
    return require.number(parts[0], "the rate"), require.number(parts[1], "beta")


def _check_settings(answer: Callable) -> str:
    rng = require.rng()
    for size in (2, 2, 3, 5, 8):  # to four digits: float32 keeps no more of the smallest eigenvalue
        eigenvalues = np.sort(rng.uniform(0.2, 5) * np.geomspace(1, rng.uniform(5, 500), size))
        rate, beta = _pair(require.call(answer, _rotated(eigenvalues, rng)))
        low, high = eigenvalues[0], eigenvalues[-1]
        figure = _settings_picture(low, high, rate, beta)
        where = f"for eigenvalues from {low:.3g} to {high:.3g}"
        want = 4 / (math.sqrt(high) + math.sqrt(low)) ** 2
        kappa = math.sqrt(high / low)
        do = "The formula has the square roots of the eigenvalues of H in it, and the rate comes first."
        require.close(rate, want, 1e-9, 1e-4, f"the rate {where}", do, figure)
        do = "Mind the square: ρ is the root of β."
        require.close(
            beta, ((kappa - 1) / (kappa + 1)) ** 2, 1e-9, 1e-4, f"beta {where}", do, figure
        )
    return "rate and momentum are the best ones on five random ravines."


settings = Exercise(
    "optimisation-settings",
    "Return the best rate and momentum for a quadratic loss with Hessian H",
    check=_check_settings,
    hints=(
        "What do the formulas need to know about H? Only two numbers.",
        "np.linalg.eigvalsh(H) returns the eigenvalues in rising order: the first is μ, the last is L.",
        "rate = 4 / (√L + √μ)², beta = ((√L − √μ) / (√L + √μ))².",
    ),
)


# --- 2. how large must the batch be? ------------------------------------------------------------
def _noise(G: np.ndarray) -> np.ndarray:
    """Root mean squared error of a batch gradient over the length of the mean, for B = 1 … N."""
    N, mean = len(G), G.mean(0)
    B = np.arange(1, N + 1)
    pairs = sum(float(np.sum((g - mean) ** 2)) for g in G) / (N - 1)  # the unbiased variance
    return np.sqrt(pairs * (1 / B - 1 / N)) / np.linalg.norm(mean)


def _batch_picture(G: np.ndarray, share: float, came: int) -> dict:
    error, B = _noise(G), np.arange(1, len(G) + 1)
    marks = [plot(B, error, label="error of the batch"), plot(B, np.full(len(B), share), "muted")]
    if 1 <= came <= len(G):
        marks.append(scatter([came], [error[came - 1]], color="c2", marker="s", size=6))
    about = {"xlabel": "batch size", "ylabel": "error / length of the gradient"}
    return scene(panel(*marks, title="the square is your answer", **about))


def _batch_case(rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Gradients and a share between two batch sizes, often just so: N or N - 1 then decides, rounding does not."""
    N = int(rng.integers(6, 40))
    G = rng.normal(size=(N, int(rng.integers(1, 6)))) + rng.uniform(0.3, 2)
    error = _noise(G)
    B = int(rng.integers(1, N))  # the answer
    upper = error[B - 2] if B > 1 else 1.5 * error[0]
    return G, float(error[B - 1] + rng.choice([1e-3, 0.5, 0.999]) * (upper - error[B - 1]))


def _check_batch(answer: Callable) -> str:
    rng = require.rng()
    for k in range(20):
        G, share = _batch_case(rng)
        share = share if k else 0.0  # no error allowed: the whole set
        came = require.integer(require.call(answer, G, share), "the batch size")
        want = int(np.argmax(_noise(G) <= share + 1e-12)) + 1
        if came != want:
            raise Wrong(
                f"for {len(G)} examples and share {share:.3g}: expected {want}, came {came}. "
                "Is the error a length or its square, does a full batch have none, and where does N - 1 stand?",
                _batch_picture(G, share, came),
            )
    return "20 sets of gradients, the strictest share included."


batch_size = Exercise(
    "optimisation-batch-size",
    "Find the smallest batch whose gradient is accurate enough",
    check=_check_batch,
    hints=(
        "The chapter has a formula for the mean squared error. Compare it with the square of what is allowed.",
        "Allowed is (share · ‖mean of G‖)². Try B = 1, 2, … until noise_formula(G, B) is no larger.",
        "For share = 0 only B = N will do; rounding must not send the loop beyond N.",
    ),
)


# --- 3. first weights for a leaky unit ----------------------------------------------------------
def _leaky_picture(inputs: int, leak: float, bound: float) -> dict:
    """Mean squares through 20 layers of this width, drawn from the bound given."""
    rng, sizes, half = np.random.default_rng(0), [1.0], min(abs(bound), 1e3)
    h = rng.normal(size=(50, inputs))
    for _ in range(20):
        a = h @ rng.uniform(-half, half, (inputs, inputs))
        h = np.clip(np.where(a > 0, a, leak * a), -1e12, 1e12)
        sizes.append(float(np.clip((h**2).mean(), 1e-12, 1e12)))
    about = {"xlabel": "layer", "ylabel": "mean square", "ylog": True, "ylim": (1e-12, 1e12)}
    marks = [plot(np.arange(21), sizes), plot([0, 20], [1, 1], "muted", dash="4 3")]
    return scene(panel(*marks, title="your weights, twenty layers", **about))


def _check_leaky(answer: Callable) -> str:
    rng = require.rng()
    for k in range(12):
        inputs = int(rng.integers(20, 300))
        leak = (0.0, 1.0)[k] if k < 2 else float(rng.uniform(0.05, 0.9))
        came = require.number(require.call(answer, inputs, leak), "the half width")
        variance = 1 / (inputs * (0.5 + 0.5 * leak * leak))  # half the sums are scaled by leak
        what = f"the half width for {inputs} inputs and leak {leak:.3g}"
        do = "A uniform distribution on ±a has variance a²/3; what share of the mean square does a leaky unit let through?"
        figure = _leaky_picture(inputs, leak, came)
        require.close(came, math.sqrt(3 * variance), 1e-12, 1e-6, what, do, figure)
    return "ReLU (leak 0), no activation at all (leak 1) and ten leaks in between."


leaky_bound = Exercise(
    "optimisation-leaky-bound",
    "Return the half width of the first weights that suits a leaky ReLU",
    check=_check_leaky,
    hints=(
        "Sums are as often positive as negative. What becomes of their mean square in each case?",
        "The unit keeps the share (1 + leak²)/2. So inputs · Var(W) · (1 + leak²)/2 must be 1.",
        "Var(W) is a²/3 for a uniform distribution on ±a. Solve for a.",
    ),
)


# --- 4. forty gradients -------------------------------------------------------------------------
WEIGHTS, CALLS, GOAL = 12, 40, 1e-3


class _TooMany(Exception):
    """The learner's optimiser asked for one gradient too many."""


def _project_picture(distances: list[float]) -> dict | None:
    if len(distances) < 2:
        return None
    y = np.clip(np.array(distances) / distances[0], 1e-8, 1e3)
    marks = [plot(np.arange(1, len(y) + 1), y), plot([1, CALLS], [GOAL, GOAL], "muted", dash="4 3")]
    about = {"xlabel": "call of gradient", "ylabel": "distance where it was called", "ylog": True}
    return scene(panel(*marks, title="must end below the dashed line", ylim=(1e-8, 1e3), **about))


def _quadratic(
    H: np.ndarray, best: np.ndarray, distances: list[float]
) -> Generator[np.ndarray | None, np.ndarray, None]:
    """Sent w, yields the gradient there, and None after too many; a closure would show H and best to its holder."""
    w = yield None
    while True:
        distances.append(math.dist(w, best))
        w = yield H @ (w - best) if len(distances) <= CALLS else None


def _ask(answer: Callable, rng: np.random.Generator) -> tuple[float, list[float]]:
    """(distance left over distance at first, distances at the calls) on a fresh quadratic."""
    H = _rotated(rng.uniform(0.1, 10) * np.geomspace(1, 1000, WEIGHTS), rng)
    best, start = rng.normal(size=WEIGHTS), 5 * rng.normal(size=WEIGHTS)
    distances: list[float] = []
    quadratic = _quadratic(H, best, distances)
    next(quadratic)

    def gradient(w: Any) -> np.ndarray:
        g = quadratic.send(require.array(w, "the argument of gradient", shape=(WEIGHTS,)))
        if g is None:
            raise _TooMany
        return g

    came = None
    with suppress(_TooMany), require.running("minimise(gradient, w)"):
        came = answer(gradient, start.copy())
    if len(distances) > CALLS:
        sentence = f"it called gradient more than {CALLS} times. One call gives the gradient at one point; keep what you got."
        raise Wrong(sentence, _project_picture(distances[:CALLS]))
    if came is None:
        raise Wrong("your function returned None; return the last weights.")
    end = require.array(came, "the weights you return", shape=(WEIGHTS,))
    return math.dist(end, best) / math.dist(start, best), distances


def _advice(left: float, calls: int) -> str:
    if left < 0.3 and WEIGHTS < calls < CALLS - 5:
        return f"Rounding spoils the directions a little: you have {CALLS - calls} calls left, so go on."
    return "Which method is done after as many directions as there are weights?"


def _check_minimise(answer: Callable) -> str:
    rng, used = require.rng(), 0
    for _ in range(5):
        left, distances = _ask(answer, rng)
        used = max(used, len(distances))
        if left > GOAL:
            raise Wrong(
                f"after {len(distances)} gradients {left:.2g} of the first distance is left, "
                f"wanted at most {GOAL:g}. {_advice(left, len(distances))}",
                _project_picture(distances),
            )
    return f"five quadratics, at most {used} gradients each."


minimise = Exercise(
    "optimisation-minimise",
    "Come within a thousandth of the minimum of a quadratic with 40 gradients",
    check=_check_minimise,
    hints=(
        "Plain descent would need thousands of steps at κ = 1000. What is done after 12?",
        "Conjugate gradients needs Hd for each direction d, and that is one difference of two gradients.",
        "The gradient after a step of length a is the old one plus a · Hd, so each round costs one call: gradient(w + d) − g.",
    ),
)
