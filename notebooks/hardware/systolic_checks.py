"""The checks of the systolic chapter's exercises; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scene


# --- 1. the front -------------------------------------------------------------------------------
def _busy_reference(R: int, C: int, T: int) -> np.ndarray:
    """Tokens are pushed through the cells: one enters each row i at clocks i to i + T - 1."""
    there, counts = np.zeros((R, C), bool), []
    for t in range(R + C + T - 2):
        there[:, 1:] = there[:, :-1].copy()
        there[:, 0] = [i <= t < i + T for i in range(R)]
        counts.append(int(there.sum()))
    return np.array(counts)


def _busy_picture(came: np.ndarray, wanted: np.ndarray) -> dict:
    t = np.arange(len(wanted))
    return scene(
        panel(
            bar(t, wanted, color="muted", label="expected"),
            plot(t, came, color="c2", label="yours"),
            xlabel="clock",
            ylabel="cells that multiply",
        )
    )


def _check_busy(busy: Any) -> str:
    rng = require.rng()
    for trial in range(12):
        R, C, T = (int(v) for v in rng.integers(2, 9, 3))
        R, C, T = {0: (2, 3, 5), 1: (1, C, T), 2: (R, 1, T), 3: (R, C, 1)}.get(trial, (R, C, T))
        came = require.array(
            require.call(busy, R, C, T),
            "the counts, one per clock",
            shape=(R + C + T - 2,),
            kind="integer",
        )
        wanted = _busy_reference(R, C, T)
        if (came != wanted).any():
            t = int(np.argmax(came != wanted))
            raise Wrong(
                f"for R, C, T = {R}, {C}, {T}: expected {wanted[t]} busy cells at clock {t} (the first is 0), came {came[t]}. "
                "Cell (i, j) starts i + j clocks late and works for T clocks.",
                _busy_picture(came, wanted),
            )
    return "every clock of twelve arrays agrees."


busy = Exercise(
    "systolic-busy",
    "Count the cells that multiply at each clock of the output-stationary array",
    check=_check_busy,
    hints=(
        "At which clock does cell (0, 0) start, and at which does cell (i, j)?",
        "Cell (i, j) multiplies its k-th pair at clock t = i + j + k. It is busy while 0 <= t - i - j < T.",
        "Build the matrix i + j with np.add.outer, and for every t count the entries with 0 <= t - (i + j) < T.",
    ),
)


# --- 2. the smallest batch ----------------------------------------------------------------------
def _use(M: int, K: int, N: int, R: int, C: int) -> float:
    folds = -(-K // R) * -(-N // C)
    return (M * K * N) / (folds * (R + (R + C + M - 2)) * R * C)


def _batch_reference(K: int, N: int, R: int, C: int, target: float) -> int | None:
    if target >= (K * N) / (-(-K // R) * R * -(-N // C) * C):
        return None  # not even an endless batch
    low, high = 0, 1
    while _use(high, K, N, R, C) < target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _use(middle, K, N, R, C) >= target else (middle, high)
    return high


def _batch_picture(K: int, N: int, R: int, C: int, target: float) -> dict:
    M = np.unique(np.geomspace(1, 4096, 50).astype(int))
    use = [100 * _use(int(m), K, N, R, C) for m in M]
    marks = [
        plot(M, use, color="c1", label="utilisation"),
        plot([1, 4096], [100 * target] * 2, color="c2", dash="--", label="target"),
    ]
    return scene(panel(*marks, xlog=True, xlabel="rows M", ylabel="in use, %", ylim=(0, 100)))


def _layer(rng: np.random.Generator, trial: int) -> tuple[int, int, int, int, float]:
    """K, N, R, C and a target: out of reach in every fourth trial, just out of reach in every eighth."""
    K, N = (int(v) for v in rng.integers(3, 300, 2))
    R, C = (int(v) for v in rng.integers(2, 65, 2))
    if trial % 8 == 4:
        return 3 * R, 2 * C, R, C, 1.0  # an endless batch comes as near as one likes
    filled = K * N / (-(-K // R) * R * -(-N // C) * C)
    return K, N, R, C, float(filled * rng.uniform(0.2, 0.97) if trial % 4 else filled + 0.01)


def _check_batch(smallest_batch: Any) -> str:
    rng, none_seen = require.rng(), 0
    for trial in range(24):
        K, N, R, C, target = _layer(rng, trial)
        came = require.call(smallest_batch, K, N, R, C, target, may_be_none=True)
        wanted = _batch_reference(K, N, R, C, target)
        case = f"K, N, R, C, target = {K}, {N}, {R}, {C}, {target:.3f}"
        picture = _batch_picture(K, N, R, C, target)
        rows = None if came is None else require.integer(came, "the number of rows")
        if wanted is None or rows is None:
            none_seen += wanted is None
            if wanted is not rows:
                said = "None: no batch reaches that" if wanted is None else f"{wanted} rows"
                raise Wrong(f"for {case}: expected {said}, came {rows}.", picture)
            continue
        if rows != wanted:
            raise Wrong(
                f"for {case}: expected {wanted} rows, came {rows}. With {wanted} rows "
                f"{_use(wanted, K, N, R, C):.4f} are in use, with one row less {_use(wanted - 1, K, N, R, C):.4f}.",
                picture,
            )
    return f"24 layers agree, {none_seen} of them out of reach."


smallest_batch = Exercise(
    "systolic-batch",
    "Return the smallest number of rows that reaches a utilisation",
    check=_check_batch,
    hints=(
        "With M rows the layer takes (2R + C + M − 2) clocks per fold. Which part of that does not grow with M?",
        "For an endless batch the utilisation is K·N over the cells of all folds. If that is not above the target, return None.",
        "Start at M = 1 and raise M until utilisation(M, K, N, R, C, 'weight') >= target; or solve the inequality for M.",
    ),
)


# --- 3. hide the loading ------------------------------------------------------------------------
def _double_reference(folds: int, R: int, C: int, T: int) -> int:
    """Event by event: the loader and the input stream, each with its own clock."""
    loaded = stream_free = entered = 0
    for _ in range(folds):
        loaded = max(loaded, entered) + R  # the spare registers are free once the last block began
        entered = max(loaded, stream_free)  # first input of this block
        stream_free = entered + T
    return stream_free + R + C - 2


def _check_double(double_buffered: Any) -> str:
    rng = require.rng()
    for trial in range(20):
        folds, R, C = (int(v) for v in rng.integers(1, 9, 3))
        T = int(rng.integers(1, R + 1) if trial % 2 else rng.integers(R, 60))
        came = require.integer(require.call(double_buffered, folds, R, C, T), "the clocks")
        wanted = _double_reference(folds, R, C, T)
        if came != wanted:
            slow = folds * (2 * R + C + T - 2)
            raise Wrong(
                f"for {folds} blocks on {R} × {C} cells with T = {T}: expected {wanted} clocks, came {came}; "
                f"without the second register it is {slow}. Which is longer here, loading ({R}) or streaming ({T})? After the last block nothing is loaded.",
                _double_picture(folds, R, C, T),
            )
    return "20 schedules agree with a simulation of both registers."


def _double_picture(folds: int, R: int, C: int, T: int) -> dict:
    marks, loaded, stream_free, entered = [], 0, 0, 0
    for _ in range(folds):
        begin = max(loaded, entered)
        loaded = begin + R
        marks.append(plot([begin + 0.1, loaded - 0.1], [0, 0], color="c2", width=12))
        entered = max(loaded, stream_free)
        stream_free = entered + T
        marks.append(plot([entered + 0.1, stream_free - 0.1], [1, 1], color="c1", width=12))
    names = {0: "load", 1: "stream"}
    return scene(
        panel(*marks, xlabel="clock", yticks=names, ylim=(1.6, -0.6), xlim=(0, stream_free + R + C))
    )


double_buffered = Exercise(
    "systolic-double",
    "Return the clocks of a weight-stationary array that loads the next block while it works",
    check=_check_double,
    hints=(
        "Write down one block alone first: R clocks of loading, then R + C + T − 2.",
        "Each further block begins max(T, R) clocks after the one before.",
        "R + (folds − 1) · max(T, R) + (R + C + T − 2).",
    ),
)


# --- 4. which technology ------------------------------------------------------------------------
def _options(rng: np.random.Generator) -> tuple[dict, list]:
    n = int(rng.integers(2, 5))
    names = [str(name) for name in rng.permutation(["gates", "cells", "tables", "custom"])[:n]]
    fixed, unit = rng.uniform(1e3, 1e6, n), rng.uniform(1, 90, n)
    options = {name: (float(f), float(u)) for name, f, u in zip(names, fixed, unit, strict=True)}
    return options, [float(v) for v in np.geomspace(10, 1e6, 13) * rng.uniform(0.7, 1.4)]


def _kind(names: Any) -> str:
    many = f" of length {len(names)}" if type(names) in (list, tuple) else ""
    return f"a {type(names).__name__}{many}"


def _check_cheapest(cheapest: Any) -> str:
    for _ in range(12):
        options, volumes = _options(require.rng())
        came = require.call(cheapest, options, volumes)
        names = came.tolist() if type(came) is np.ndarray else came
        if type(names) not in (list, tuple) or len(names) != len(volumes):
            raise Wrong(
                f"expected a list of {len(volumes)} names, one per volume, came {_kind(names)}."
            )
        for volume, name in zip(volumes, names, strict=True):
            plain = name.item() if type(name) is np.str_ else name
            word = require.text(plain, "the name", among=list(options))
            total = {n: f + volume * u for n, (f, u) in options.items()}
            best = sorted(total, key=total.__getitem__)[0]
            if word != best:
                raise Wrong(
                    f"for {volume:,.0f} pieces: expected {best!r}, whose pieces cost {total[best] / volume:,.2f} each, "
                    f"came {word!r} at {total[word] / volume:,.2f}. Add the share of the fixed cost to each piece.",
                    _cheapest_picture(options, volumes),
                )
    return "the cheapest is found at every volume of twelve price lists."


def _cheapest_picture(options: dict, volumes: list) -> dict:
    lines = [
        plot(volumes, [f / v + u for v in volumes], color=color, dash=dash, label=name)
        for (name, (f, u)), color, dash in zip(
            options.items(), ("c1", "c2", "c3", "c4"), (None, "--", ":", "-."), strict=False
        )
    ]
    return scene(panel(*lines, xlog=True, ylog=True, xlabel="pieces", ylabel="cost of one piece"))


cheapest = Exercise(
    "systolic-cheapest",
    "Return the name of the cheapest option at each volume",
    check=_check_cheapest,
    hints=(
        "What does one piece cost when V pieces share the fixed cost?",
        "Comparing fixed + V · unit gives the same winner as comparing fixed / V + unit.",
        "[min(options, key=lambda n: options[n][0] + v * options[n][1]) for v in volumes]",
    ),
)
