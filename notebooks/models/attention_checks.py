"""The checks of the attention chapter's exercises; the notebook imports this file as `exercises`."""

import tracemalloc
from collections.abc import Callable
from tracemalloc import get_traced_memory  # by name: an answer could replace the module's
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import imshow, panel, plot, scene


def _picture(wanted: np.ndarray, came: np.ndarray, title: str) -> dict[str, Any]:
    """Two arrays (T, T) side by side, on one scale."""
    panels = [
        panel(imshow(a.astype(float), lim=(-1, 1), cmap="diverging"), title=t, size=(220, 220))
        for a, t in ((came, f"your {title}"), (wanted, "expected"))
    ]
    return scene(*panels)


# --- 1. the size of the cache ---------------------------------------------------------------------
LAYERS, WIDTH, READ = 12, 768, 1024


def _check_cache(answer: Any) -> str:
    came = require.integer(answer, "the size of the cache")
    wanted = LAYERS * READ * (WIDTH + WIDTH)
    if came == wanted:
        return f"{came:,} numbers: a key and a value for each letter, in each layer."
    ratio = came / wanted
    slips = {
        1 / READ: "That is one letter; every letter read is kept.",
        1.5: "The query is used once and forgotten; only keys and values are kept.",
        4.0: "The question is for numbers, not for bytes.",
        0.5: "You counted keys or values; both are kept.",
        12.0: "The heads divide the 768 numbers among them; they do not multiply them.",
        1 / 12: "That is one layer or one head; every layer keeps its own, all heads together.",
    }
    near = next((s for r, s in slips.items() if abs(ratio / r - 1) < 1e-9), None)
    do = near or "Count for one letter in one layer first, then multiply."
    raise Wrong(f"expected another number, came {came:,}. {do}")


cache = Exercise(
    "attention-cache",
    "Count the numbers in the key–value cache",
    check=_check_cache,
    hints=(
        "What does one layer keep of one letter?",
        "A key and a value, each as wide as all heads together.",
        "Multiply: 2 × 768 numbers, 1 024 letters, 12 layers.",
    ),
    answer="value",
)


# --- 2. a window ------------------------------------------------------------------------------------
def _window_reference(T: int, w: int) -> np.ndarray:
    return np.array([[not (i - w < j <= i) for j in range(T)] for i in range(T)])


def _check_window(window: Any) -> str:
    rng = require.rng()
    T = int(rng.integers(5, 14))
    sizes = [(1, 1), (T, 1), (T, T), (T, T + 3)]
    sizes += [(n, int(rng.integers(1, n))) for n in rng.integers(2, 14, 6).tolist()]
    for T, w in sizes:
        raw = require.call(window, T, w)
        came = require.array(raw, "your mask", shape=(T, T), kind="bool")
        wanted = _window_reference(T, w)
        if (came != wanted).any():
            i, j = (int(k) for k in np.argwhere(came != wanted)[0])
            verb = "must not look" if wanted[i, j] else "should look"
            raise Wrong(
                f"for T = {T} and w = {w}, position {i} {verb} at position {j}; yours says the opposite. "
                "True hides; a position sees itself and the w − 1 before it.",
                _picture(wanted, came, "mask"),
            )
    return "ten masks are right, a window longer than the text among them."


window = Exercise(
    "attention-window",
    "Write the mask of a causal window",
    check=_check_window,
    hints=(
        "How far does j lie behind i? np.arange(T)[:, None] - np.arange(T) holds all the distances.",
        "A negative distance is the future. Which distances are too far?",
        "Hide where the distance is below 0, or w and more.",
    ),
)


# --- 3. the letter before ---------------------------------------------------------------------------
def _waves_reference(times: np.ndarray, D: int) -> np.ndarray:
    out = np.empty((len(times), D))
    for pair in range(D // 2):
        angle = times / 10_000 ** (2 * pair / D)
        out[:, 2 * pair], out[:, 2 * pair + 1] = np.sin(angle), np.cos(angle)
    return out


def _check_previous(previous: Any) -> str:
    rng = require.rng()
    for D in (2, 4, 2 * int(rng.integers(3, 12))):
        M = require.array(require.call(previous, D), "M", shape=(D, D))
        times = rng.integers(1, 500, 50).astype(float)
        came, wanted = _waves_reference(times, D) @ M, _waves_reference(times - 1, D)
        order = np.argsort(times)
        n = int(np.abs(came - wanted).max(0).argmax())  # the wave that is furthest off
        curves = panel(
            plot(times[order], came[order, n], color="c2", label="your p M"),
            plot(times[order], wanted[order, n], color="c1", dash="4 3", label="one step earlier"),
            xlabel="time t",
            ylabel=f"wave {n} of {D}",
        )
        require.close(
            came,
            wanted,
            what=f"p M for D = {D} at 50 random times",
            do="Each pair turns by its own angle, backwards in time: use sin(a − b) and cos(a − b).",
            figure=scene(curves),
        )
    return "it turns every clock back by one, at any time."


previous = Exercise(
    "attention-previous",
    "Give the matrix that turns the waves back by one position",
    check=_check_previous,
    hints=(
        "M has blocks of 2 × 2 on its diagonal, one per pair. Everything else is zero.",
        "sin(a − b) = sin a cos b − cos a sin b, and cos(a − b) = cos a cos b + sin a sin b.",
        "With c = cos ω and s = sin ω the block is [[c, s], [−s, c]], since p stands on the left.",
    ),
)


# --- 4. attention without the square ----------------------------------------------------------------
LONG, LIMIT = 2000, 6e6  # letters; bytes, where one array of LONG × LONG numbers takes 32e6


def _linear_reference(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    weights = np.tril(q @ k.T)  # (T, T)
    return weights @ v / weights.sum(1, keepdims=True)


def _linear_inputs(rng: np.random.Generator, T: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    d, e = (int(n) for n in rng.permutation(np.arange(1, 6))[:2])
    return rng.uniform(0.1, 1, (T, d)), rng.uniform(0.1, 1, (T, d)), rng.normal(size=(T, e))


class _Largest(TorchFunctionMode):
    """Notes the bytes of the largest tensor made; tracemalloc does not see the memory of torch."""

    peak = 0

    def __torch_function__(
        self, operation: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        result = operation(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.peak = max(self.peak, result.untyped_storage().nbytes())
        return result


def _hands_off(*_: Any) -> None:
    raise Wrong("the check measures with tracemalloc; expected an answer that leaves it alone.")


def _measured(linear: Callable, args: tuple) -> tuple[Any, int]:
    """What the answer returns, and the most bytes that it held in NumPy or in one tensor."""
    traced_before = tracemalloc.is_tracing()
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = get_traced_memory()[0]
    names = ("stop", "clear_traces", "reset_peak")
    try:
        with patch.multiple(tracemalloc, **dict.fromkeys(names, _hands_off)), _Largest() as largest:
            raw = require.call(linear, *args)
        return raw, max(get_traced_memory()[1] - before, largest.peak)
    finally:
        if not traced_before:
            tracemalloc.stop()


def _check_linear(linear: Any) -> str:
    rng = require.rng()
    for T in (1, 2, int(rng.integers(5, 30)), LONG):
        args = _linear_inputs(rng, T)
        raw, peak = _measured(linear, args)
        came = require.array(raw, "y", shape=(T, args[2].shape[1]), finite=False)
        if not np.isfinite(came).all():
            t = int(np.argmin(np.isfinite(came).all(1)))
            raise Wrong(
                f"y for {T} letters: expected finite numbers, came {came[t]} at position {t}. "
                "Is the denominator 0 there? Both sums run up to and with t."
            )
        wanted = _linear_reference(*args)
        steps = np.arange(min(T, 30))
        curves = panel(
            plot(steps, came[:30, 0], color="c2", label="yours"),
            plot(steps, wanted[:30, 0], color="c1", dash="4 3", label="expected"),
            xlabel="position t",
            ylabel="first number of y",
        )
        require.close(
            came,
            wanted,
            what=f"y for {T} letters",
            do="Sum keys times values, and keys alone, over all positions up to and with t.",
            figure=scene(curves),
        )
        if T == LONG and peak > LIMIT:  # a short text's peak may be an import inside the answer
            raise Wrong(
                f"the numbers are right, but for {T} letters it used {peak / 1e6:.0f} million bytes; expected less "
                f"than {LIMIT / 1e6:.0f} million. Keep a running sum of k vᵀ and never compare all pairs."
            )
    return f"the sums are right, and {LONG} letters fit into little memory."


linear = Exercise(
    "attention-linear",
    "Write causal attention without softmax in memory that does not grow with the square of the length",
    check=_check_linear,
    hints=(
        "Take q_t out of both sums. What is left does not depend on q.",
        "Keep S = Σ k_s v_sᵀ, a (d, e) array, and z = Σ k_s. Add to both at each step.",
        "Then y_t = q_t S / (q_t · z).",
    ),
)
