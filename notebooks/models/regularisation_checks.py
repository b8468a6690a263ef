"""The checks of the regularisation chapter's exercises; the notebook imports this file as `exercises`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, imshow, panel, plot, scatter, scene


def _near(came: float, value: float, tolerance: float) -> bool:
    return bool(np.abs(came - value) <= tolerance * (1 + np.abs(value)))


# --- 1. the variance of a sum under dropout ---------------------------------------------------
P, INPUTS, WEIGHTS = 0.2, np.array([2.0, 1.0, 1.0]), np.array([1.0, -2.0, 3.0])


def _all_sums(p: float, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every sum under dropout (2^n,) and its probability (2^n,)."""
    kept = np.array(list(np.ndindex(*[2] * len(terms))))  # (2^n, n)
    chance = np.prod(np.where(kept == 1, 1 - p, p), 1)
    return kept @ terms / (1 - p), chance


def _sums_picture() -> dict:
    sums, chance = _all_sums(P, INPUTS * WEIGHTS)
    order = np.argsort(sums)
    about = {"xlabel": "the sum", "ylabel": "probability"}
    return scene(panel(bar(sums[order], chance[order], width=0.3), title="all eight sums", **about))


def _check_spread(answer: Any) -> str:
    came = require.number(answer, "the variance")
    sums, chance = _all_sums(P, INPUTS * WEIGHTS)
    want = float(chance @ (sums - chance @ sums) ** 2)
    if not _near(came, want, 1e-6):
        raise Wrong(f"{came:.4g} is not it. {_spread_advice(came, want)}", _sums_picture())
    return "it equals the variance of all eight sums, each weighted by its probability."


def _spread_advice(came: float, want: float) -> str:
    terms, noise = INPUTS * WEIGHTS, P / (1 - P)
    squares = float(terms @ terms)
    advice = (
        (
            P * (1 - P) * squares,
            "Without the scaling; 1 / (1 − p) multiplies a variance by its square.",
        ),
        (P * squares, "You divided by 1 − p once; a factor on m goes into the variance squared."),
        (want**0.5, "That is the standard deviation; the variance is its square."),
        (
            want + terms.sum() ** 2,
            "That is the mean of the square; take off the square of the mean.",
        ),
        (
            noise * terms.sum() ** 2,
            "You squared the sum. The masks are independent: add the squares.",
        ),
        (noise * WEIGHTS @ WEIGHTS, "The inputs are missing: the terms are w·h."),
        (noise * INPUTS @ INPUTS, "The weights are missing: the terms are w·h."),
        (squares / noise, "You took p as the probability of keeping; here it is that of dropping."),
    )
    near = [words for value, words in advice if _near(came, value, 1e-4)]
    if not near and _near(came, want, 0.05):
        return "It is near, but not exact. Two decimals are enough for the exact value."
    return (near or ["What is the variance of m / (1 − p) alone? Then add up w²h² times that."])[0]


spread = Exercise(
    "regularisation-spread",
    "Give the variance of the sum under dropout",
    check=_check_spread,
    hints=(
        "The masks are independent, so the variances of the three terms add up.",
        "m is 1 with probability 1 − p, so its variance is p (1 − p); divided by (1 − p) it has p / (1 − p).",
        "p / (1 − p) = 0.25, times (2·1)² + (1·2)² + (1·3)².",
    ),
    answer="value",
)


# --- 2. dropping whole maps -------------------------------------------------------------------
def _maps_picture(ratio: np.ndarray, p: float) -> dict:
    """The first image's maps as factors on the input: 0 dropped, 1 / (1 - p) kept."""
    top = 1.2 / (1 - p)
    return scene(
        *(
            panel(imshow(z, lim=(0, top)), title=f"map {k}: factor", axes=False, size=(150, 150))
            for k, z in enumerate(ratio[0][:4])
        )
    )


def _check_maps(fn: Callable) -> str:
    rng = require.rng()
    h = rng.uniform(1, 2, (3, 5, 6, 7)) * rng.choice([-1, 1], (3, 5, 6, 7))
    out = require.array(require.call(fn, h, 0.4, False, np.random.default_rng(0)), shape=h.shape)
    times = (out / h).flat[np.abs(out / h - 1).argmax()]
    if np.abs(times - 1) > 1e-6:
        raise Wrong(f"with training=False a number came back times {times:.3g}; return h as it is.")
    p = float(rng.choice([0.2, 0.35, 0.6]))
    h = rng.uniform(1, 2, (200, 10, 2, 3)) * rng.choice([-1, 1], (200, 10, 2, 3))
    out = require.call(fn, h, p, True, np.random.default_rng(rng.integers(2**32)))
    factors = require.array(out, "the maps", shape=h.shape) / h
    _check_factors(factors, p)
    _check_independence(factors[:, :, 0, 0] != 0, p)
    _check_generator(fn, h[:20], p, np.random.default_rng(rng.integers(2**32)))
    return "whole maps, scaled, independent of each other, and nothing at test time."


def _check_generator(fn: Callable, h: np.ndarray, p: float, generator: np.random.Generator) -> None:
    """New maps in every call, and the same again from a generator in the same state."""

    def twice(h: np.ndarray, p: float, training: bool, rng: np.random.Generator) -> tuple:
        return fn(h, p, training, rng), fn(h, p, training, rng)

    one, two = require.call(twice, h, p, True, generator)
    one, two = (require.array(out, "the maps", shape=h.shape) != 0 for out in (one, two))
    if np.array_equal(one, two):
        raise Wrong("two calls in a row dropped the same maps; draw a new mask from rng in each.")
    again = require.call(fn, h, p, True, generator)  # gets a copy, in the state of before
    if not np.array_equal(one, require.array(again, "the maps", shape=h.shape) != 0):
        raise Wrong(
            "two generators in the same state dropped different maps; draw from the rng that is passed in, "
            "or a run cannot be repeated."
        )


def _check_factors(ratio: np.ndarray, p: float) -> None:
    """Factors (N, C, H, W): one number for each map, 0 or 1 / (1 - p), in the right shares."""
    if np.ptp(ratio, (2, 3)).max() > 1e-5:
        raise Wrong(
            "within one map some entries were dropped and others kept. The mask needs shape (N, C, 1, 1).",
            _maps_picture(ratio, p),
        )
    factor, keep = ratio[:, :, 0, 0], 1 / (1 - p)
    kept = np.abs(factor) > 1e-9
    if kept.all() or not kept.any():
        raise Wrong(f"with p = {p:g} all maps were {'kept' if kept.all() else 'dropped'}.")
    if np.abs(factor[kept] - keep).max() > 1e-4:
        raise Wrong(
            f"kept maps came back times {factor[kept][0]:.3g}; for p = {p:g} they need 1 / (1 − p) = {keep:.3g}.",
            _maps_picture(ratio, p),
        )
    if any((kept.all(axis) | ~kept.any(axis)).all() for axis in (0, 1)):
        raise Wrong(
            "all images, or all maps of an image, shared one fate; draw N × C independent numbers.",
            _maps_picture(ratio, p),
        )
    share, sigma = 1 - kept.mean(), (p * (1 - p) / kept.size) ** 0.5
    if np.abs(share - p) > 6 * sigma:
        raise Wrong(f"a share of {share:.3f} of the maps was dropped; expected about p = {p:g}.")


def _check_independence(kept: np.ndarray, p: float) -> None:
    """Fates (N, C): no two at any distance alike or opposed, and the number in an image is binomial."""
    z = (kept - (1 - p)) / (p * (1 - p)) ** 0.5
    alike = np.fft.ifft2(np.abs(np.fft.fft2(z)) ** 2).real / z.size  # correlation at each shift
    n, c = np.unravel_index(np.argmax(np.abs(alike.flat[1:])) + 1, alike.shape)
    if np.abs(alike[n, c]) > 0.2:  # of 2000 pairs: nine standard deviations
        raise Wrong(
            f"fates {n} images and {c} maps apart are correlated, by {alike[n, c]:.2f}; draw N × C independent numbers."
        )
    counts = kept.sum(1)
    ratio = counts.var() / (kept.shape[1] * p * (1 - p))
    if not 0.5 < ratio < 1.7:
        raise Wrong(
            f"each image kept {counts.min()} to {counts.max()} of its {kept.shape[1]} maps, with {ratio:.2f} of the "
            "variance that independent fates have. Draw each map on its own; their number then varies by itself."
        )


maps = Exercise(
    "regularisation-maps",
    "Drop whole feature maps",
    check=_check_maps,
    hints=(
        "One random number for each map of each image decides its fate.",
        "A mask of shape (N, C, 1, 1) stretches over height and width when multiplied.",
        "kept = rng.random((*h.shape[:2], 1, 1)) >= p, then h * kept / (1 - p).",
    ),
)


# --- 3. all thinned nets ----------------------------------------------------------------------
def _mean_over_masks(h: np.ndarray, W: np.ndarray, v: np.ndarray, p: float) -> float:
    kept = np.array(list(np.ndindex(*[2] * len(h))))
    chance = np.prod(np.where(kept == 1, 1 - p, p), 1)
    return float(chance @ (np.maximum(kept * h / (1 - p) @ W, 0) @ v))


def _outputs_picture(h: np.ndarray, W: np.ndarray, v: np.ndarray, p: float, came: float) -> dict:
    kept = np.array(list(np.ndindex(*[2] * len(h))))
    out = np.sort(np.maximum(kept * h / (1 - p) @ W, 0) @ v)
    x = np.arange(len(out))
    return scene(
        panel(
            scatter(x, out, size=2.5, label="output of each thinned net"),
            plot([0, len(out)], [came] * 2, color="c2", dash="6 4", label="your mean"),
            xlabel="thinned net, sorted",
            ylabel="output",
        )
    )


def _check_thinned(fn: Callable) -> str:
    rng = require.rng()
    for p in (0.5, 0.2, 0.7):
        n, k = rng.integers(3, 9), rng.integers(2, 5)
        h, W, v = rng.normal(size=n), rng.normal(size=(n, k)), rng.normal(size=k)
        came = require.number(require.call(fn, h, W, v, p), "the mean")
        want = _mean_over_masks(h, W, v, p)
        if not _near(came, want, 1e-5):
            advice = _thinned_advice(came, h, W, v, p)
            raise Wrong(
                f"for n = {n} and p = {p:g} expected {want:.5f}, came {came:.5f}. {advice}",
                _outputs_picture(h, W, v, p, came),
            )
    return "exact for three nets, with likely and unlikely masks."


def _thinned_advice(came: float, h: np.ndarray, W: np.ndarray, v: np.ndarray, p: float) -> str:
    kept = np.array(list(np.ndindex(*[2] * len(h))))
    out = np.maximum(kept * h / (1 - p) @ W, 0) @ v
    chance = np.prod(np.where(kept == 1, p, 1 - p), 1)
    advice = (
        (
            np.maximum(h @ W, 0) @ v,
            "That is the net at test time; the mean over the masks differs.",
        ),
        (out.mean(), "You gave all masks equal weight; multiply by the probability of each."),
        (
            chance @ out,
            "Dropping has probability p and keeping 1 − p; you have them the other way.",
        ),
        (_mean_over_masks(h, W, v, p) * (1 - p), "Scale kept units by 1 / (1 − p)."),
        (h @ W @ v, "The relu is missing: without it the mean is that of the net at test time."),
        (
            _mean_over_masks(h, (W @ v)[:, None], np.ones(1), p),
            "The relu belongs before v: first u, then relu, then v.",
        ),
        (out.sum(), "Multiply each output by the probability of its mask before you add up."),
    )
    near = [words for value, words in advice if _near(came, value, 1e-5)]
    return (
        near[0]
        if near
        else "Sum probability times output over all 2^n masks; a sample is not exact."
    )


thinned = Exercise(
    "regularisation-thinned",
    "Average the output over all thinned nets",
    check=_check_thinned,
    hints=(
        "itertools.product((0, 1), repeat=n) goes through all masks.",
        "A mask with k kept units out of n has probability (1 − p)^k p^(n − k).",
        "Add up chance * (np.maximum((mask * h / (1 - p)) @ W, 0) @ v).",
    ),
)


# --- 4. early stopping ------------------------------------------------------------------------
def _early_stop(errors: list[float], patience: int) -> tuple[int, int]:
    best = 0
    for epoch in range(len(errors)):
        best = epoch if errors[epoch] < errors[best] else best
        if epoch - best == patience:
            return best, epoch
    return best, len(errors) - 1


def _stop_picture(errors: list[float], came: tuple[int, int], want: tuple[int, int]) -> dict:
    epochs, top = np.arange(len(errors)), max(errors) * 1.1
    lines = [
        plot([e, e], [0, top], color=color, dash=dash, label=label)
        for pair, color, names in ((want, "c1", ("best", "stop")), (came, "c2", ("yours", None)))
        for e, dash, label in zip(pair, ("6 4", "2 3"), names, strict=True)
    ]
    return scene(
        panel(
            plot(epochs, errors, color="muted"),
            scatter(epochs, errors, color="fg"),
            *lines,
            xlabel="epoch",
            ylabel="validation error",
            size=(480, 300),
        )
    )


def _case(rng: np.random.Generator, k: int) -> tuple[list[float], int]:
    kind, patience, n = k % 5, int(rng.integers(1, 5)), int(rng.integers(8, 25))
    if kind == 4:  # not longer than patience, and the last is not the best: one epoch, then 3 or 4
        patience, n = 4, int(rng.integers(3, 5)) if k > 4 else 1
    errors = np.abs(np.linspace(-1, 0.6, n)) + 0.3 * rng.random(n)
    if kind == 1:  # equal errors do not count as better
        errors = np.round(errors, 1)
    if kind == 2:  # always better: patience never runs out
        errors = np.sort(errors)[::-1]
    if kind == 3:  # only worse
        errors = np.sort(errors)
    return [float(e) for e in errors * 10.0 ** rng.integers(-3, 4)], patience


def _check_stop(fn: Callable) -> str:
    rng = require.rng()
    for k in range(25):
        errors, patience = _case(rng, k)
        pair = require.array(require.call(fn, errors, patience), "(best, stopped)", shape=(2,))
        want = _early_stop(errors, patience)
        given = f"for a list of length {len(errors)} and patience {patience} expected {want}, came "
        if not np.all(np.isin(pair, np.arange(len(errors)))):
            raise Wrong(f"{given}({pair[0]:g}, {pair[1]:g}). {_range_advice(pair, want, errors)}")
        came = (int(pair[0]), int(pair[1]))
        if came != want:
            advice = _stop_advice(came, want, errors, patience)
            raise Wrong(f"{given}{came}. {advice}", _stop_picture(errors, came, want))
    return "right on 25 runs: noisy, with ties, only better, only worse, and shorter than patience."


def _range_advice(pair: np.ndarray, want: tuple[int, int], errors: list[float]) -> str:
    last = len(errors) - 1
    if np.array_equal(pair, np.add(want, 1)):
        return "Count epochs from 0, as enumerate does."
    if pair[0] == want[0] and pair[1] == last + 1:
        return f"If patience never runs out, the last epoch run is {last}; counting starts at 0."
    if pair[0] == errors[want[0]]:
        return "That is the smallest error; return the epoch at which it came."
    return f"Both are epochs, whole numbers from 0 to {last}."


def _stop_advice(
    came: tuple[int, int], want: tuple[int, int], errors: list[float], patience: int
) -> str:
    if came == (want[0] + 1, want[1] + 1):
        return "Count epochs from 0, as enumerate does."
    if came == want[::-1]:
        return "The order is (best, stopped)."
    if came[0] == int(np.argmin(errors)) and came[0] > want[1]:
        return "The best epoch lies after the stop: training was over by then and never saw it."
    if came[0] != want[0] and errors[came[0]] == errors[want[0]]:
        return "An equal error does not beat the best so far; keep the first."
    if came[0] == want[0] and came[1] == want[1] + 1:
        return "One epoch too many: stop as soon as `patience` epochs have failed."
    if came[0] == want[0]:
        return (
            "The best is right. Count the epochs since the best one, and reset at every new best."
        )
    if came[0] == came[1] == want[1]:
        return "The epoch at which training ends is not the best one; keep the best so far."
    return "Compare with the best so far, however small the gain, and start from the first error."


stop = Exercise(
    "regularisation-stop",
    "Find the epoch to keep and the epoch at which training stops",
    check=_check_stop,
    hints=(
        "Go through the epochs in order and remember only the best one so far.",
        "epoch − best is the number of epochs that have failed since.",
        "if errors[epoch] < errors[best]: best = epoch; if epoch - best >= patience: return best, epoch.",
    ),
)
