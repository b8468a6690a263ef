"""The checks of the exercises on layer-wise training; the notebook imports this file as `exercises`."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, plot, scatter, scene


# --- 1. unroll ------------------------------------------------------------------------------------
def _bricks(rng: np.random.Generator, sizes: tuple[int, ...]) -> list[tuple[np.ndarray, ...]]:
    """Bricks (W (D, H), a (D,), b (H,)) whose entries are all different."""
    return [
        (rng.normal(size=(d, h)), rng.normal(size=d), rng.normal(size=h))
        for d, h in pairwise(sizes)
    ]


def _unroll_advice(came: np.ndarray, k: int, bricks: list[tuple[np.ndarray, ...]]) -> str:
    n = len(bricks)
    for j, (W, a, b) in enumerate(bricks):
        for what, value in (
            (f"the way up of brick {j + 1}", W),
            (f"the way down of brick {j + 1}", W.T),
            (f"the upward biases b of brick {j + 1}", b),
            (f"the downward biases a of brick {j + 1}", a),
        ):
            if came.shape == value.shape and np.allclose(came, value):
                wanted = f"the way {'up' if k < n else 'down'} of brick {(k if k < n else 2 * n - 1 - k) + 1}"
                return f"That is {what}; layer {k + 1} is {wanted}."
    return "Use the bricks' own numbers, unchanged; W going up, its transpose coming down."


def _check_unroll(unroll: Any) -> str:
    for sizes in ((7, 5, 3, 2), (4, 4, 4), (6, 3), (3, 6, 2, 5, 5, 4)):
        bricks = _bricks(require.rng(), sizes)
        came = require.call(unroll, [tuple(p.copy() for p in brick) for brick in bricks])
        if type(came) not in (list, tuple) or len(came) != 2 * len(bricks):
            raise Wrong(
                f"{len(bricks)} bricks: expected a list of {2 * len(bricks)} layers, came "
                f"{len(came) if type(came) in (list, tuple) else type(came).__name__}; climb all bricks, then come down all."
            )
        up = [(W, b) for W, _, b in bricks]
        wanted = up + [(W.T, a) for W, a, _ in reversed(bricks)]
        for k, (layer, right) in enumerate(zip(came, wanted, strict=True)):
            if type(layer) not in (list, tuple) or len(layer) != 2:
                raise Wrong(f"layer {k + 1}: expected a pair (W, b); return such a pair for each layer.")  # fmt: skip
            for part, value, target in zip(("matrix", "biases"), layer, right, strict=True):
                what = f"{part} of layer {k + 1} of {len(wanted)}"
                plain = require.array(value, what)
                if plain.shape != target.shape:
                    raise Wrong(
                        f"{what}: expected shape {target.shape}, came {plain.shape}. {_unroll_advice(plain, k, bricks)}"
                    )
                require.close(plain, target, what=what, do=_unroll_advice(plain, k, bricks))
    return "up through all bricks and back down, on stacks of one to five bricks."


unroll = Exercise(
    "pretraining-unroll",
    "Return the layers of the deep autoencoder that a stack of bricks unrolls into",
    check=_check_unroll,
    hints=(
        "How many layers does the autoencoder have, and which brick is used first on the way down?",
        "Going up, layer k is (W, b) of brick k. Coming down, the last brick is used first, with W transposed.",
        "Return [(W, b) for W, a, b in bricks] + [(W.T, a) for W, a, b in bricks[::-1]].",
    ),
)


# --- 2. count ---------------------------------------------------------------------------------------
_WIDTHS = (64, 48, 32, 16, 8)


def _check_count(answer: Any) -> str:
    came = require.integer(answer, "the number of parameters")
    weights = sum(d * h for d, h in pairwise(_WIDTHS))
    biases = sum(_WIDTHS[1:]) + sum(_WIDTHS[:-1])
    known = {
        2 * weights: "Those are the matrices alone; every layer has biases, too.",
        weights: "Those are the matrices of the way up only.",
        weights
        + biases: "That counts every matrix once; after unrolling each direction has its own copy.",
        weights + sum(_WIDTHS[1:]): "That is the way up only.",
        2 * weights
        + 2 * sum(_WIDTHS[1:]): "The biases of the way down belong to 16, 32, 48 and 64 units.",
        2 * weights
        + 2 * sum(_WIDTHS[:-1]): "The biases of the way up belong to 48, 32, 16 and 8 units.",
        2 * weights + sum(_WIDTHS[1:]): "The layers of the way down have biases, too.",
        2 * weights + sum(_WIDTHS[:-1]): "The layers of the way up have biases, too.",
        2 * weights + biases + 64: "The input has no biases.",
    }
    if came != 2 * weights + biases:
        hint = known.get(came, "Add D · H weights and H biases for each of the eight layers.")
        raise Wrong(f"the number of parameters: came {came}. {hint}")
    return f"{2 * weights} weights and {biases} biases."


count = Exercise(
    "pretraining-count",
    "Count the weights and biases of the unrolled 64-48-32-16-8 autoencoder",
    check=_check_count,
    hints=(
        "How many layers are there, and what are D and H for each?",
        "A layer from D to H units has D · H weights and H biases. The way down goes 8-16-32-48-64.",
        "Weights: 2 · (64·48 + 48·32 + 32·16 + 16·8). Biases: 48 + 32 + 16 + 8 + 16 + 32 + 48 + 64.",
    ),
    answer="value",
)


# --- 3. break the greed -------------------------------------------------------------------------------
_SIGMA = np.diag([4.0, 1.0])


def _projection(A: np.ndarray) -> tuple[np.ndarray, float]:
    """What x becomes, as a matrix P (x @ P), and the share of the variance that is lost."""
    top = np.linalg.eigh(A.T @ _SIGMA @ A)[1][:, -1:]  # the best second brick
    P = A @ top @ top.T @ np.linalg.inv(A)
    miss = np.eye(2) - P
    return P, float(np.trace(miss.T @ _SIGMA @ miss) / np.trace(_SIGMA))


def _greed_picture(P: np.ndarray) -> dict:
    x = np.random.default_rng(0).normal(size=(150, 2)) * [2, 1]
    y = x @ P
    reach = (-6, 6)
    return scene(
        panel(
            plot([-6, 6], [0, 0], color="muted", label="what PCA would keep"),
            scatter(x[:, 0], x[:, 1], color="c1", size=2, label="data"),
            scatter(y[:, 0], y[:, 1], color="c2", marker="s", size=2, label="after both bricks"),
            xlabel="x₁",
            ylabel="x₂",
            xlim=reach,
            ylim=reach,
            aspect="equal",
        )
    )


def _check_greed(answer: Any) -> str:
    A = require.array(answer, "the matrix A", shape=(2, 2))
    A = A / (np.abs(A).max() or 1.0)  # a common factor changes nothing
    if np.linalg.cond(A) > 1e6:
        raise Wrong(
            "the matrix A: expected one that can be inverted (condition at most a million), came one that loses a direction. "
            "The first brick must still repeat its input exactly."
        )
    spread = np.linalg.eigvalsh(A.T @ _SIGMA @ A)
    if spread[1] - spread[0] < 1e-6 * spread[1]:
        raise Wrong("the code has the same variance in all directions, so the second brick cannot choose; stretch further.")  # fmt: skip
    P, lost = _projection(A)
    if lost < 0.79:
        raise Wrong(
            f"the two bricks lose {100 * lost:.0f} % of the variance, where at least 79 % are asked (PCA loses 20 %). "
            "Which direction of x must look small in the code?",
            _greed_picture(P),
        )
    return f"the first brick is perfect, the second optimal, and together they lose {100 * lost:.0f} % of the variance."


greed = Exercise(
    "pretraining-greed",
    "Give an invertible A that makes the second brick keep the wrong direction",
    check=_check_greed,
    hints=(
        "The second brick keeps the direction in which the code xA varies most. How do you hide the large variance of x₁?",
        "Make A diagonal. Then the code's variances are 4·A₁₁² and A₂₂².",
        "A₁₁ must be less than half of A₂₂, for instance 0.1 and 1.",
    ),
    answer="value",
)


# --- 4. where the curves cross ------------------------------------------------------------------------
def _crossing_reference(labels: np.ndarray, fixed: np.ndarray, tuned: np.ndarray) -> float:
    gap = [float(t - f) for t, f in zip(tuned, fixed, strict=True)]
    if gap[0] >= 0:
        return float(labels[0])
    for k in range(1, len(gap)):
        if gap[k] >= 0:
            share = gap[k - 1] / (gap[k - 1] - gap[k])
            return float(labels[k - 1] * (labels[k] / labels[k - 1]) ** share)
    return math.inf


def _crossing_cases(rng: np.random.Generator) -> list[tuple[str, tuple[np.ndarray, ...]]]:
    """Labels at least double from point to point; the differences are eighths, so that zero is exact."""
    gaps = {
        "curves that cross once": (-8, -5, -4, 1, 3),
        "curves that cross at the last point but one": (-1, -2, -3, -1, -5, 2, 3),
        "two points": (-1, 4),
        "curves that cross twice": (-3, 2, -4, 1, 3),
        "tuning ahead from the start": (1, 2, 1, 3, 2),
        "tuning ahead, then behind, then ahead": (2, -3, -1, 4),
        "tuning ahead only at the start": (1, -2, -2),
        "tuning level at the start, then behind": (0, -3, -2, 3),
        "tuning level once, then behind": (-4, 0, -2, 3),
        "tuning level at the last point": (-4, -2, 0),
        "tuning never ahead": (-1, -2, -1, -3, -1),
    }
    cases = []
    for case, signs in gaps.items():
        n = len(signs)
        labels = np.floor(np.cumprod([rng.integers(1, 30), *rng.uniform(3, 5, n - 1)]))
        fixed = rng.integers(480, 640, n) / 8  # %
        gap = np.array(signs) + np.sign(signs) * rng.integers(0, 8, n) / 8
        cases.append((case, (labels, fixed, fixed + gap)))
    return cases


def _crossing_picture(labels: np.ndarray, fixed: np.ndarray, tuned: np.ndarray) -> dict:
    about = {"xlabel": "labels", "ylabel": "accuracy, %", "xlog": True}
    return scene(
        panel(
            plot(labels, fixed, color="c1", label="classifier only"),
            plot(labels, tuned, color="c2", dash="6 4", label="whole network"),
            **about,
        )
    )


def _labels_or_never(value: Any, what: str) -> float:
    plain = require.array(value, what, finite=False)
    never = plain.shape == () and plain == math.inf
    return math.inf if never else require.number(value, what)


def _check_crossing(crossing: Any) -> str:
    for _ in range(2):
        for case, args in _crossing_cases(require.rng()):
            came = require.call(crossing, *args)
            wanted = _crossing_reference(*args)
            came = _labels_or_never(came, f"the crossing for {case}")
            if came != wanted and not (
                math.isfinite(wanted)
                and math.isfinite(came)
                and abs(came - wanted) <= 1e-4 * wanted
            ):
                raise Wrong(
                    f"{case}: expected {wanted:.5g} labels, came {came:.5g}. Interpolate the difference over the logarithm of "
                    "the labels, in the first interval where it turns from negative; infinity if it never does.",
                    _crossing_picture(*args),
                )
    return "the first crossing, on a logarithmic axis, and the cases without one."


crossing = Exercise(
    "pretraining-crossing",
    "Return the number of labels from which tuning the whole network pays",
    check=_check_crossing,
    hints=(
        "Look at the difference between the curves. Where does it change its sign for the first time?",
        "Between two counts n₀ and n₁ with differences g₀ < 0 ≤ g₁, a share t = g₀ / (g₀ − g₁) of the way is gone.",
        "On a logarithmic axis the answer is n₀ · (n₁ / n₀)**t. Return math.inf if no difference reaches zero, and n of the first point if it starts there.",
    ),
)
