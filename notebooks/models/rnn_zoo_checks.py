"""Checks of the chapter on the relatives of the recurrent network."""

from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scene

# --- 1. how often does a clock tick? ---------------------------------------------------------------
FIXED_CLOCKS = (([1, 2, 4, 8, 16], 320), ([3], 7), ([4], 4), ([5], 1), ([2, 2], 5), ([7, 10], 3))


def _ticks(periods: list[int], T: int) -> int:
    return sum(t % p == 0 for p in periods for t in range(T))


def _ticks_picture(periods: list[int], T: int) -> dict:
    counts = [_ticks([p], T) for p in periods]
    ticks = {i: f"period {p}" for i, p in enumerate(periods)}
    title = f"updates in the steps 0 to {T - 1}"
    return scene(
        panel(bar(range(len(periods)), counts), title=title, ylabel="updates", xticks=ticks)
    )


def _check_ticks(answer: Any) -> str:
    rng = require.rng()
    drawn = [
        ([int(p) for p in rng.integers(1, 20, 4)], int(rng.integers(30, 200))) for _ in range(5)
    ]
    for periods, T in (*FIXED_CLOCKS, *drawn):
        came = require.integer(
            require.call(answer, list(periods), T), "your count", "Updates are whole."
        )
        wanted = _ticks(periods, T)
        if came != wanted:
            raise Wrong(
                f"periods {periods}, T = {T}: expected {wanted} updates, came {came}. "
                f"{_ticks_advice(periods, T, came)}",
                _ticks_picture(periods, T),
            )
    return "right for clocks that divide T and for those that do not."


def _ticks_advice(periods: list[int], T: int, came: int) -> str:
    if came == sum(T // p for p in periods):
        return "Step 0 counts as well: a clock of period 3 ticks three times in the steps 0 to 6."
    if came == sum(T // p + 1 for p in periods):
        return "The step T itself is no longer among them: look at a period that divides T."
    return "Write down the steps at which the first group moves, and count them."


ticks = Exercise(
    "zoo-ticks",
    "Count the group updates of a clockwork network in T steps",
    check=_check_ticks,
    hints=(
        "Take one group first. With period 3 and T = 7 it moves at steps 0, 3 and 6.",
        "The last tick is the largest multiple of p that is at most T - 1, so there are (T - 1) // p + 1 of them.",
        "Sum (T + p - 1) // p over the periods.",
    ),
)


# --- 2. backwards, but not the padding -------------------------------------------------------------
PADDING = -9.0  # easy to see, and not zero


def _reversed(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Number by number."""
    out = np.empty_like(x)
    for t in range(len(x)):
        for n, length in enumerate(lengths):
            out[t, n] = x[length - 1 - t, n] if t < length else x[t, n]
    return out


def _reversed_picture(x: np.ndarray, came: np.ndarray, right: np.ndarray, n: int) -> dict:
    steps = np.arange(len(x))
    return scene(
        panel(
            plot(steps, x[:, n, 0], color="muted", label="given"),
            plot(steps, right[:, n, 0], color="c1", label="expected"),
            plot(steps, came[:, n, 0], color="c2", dash="4 3", label="yours"),
            title=f"sequence {n}",
            xlabel="step",
            ylabel="first number",
        )
    )


def _check_reversed(answer: Any) -> str:
    rng = require.rng()
    for T, N, D in ((6, 4, 2), (5, 3, 1), (7, 5, 3)):
        lengths = rng.permutation([T, 1, *rng.integers(2, T, N - 2)])
        x = rng.normal(size=(T, N, D))
        x[np.arange(T)[:, None] >= lengths] = PADDING
        came = require.array(require.call(answer, x, lengths), "the reversed batch", shape=x.shape)
        right = _reversed(x, lengths)
        wrong = np.abs(came - right).max((0, 2)) > 1e-6  # single precision will do
        if wrong.any():
            n = int(np.argmax(wrong))
            raise Wrong(
                f"sequence {n} of length {lengths[n]}, padded to {T}: expected its rows turned round, came others. "
                f"{_reversed_advice(x, lengths, came)}",
                _reversed_picture(x, came, right, n),
            )
    return "every sequence is turned round by itself, and the padding stays behind."


def _reversed_advice(x: np.ndarray, lengths: np.ndarray, came: np.ndarray) -> str:
    if np.allclose(came, x[::-1]):
        return "You turned the padding to the front; only the first lengths[n] rows of column n may move."
    if np.allclose(came, x[:, ::-1]):
        return "You turned the batch round; the steps are the first axis."
    if np.allclose(came, x):
        return "Nothing has moved."
    if np.allclose(came, np.where(_reversed(x, lengths) == PADDING, 0, _reversed(x, lengths))):
        return f"The padding need not be zero, here it is {PADDING:g}: start from a copy of x."
    return "Look at one column: its first row must be the old row lengths[n] - 1, and the padding must stay."


reversed_rows = Exercise(
    "zoo-reversed-rows",
    "Reverse every sequence of a padded batch, but not its padding",
    check=_check_reversed,
    hints=(
        "Start from a copy of x, so that the padding is already in its place.",
        "Column n of a batch is x[:, n]; its real part is x[: lengths[n], n].",
        "For every n: out[:length, n] = x[:length, n][::-1].",
    ),
)


# --- 3. a unitary network without complex numbers ----------------------------------------------------
def _check_real(answer: Any) -> str:
    rng = require.rng()
    for n in (1, 2, 3, 5):
        M = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
        h = rng.normal(size=n) + 1j * rng.normal(size=n)
        came = require.array(require.call(answer, M), "the real matrix", shape=(2 * n, 2 * n))
        z = [sum(h[j] * M[j, k] for j in range(n)) for k in range(n)]
        wanted = np.array([v.real for v in z] + [v.imag for v in z])
        row = np.r_[h.real, h.imag]
        require.close(
            row @ came,
            wanted,
            what="a row of 2n numbers times your matrix",
            do=_real_advice(came, M, row),
            figure=_real_picture(row @ came, wanted),
        )
    return (
        "the same for every state. If M is unitary, yours is orthogonal: lengths are kept in both."
    )


def _real_picture(came: np.ndarray, wanted: np.ndarray) -> dict:
    at = np.arange(len(came))
    return scene(
        panel(
            bar(at - 0.2, wanted, color="muted", label="expected", width=0.35),
            bar(at + 0.2, came, color="c2", label="yours", width=0.35),
            xlabel="place: first the real parts, then the imaginary ones",
            ylabel="new state",
        )
    )


def _real_advice(came: np.ndarray, M: np.ndarray, row: np.ndarray) -> str:
    right = np.block([[M.real, M.imag], [-M.imag, M.real]])
    if np.allclose(came, right.T):
        return "Yours acts on columns; here the row stands on the left."
    signs = (
        [[M.real, -M.imag], [M.imag, M.real]],
        [[M.real, M.imag], [M.imag, M.real]],
    )
    if any(np.allclose(came, np.block(blocks)) for blocks in signs):
        return "Check the signs: i times i is -1, so the imaginary part times Im M counts negatively for the real part."
    return "Write (a + ib)(A + iB) and collect what is real and what is imaginary."


real_form = Exercise(
    "zoo-real-form",
    "Turn a complex matrix into the real one that acts on real and imaginary parts",
    check=_check_real,
    hints=(
        "(a + ib)(A + iB) = (aA - bB) + i(aB + bA), with rows a, b on the left.",
        "Four blocks: the upper two act on a, the lower two on b. The left two make the new real part.",
        "np.block([[A, B], [-B, A]]).",
    ),
)


# --- 4. a memory by hand -----------------------------------------------------------------------------
LAG = 5
LATE = np.unique(
    np.geomspace(200, 1e12, 2000).round()
)  # lags at which a slow unit might still speak


def _memory_parts(answer: Any) -> tuple[np.ndarray, np.ndarray]:
    if type(answer) is not dict or set(answer) != {"alpha", "V"}:
        raise Wrong('expected a dictionary with the two keys "alpha" and "V".')
    alpha = require.array(answer["alpha"], "alpha", shape=(None,))
    if not 1 <= len(alpha) <= 6:
        raise Wrong(f"alpha: expected one to six context units, came {len(alpha)}.")
    if not ((alpha >= 0) & (alpha < 1)).all():
        raise Wrong("alpha: expected shares of at least 0 and below 1.")
    return alpha, require.array(answer["V"], "V", shape=(len(alpha),))


def _check_memory(answer: Any) -> str:
    alpha, V = _memory_parts(answer)
    s, y = np.zeros(len(alpha)), []
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(200):
            s = (1 - alpha) * (t == 0) + alpha * s
            y.append(float(s @ V))
    y = np.array(y)
    lags = np.arange(len(y))
    picture = scene(
        panel(
            plot(lags[:80], np.clip(y[:80], -1e6, 1e6), color="c1", label="your response"),
            plot(
                [LAG, LAG],
                [0, float(np.clip(y.max(), -1e6, 1e6))],
                color="c2",
                dash="4 3",
                label="wanted peak",
            ),
            xlabel="lag, steps",
            ylabel="response to a single 1",
        )
    )
    if not np.isfinite(y).all():
        raise Wrong(
            "the response: expected finite numbers, came an overflow. Take smaller weights."
        )
    peak = int(np.argmax(y))
    if y[peak] <= 0 or peak != LAG or (y >= y[LAG]).sum() > 1:
        raise Wrong(
            f"expected the largest response at lag {LAG} alone, came lag {peak}. One unit alone only decays; "
            "subtract a faster unit from a slower one, so that they cancel at lag 0.",
            picture,
        )
    if y[LAG] < 2 * abs(y[0]):
        raise Wrong(
            f"expected at lag {LAG} at least twice the response at lag 0, came {y[LAG]:.3g} and {y[0]:.3g}. "
            "At lag 0 the response is the sum of V (1 - alpha): let its terms cancel.",
            picture,
        )
    if np.abs(y[60:]).max() >= 0.1 * y[LAG]:
        raise Wrong(
            "expected less than 10 % of the peak from lag 60 on, came more. Your slowest unit forgets too slowly.",
            picture,
        )
    late = np.abs((V * (1 - alpha)) @ alpha[:, None] ** LATE)
    if late.max() >= 0.1 * y[LAG]:
        raise Wrong(
            f"expected less than 10 % of the peak from lag 60 on, came a second rise near lag {LATE[late.argmax()]:.0f}. "
            "Your slowest units cancel at first, and then no longer.",
            picture,
        )
    return f"the response rises to lag {LAG} and fades, made of {len(alpha)} units that can only decay."


memory = Exercise(
    "zoo-memory",
    "Build a response that peaks at lag 5 from units that only decay",
    check=_check_memory,
    hints=(
        "Unit i answers with V_i (1 - alpha_i) alpha_i^k at lag k. A difference of two such curves can start at 0, rise and fall.",
        "Make V (1 - alpha) equal to 1 for a slow unit and to -1 for a faster one: the response is a^k - b^k.",
        "a^k - b^k is largest where k = ln(ln b / ln a) / ln(a / b). With a = 0.85, which b puts it at 5? A little below 0.8.",
    ),
    answer="value",
)
