"""Checks of the chapter on gates."""

import math
from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, plot, scatter, scene


def _logistic(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * z))  # does not overflow


# --- 1. set the gates by hand ---------------------------------------------------------------------
STEPS = 200


def _stream(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bits and marks (T,), and the bit marked last (T,)."""
    x = rng.choice([-1.0, 1.0], STEPS)
    m = (rng.random(STEPS) < 0.06).astype(float)
    m[0] = m[100] = 1
    x[100] = -x[0]  # an old bit must go
    return x, m, x[np.maximum.accumulate(np.where(m > 0, np.arange(STEPS), 0))]


def _run_cell(rows: np.ndarray, x: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Outputs (T,) of the cell whose sums are rows (4, 3) times (x, m, 1)."""
    c, outputs = 0.0, []
    for z in np.stack([x, m, np.ones_like(x)], 1) @ rows.T:
        i, f, o = _logistic(z[[0, 1, 3]])
        c = f * c + i * np.tanh(z[2])
        outputs.append(o * np.tanh(c))
    return np.array(outputs)


def _cell_picture(m: np.ndarray, wanted: np.ndarray, h: np.ndarray) -> dict:
    steps = np.arange(STEPS)
    return scene(
        panel(
            plot(steps, wanted, color="muted", dash="4 3", label="bit marked last"),
            scatter(np.flatnonzero(m), wanted[m > 0], color="c3", marker="s", label="mark"),
            plot(steps, h, color="c1", label="your h"),
            xlabel="step",
            ylabel="value",
            ylim=(-1.2, 2.0),
        )
    )


def _check_keep_bit(answer: Any) -> str:
    rows = require.array(answer, "the weights of i, f, a, o", shape=(4, 3))
    for _ in range(5):
        x, m, wanted = _stream(require.rng())
        h = _run_cell(rows, x, m)
        bad = np.flatnonzero(h * wanted < 0.5)
        if len(bad):
            t = int(bad[0])
            since = t - int(np.flatnonzero(m[: t + 1])[-1])
            raise Wrong(
                f"step {t}, {since} steps after the last mark: expected h of at least 0.5 with the sign of {wanted[t]:+.0f}, "
                f"came {h[t]:+.3f}. Which gate should have been open, and which shut?",
                _cell_picture(m, wanted, h),
            )
    return "it holds the marked bit over 200 steps, on five random streams."


keep_bit = Exercise(
    "lstm-keep-bit",
    "Choose the weights of the four sums so that one cell holds the bit marked last",
    check=_check_keep_bit,
    hints=(
        "The candidate is the bit, the gates look at the mark: x matters only for a, m only for i and f.",
        "At a mark i is open and f shut; at all other steps the other way round. A sum of +10 is open, -10 is shut.",
        "i: (0, 20, -10). f: the same with the other sign. a: (5, 0, 0). And the output gate is always open.",
    ),
    answer="value",
)


# --- 2. a bias for a lag --------------------------------------------------------------------------
def _check_half_life(answer: Any) -> str:
    rng = require.rng()
    for lag in (1, 10, *map(int, rng.integers(2, 300, 6))):
        b = require.number(require.call(answer, lag), f"the bias for lag {lag}")
        left = float(_logistic(np.array(b))) ** lag
        require.close(
            b,
            -math.log(math.expm1(math.log(2) / lag)),
            1e-6,
            1e-6,
            what=f"the bias for lag {lag}",
            do=f"With yours {left:.3f} is left after {lag} steps. Find the share kept in one step first, then the bias.",
        )
    return "half is left after the lag, for eight lags. Note how the bias grows like the logarithm of the lag."


half_life_bias = Exercise(
    "lstm-half-life-bias",
    "Return the forget bias with which half of a value is left after `lag` steps",
    check=_check_half_life,
    hints=(
        "Let the gate keep the share p at each step. After lag steps p to the power lag is left.",
        "p = 0.5 ** (1 / lag). And p is the logistic function of the bias.",
        "The logistic function is undone by b = log(p / (1 - p)).",
    ),
)


# --- 3. equal parameters --------------------------------------------------------------------------
def _core(gates: int, D: int, H: int) -> int:
    """Parameters of PyTorch's core with so many sums: two matrices and two biases."""
    return gates * H * (D + H + 2)


def _check_same_size(answer: Any) -> str:
    rng = require.rng()
    for D, H in ((1, 1), (40, 100), *rng.integers(1, 400, (8, 2)).tolist()):
        G = require.integer(require.call(answer, D, H), f"the size for D = {D}, H = {H}")
        allowed = _core(4, D, H)
        if G < 1 or _core(3, D, G) > allowed:
            raise Wrong(
                f"D = {D}, H = {H}: the LSTM has {allowed} parameters, and a GRU with {G} units {_core(3, D, max(G, 0))}. "
                "Expected one or more units and no more parameters than the LSTM."
            )
        if _core(3, D, G + 1) <= allowed:
            raise Wrong(
                f"D = {D}, H = {H}: {G} units are allowed, but {G + 1} are as well: {_core(3, D, G + 1)} parameters "
                f"against {allowed}. Expected the largest number. The state's matrix grows with the square."
            )
    return "the largest allowed size for ten pairs of D and H."


same_size = Exercise(
    "lstm-same-size",
    "Return the largest hidden size of nn.GRU with no more parameters than nn.LSTM(D, H)",
    check=_check_same_size,
    hints=(
        "Count one gate of PyTorch: a matrix for the input, one for the state, and two biases.",
        "An LSTM has 4 H (D + H + 2) parameters, a GRU with G units 3 G (D + G + 2).",
        "Increase G in a loop as long as the next one still fits; or solve the quadratic equation and round down.",
    ),
)


# --- 4. couple the gates --------------------------------------------------------------------------
def _coupled_reference(
    x: np.ndarray, h: np.ndarray, c: np.ndarray, W: np.ndarray, U: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Unit by unit."""
    N, H = h.shape
    new_h, new_c = np.empty((N, H)), np.empty((N, H))
    for n in range(N):
        for j in range(H):
            f, a, o = (x[n] @ W[:, k] + h[n] @ U[:, k] + b[k] for k in (j, H + j, 2 * H + j))
            f, o = 1 / (1 + math.exp(-f)), 1 / (1 + math.exp(-o))
            new_c[n, j] = a = math.tanh(a) + f * (c[n, j] - math.tanh(a))
            new_h[n, j] = o * math.tanh(a)
    return new_h, new_c


def _check_coupled(answer: Any) -> str:
    rng = require.rng()
    for _ in range(5):
        N, D, H = (int(v) for v in rng.integers(2, 5, 3))
        shapes = ((N, D), (N, H), (N, H), (D, 3 * H), (H, 3 * H), (3 * H,))
        given = [rng.normal(size=s) for s in shapes]
        came = require.call(answer, *given)
        if type(came) not in (tuple, list) or len(came) != 2:
            raise Wrong("expected two arrays: return h, c.")
        for value, right, name in zip(came, _coupled_reference(*given), "hc", strict=True):
            require.close(
                require.array(value, f"the new {name}", shape=(N, H)),
                right,
                what=f"the new {name}",
                do="The parts stand in the order f, a, o; the new state is f times the old one plus 1 - f times the candidate; h shows the new state.",
            )
    return "both states are right for five random cells."


coupled_step = Exercise(
    "lstm-coupled-step",
    "Write one step of an LSTM whose input gate is one minus its forget gate",
    check=_check_coupled,
    hints=(
        "All three sums at once: x @ W + h @ U + b has shape (N, 3H). Split it along the last axis.",
        "f and o go through the logistic function, a through tanh.",
        "c = f * c + (1 - f) * a, and then h = o * tanh(c) with the new c.",
    ),
)
