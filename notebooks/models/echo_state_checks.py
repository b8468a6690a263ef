"""Checks of the chapter on echo state networks."""

from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, plot, scene

# --- 1. never at rest -----------------------------------------------------------------------------
LIMIT, STEPS, APART = 0.9, 1000, 0.2


def _run(U: np.ndarray, h: np.ndarray) -> np.ndarray:
    """States (T, 2) of two tanh units without input, the start first."""
    states = [h]
    for _ in range(STEPS):
        states.append(np.tanh(states[-1] @ U))
    return np.array(states)


def _run_picture(states: np.ndarray) -> dict:
    last = np.arange(STEPS - 20, STEPS + 1)
    curves = [plot(last, states[-21:, i], f"c{i + 1}", f"unit {i + 1}") for i in range(2)]
    return scene(panel(*curves, xlabel="step", ylabel="state", ylim=(-1.1, 1.1)))


def _jumps(states: np.ndarray, which: str) -> None:
    """Raise Wrong unless the last states go to and fro between two places."""
    once, twice = (np.abs(states[-1] - states[-1 - k]).max() for k in (1, 2))
    picture = _run_picture(states)
    if np.abs(states[-1]).max() < 0.01:
        raise Wrong(
            f"{which}: expected two places for ever, came a state that dies away to zero. "
            "The radius says what happens near zero; choose large entries, so that the tanh saturates.",
            picture,
        )
    if once < APART:
        raise Wrong(
            f"{which}: expected jumps, came a state that stays where it is (last step {once:.2g}). "
            "What would have to change so that a step lands on the mirror image?",
            picture,
        )
    if twice > 1e-6:
        raise Wrong(
            f"{which}: expected the same place every second step, came places {twice:.2g} apart.",
            picture,
        )


def _check_restless(answer: Any) -> str:
    if type(answer) is not dict or set(answer) != {"U", "h"}:
        keys = f"keys {list(answer)}" if type(answer) is dict else f"{type(answer).__name__}"
        raise Wrong(f'expected a dictionary with the two keys "U" and "h", came {keys}.')
    U = require.array(answer["U"], "U", shape=(2, 2)).astype(float)
    h = require.array(answer["h"], "h", shape=(2,)).astype(float)
    if np.abs(U).max() > 1e6 or np.abs(h).max() > 1e6:
        raise Wrong("expected entries of at most a million; rounding would decide beyond.")
    radius = float(np.abs(np.linalg.eigvals(U)).max())
    if radius >= LIMIT:
        raise Wrong(
            f"U: expected a spectral radius below {LIMIT}, came {radius:.3g}. "
            "Try a matrix whose square is zero: its eigenvalues are zero, however large its entries."
        )
    _jumps(_run(U, h), "from your start")
    for _ in range(5):  # a cycle that a breath of air destroys is none
        _jumps(_run(U, h + require.rng().uniform(-1e-3, 1e-3, 2)), "from a start 0.001 beside it")
    return f"radius {radius:.2g}, and it never comes to rest."


restless = Exercise(
    "esn-restless",
    "Find U with a spectral radius below 0.9 and a start from which the state jumps to and fro",
    check=_check_restless,
    hints=(
        "The chapter has a matrix with radius 0 that keeps its state for ever. How far is it from what you need?",
        "tanh is odd: tanh(-z) = -tanh(z). If h is a place that stays under U, where does -U send it?",
        "Take the chapter's U with all signs turned, and start at (0.9, 0.9).",
    ),
    answer="value",
)


# --- 2. the stair ---------------------------------------------------------------------------------
def _simulated(H: int, r: float, k: int) -> float:
    """The memory by definition: sums over the lags that sit in the same unit, no Lyapunov equation."""
    shared = r ** (2 * (k % H + H * np.arange(4000)))  # squared sizes of these numbers in that unit
    return float(r ** (2 * k) / shared.sum())


def _stair_picture(H: int, r: float, came: list[float]) -> dict:
    lags = np.arange(len(came))
    wanted = [_simulated(H, r, k) for k in lags]
    return scene(
        panel(
            plot(lags, wanted, color="c1", width=4, label="wanted"),
            plot(lags, np.clip(came, -0.5, 1.5), color="c2", dash="4 3", label="yours"),
            title=f"H = {H}, r = {r:.2f}",
            xlabel="lag k",
            ylabel="memory",
        )
    )


def _check_stair(answer: Any) -> str:
    rng = require.rng()
    for H in (3, 1, 2, *rng.integers(3, 9, 4).tolist()):
        r = float(rng.uniform(0.8, 0.97))
        lags = [0, H - 1, H, 2 * H - 1, 2 * H, int(rng.integers(0, 4 * H)), 10 * H + H // 2]
        for k in lags:
            came = require.number(require.call(answer, H, r, k), f"m_{k}")
            if not abs(came - _simulated(H, r, k)) <= 1e-9:
                shown = [require.number(require.call(answer, H, r, j)) for j in range(3 * H)]
                raise Wrong(
                    f"H = {H}, r = {r:.3f}, lag {k}: expected {_simulated(H, r, k):.5g}, came {came:.5g}. "
                    "Which other numbers sit in the same unit, and how large is each of them?",
                    _stair_picture(H, r, shown),
                )
    return "flat for H lags, then a step down by the factor r^(2H), again and again."


stair = Exercise(
    "esn-stair",
    "Give the memory of a linear cycle as a formula",
    check=_check_stair,
    hints=(
        "The number of k steps ago has moved on by k units, and each move multiplied it by r. So it sits in unit k mod H, with size r^k.",
        "In the same unit sit the numbers of k mod H, k mod H + H, k mod H + 2H, … steps ago. All are independent. What share of that unit's variance is yours?",
        "r^(2k) over the geometric sum of r^(2(k mod H) + 2Hj) for j = 0, 1, …; the sum is r^(2(k mod H)) / (1 - r^(2H)).",
    ),
)


# --- 3. close the loop ----------------------------------------------------------------------------
def _sung(W, U, b, leak, V, c, h, steps) -> np.ndarray:
    """The free run with state and answer as one long vector, columns instead of rows."""
    found, state = [], h.reshape(-1, 1)
    for _ in range(steps):
        y = V.T @ state + c.reshape(-1, 1)
        found.append(y[:, 0])
        state = state + leak * (np.tanh(W.T @ y + U.T @ state + b.reshape(-1, 1)) - state)
    return np.array(found)


def _check_sing(answer: Any) -> str:
    rng = require.rng()
    for K in (1, 2, 3, 2, 1):
        H, steps = int(rng.integers(4, 8)), int(rng.integers(6, 12))
        W, U, V = rng.normal(size=(K, H)), rng.normal(size=(H, H)) / 2, rng.normal(size=(H, K)) / 2
        b, c, h = rng.normal(size=H), rng.normal(size=K), rng.uniform(0.2, 0.9, H)
        leak = float(rng.uniform(0.3, 0.8))
        args = (W, U, b, leak, V, c, h, steps)
        came = require.array(require.call(answer, *args), "the answers", shape=(steps, K))
        wanted = _sung(*args)
        times = np.arange(steps)
        figure = scene(
            panel(
                plot(times, wanted[:, 0], color="c1", width=4, label="wanted"),
                plot(times, np.clip(came[:, 0], -9, 9), color="c2", dash="4 3", label="yours"),
                xlabel="step",
                ylabel="first output",
            )
        )
        do = "First the answer from the state as it is, then the state from that answer; the leak mixes the old state with the tanh."
        require.close(came, wanted, 1e-4, 1e-4, f"{steps} answers", do, figure)  # room for float32
    return "five random networks sing as they should."


sing = Exercise(
    "esn-sing",
    "Run a network on its own answers",
    check=_check_sing,
    hints=(
        "Start with an empty list. In every round: one answer, then one step of the state.",
        "The answer y = h @ V + c plays the part of the input: tanh(y @ W + h @ U + b).",
        "h = (1 - leak) * h + leak * tanh(…), after the answer went into the list. At the end np.array(the list).",
    ),
)


# --- 4. learn while listening ---------------------------------------------------------------------
def _said(came: Any) -> str:
    """What came instead of a pair, in words."""
    many = f" of length {len(came)}" if type(came) in (tuple, list) else ""
    return f"a value of type {type(came).__name__}{many}"


def _check_listen(answer: Any) -> str:
    rng = require.rng()
    for K in (1, 2, 3, 4):
        H, T, penalty = int(rng.integers(3, 6)), 12, 0.5
        states, targets = rng.normal(size=(T, H)), rng.normal(size=(T, K))
        P, V = np.eye(H) / penalty, np.zeros((H, K))
        for t in range(T):
            came = require.call(answer, P, V, states[t], targets[t])
            if type(came) not in (tuple, list) or len(came) != 2:
                raise Wrong(f"expected two arrays, return P, V; came {_said(came)}.")
            P = require.array(came[0], "P", shape=(H, H))
            V = require.array(came[1], "V", shape=(H, K))
            A = penalty * np.eye(H) + states[: t + 1].T @ states[: t + 1]
            after = f"after {t + 1} example{'s' if t else ''}"
            do = "P must stay the inverse of the sum: subtract g times the row h P, with the old P."
            require.close(P, np.linalg.inv(A), 1e-5, 1e-4, f"P {after}", do)
            wanted = np.linalg.solve(A, states[: t + 1].T @ targets[: t + 1])
            do = "The error y - h V is made by the old V, and g by the old P."
            require.close(V, wanted, 1e-5, 1e-4, f"V {after}", do)
    return "after every example the weights are those of ridge regression on all of them."


listen = Exercise(
    "esn-listen",
    "Take in one example without solving a system",
    check=_check_listen,
    hints=(
        "Compute g first, from the old P. P @ h is a vector (H,), and h @ P @ h one number.",
        "np.outer(g, h @ P) is the matrix to subtract from P.",
        "np.outer(g, y - h @ V) is the matrix to add to V.",
    ),
)
