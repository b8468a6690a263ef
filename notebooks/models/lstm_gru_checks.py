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


def _streams(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Bits and marks (T,), and the bit marked last (T,): both bits held against all others, then random."""
    steps, streams = np.arange(STEPS), []
    for k, rate in enumerate((0, 0, 0.03, 0.06, 0.5)):
        x, m = rng.choice([-1.0, 1.0], STEPS), (rng.random(STEPS) < rate).astype(float)
        m[0] = 1
        if rate:
            m[100], x[100] = 1, -x[0]  # an old bit must go
        else:
            x = np.where(steps, 1.0, -1.0) * (1 - 2 * k)
        streams.append((x, m, x[np.maximum.accumulate(np.where(m > 0, steps, 0))]))
    return streams


def _gates(rows: np.ndarray, x: np.ndarray, m: np.ndarray) -> np.ndarray:
    """i, f, a, o (T, 4) of the cell whose sums are rows (4, 3) times (x, m, 1)."""
    with np.errstate(over="ignore"):  # an infinite sum is a gate wide open
        z = np.stack([x, m, np.ones_like(x)], 1) @ rows.T
    return np.where([True, True, False, True], _logistic(z), np.tanh(z))


def _run_cell(gates: np.ndarray) -> np.ndarray:
    """Outputs (T,) of one cell."""
    c, outputs = 0.0, []
    for i, f, a, o in gates:
        c = f * c + i * a
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
    for x, m, wanted in _streams(require.rng()):
        gates = _gates(rows, x, m)
        h = _run_cell(gates)
        bad = np.flatnonzero(~(h * wanted >= 0.5))
        if bad.size:
            t = int(bad[0])
            i, f, _, o = gates[t]
            raise Wrong(
                f"step {t}, {_since(m, t)}: expected h of at least 0.5 with the sign of {wanted[t]:+.0f}, came {h[t]:+.4g}. "
                f"There i = {i:.3g}, f = {f:.3g} and o = {o:.3g}. Which should have been open, and which shut?",
                _cell_picture(m, wanted, h),
            )
    return "it holds the marked bit over 200 steps, even when all later bits are of the other sign."


def _since(m: np.ndarray, t: int) -> str:
    steps = t - int(np.flatnonzero(m[: t + 1])[-1])
    return f"{steps} step{'s' * (steps > 1)} after the last mark" if steps else "at a mark"


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
def _decay_picture(lag: int, b: float) -> dict:
    steps = np.arange(2 * lag + 1)
    return scene(
        panel(
            plot(steps, _logistic(np.array(b)) ** steps, color="c1", label="your share left"),
            scatter([lag], [0.5], color="c3", marker="s", label="wanted"),
            xlabel="steps",
            ylabel="share left",
            ylim=(0, 1.1),
        )
    )


def _check_half_life(answer: Any) -> str:
    rng = require.rng()
    for lag in (1, 10, *map(int, rng.integers(2, 300, 6))):
        b = require.number(require.call(answer, lag), f"the bias for lag {lag}")
        want = -math.log(math.expm1(math.log(2) / lag)) + 0.0  # not -0
        left = float(_logistic(np.array(b))) ** lag
        steps = "one step" if lag == 1 else f"{lag} steps"
        if np.abs(b - want) > 1e-4:  # float32 errs by a tenth of that
            raise Wrong(
                f"the bias for lag {lag}: expected {want:.4f}, came {b:.6g}. With yours {left:.4f} is left after {steps}. "
                + _half_life_advice(b, lag, want),
                _decay_picture(lag, b),
            )
    return "half is left after the lag, for eight lags. Note how the bias grows like the logarithm of the lag."


def _half_life_advice(b: float, lag: int, want: float) -> str:
    share = 0.5 ** (1 / lag)
    advice = (
        (-want, "The sign is turned: it is p over 1 - p, not 1 - p over p."),
        (share, "That is the share kept in one step; undo the logistic function to get the bias."),
        (math.log(lag / math.log(2)), "Near, but that is the limit for long lags; be exact."),
        (math.log(lag), "A bias of log(lag) leaves about a third, not half."),
    )
    near = [words for value, words in advice if np.abs(b - value) <= 1e-4]
    return (near or ["Find the share kept in one step first, then the bias."])[0]


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


def _largest(D: int, H: int, biases: int = 2) -> int:
    """The largest G with 3 G (D + G + biases) <= 4 H (D + H + biases), in whole numbers."""
    p = 3 * (D + biases)
    return (math.isqrt(p * p + 48 * H * (D + H + biases)) - p) // 6


def _telling(rng: np.random.Generator) -> list[tuple[int, int]]:
    """Two sizes each at which a forgotten bias shows, two forgotten biases, and < in place of <=."""
    sizes = [(D, H) for D in range(1, 61) for H in range(1, 61)]
    tells = (
        [(D, H) for D, H in sizes if _largest(D, H, 1) != _largest(D, H)],
        [(D, H) for D, H in sizes if _largest(D, H, 0) != _largest(D, H)],
        [(D, H) for D, H in sizes if _core(3, D, _largest(D, H)) == _core(4, D, H)],
    )
    return [cases[k] for cases in tells for k in rng.choice(len(cases), 2, replace=False)]


def _check_same_size(answer: Any) -> str:
    rng = require.rng()
    for D, H in ((1, 1), (40, 100), *rng.integers(1, 100, (2, 2)).tolist(), *_telling(rng)):
        G = require.integer(require.call(answer, D, H), f"the size for D = {D}, H = {H}")
        allowed = _core(4, D, H)
        if not 1 <= G <= 10 * H + 1:
            raise Wrong(
                f"D = {D}, H = {H}: expected one or more units, about as many as H, came {G:.6g}."
            )
        if _core(3, D, G) > allowed:
            raise Wrong(
                f"D = {D}, H = {H}: the LSTM has {allowed} parameters, and a GRU with {G} units {_core(3, D, G)}. "
                "Expected no more parameters than the LSTM."
            )
        if _core(3, D, G + 1) <= allowed:
            raise Wrong(
                f"D = {D}, H = {H}: {G} units are allowed, but {G + 1} are as well: {_core(3, D, G + 1)} parameters, "
                f"and the LSTM has {allowed}. Expected the largest number. {_too_few_advice(D, H, G)}"
            )
    return "the largest allowed size for ten pairs of D and H, exact fits among them."


def _too_few_advice(D: int, H: int, G: int) -> str:
    if _core(3, D, G + 1) == _core(4, D, H):
        return (
            "An exact fit counts: use <=, with two biases on both sides, and mind that a root may come out just "
            "below a whole number."
        )
    if G in (_largest(D, H, 0), _largest(D, H, 1)):
        return "Each sum of PyTorch has two biases, 2 H numbers."
    return "The state's matrix grows with the square."


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


def _coupled_picture(came: np.ndarray, right: np.ndarray, name: str) -> dict:
    """The first row of a state."""
    units = np.arange(came.shape[1])
    return scene(
        panel(
            scatter(units, right[0], color="muted", marker="s", size=5, label="expected"),
            scatter(units, came[0], color="c1", label="yours"),
            xlabel="unit",
            ylabel=f"new {name}, first row",
        )
    )


def _check_coupled(answer: Any) -> str:
    rng = require.rng()
    for trial in range(5):
        N, D, H = (int(v) for v in rng.integers(2, 5, 3))
        N = 1 if trial == 4 else N
        shapes = ((N, D), (N, H), (N, H), (D, 3 * H), (H, 3 * H), (3 * H,))
        given = [rng.normal(size=s) for s in shapes]
        came = require.call(answer, *given)
        if type(came) not in (tuple, list) or len(came) != 2:
            raise Wrong("expected two arrays: return h, c.")
        h = require.array(came[0], "the new h", shape=(N, H))
        c = require.array(came[1], "the new c", shape=(N, H))
        right_h, right_c = _coupled_reference(*given)
        advice = _coupled_advice(h, c, right_h, right_c, given)
        # c first: h is computed from it
        for value, right, name in ((c, right_c, "c"), (h, right_h, "h")):
            picture = _coupled_picture(value, right, name)
            require.close(value, right, what=f"the new {name}", do=advice, figure=picture)
    return "both states are right for five random cells."


def _coupled_advice(
    h: np.ndarray, c: np.ndarray, right_h: np.ndarray, right_c: np.ndarray, given: list[np.ndarray]
) -> str:
    x, old_h, old_c, W, U, b = given
    f, a, o = np.split(x @ W + old_h @ U + b, 3, axis=-1)
    f, o = _logistic(f), _logistic(o)
    advice = (
        (h, right_c, "You returned c, h; the order is h, c."),
        (c, (1 - f) * old_c + f * np.tanh(a), "f keeps the old state, and 1 - f lets in the new."),
        (c, f * old_c + np.tanh(a), "The candidate is let in by the gate 1 - f."),
        (c, f * old_c + (1 - f) * a, "The candidate goes through tanh."),
        (c, f * old_c + (1 - f) * _logistic(a), "The candidate goes through tanh."),
        (c, _coupled_reference(*given[:5], 0 * b)[1], "The biases are missing from the sums."),
        (c, _coupled_reference(x, 0 * old_h, *given[2:])[1], "h @ U is missing from the sums."),
        (h, o * np.tanh(old_c), "h shows the new state, not the old."),
        (h, o * right_c, "h shows the tanh of the state."),
    )
    near = [words for value, wrong, words in advice if np.allclose(value, wrong, 1e-4, 1e-5)]
    order = "The parts stand one after the other in the order f, a, o along the last axis."
    return (near or [f"{order} Compare your c with f * c + (1 - f) * a first."])[0]


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
