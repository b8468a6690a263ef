"""The checks of the RBM chapter's exercises; the notebook imports this file as `exercises`."""

import tracemalloc
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, scatter, scene


def _states(n: int) -> np.ndarray:
    return np.array(list(product((0.0, 1.0), repeat=n)))  # (2^n, n)


def _score(v: np.ndarray, W: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """-F(v) of one pattern."""
    return float(np.dot(a, v) + np.logaddexp(0.0, b + np.dot(v, W)).sum())


# --- 1. a machine that copies ---------------------------------------------------------------------
def _copier_picture(p: np.ndarray) -> dict:
    names = {0: "00", 1: "01", 2: "10", 3: "11"}
    marks = [
        bar([0, 3], p[[0, 3]], color="c1", label="equal"),
        bar([1, 2], p[[1, 2]], color="c2", label="different"),
    ]
    about = {"xlabel": "v", "ylabel": "p(v)", "ylim": (0, 1.2), "xticks": names}
    return scene(panel(*marks, title="two bars of one half are wanted", **about))


def _check_copier(answer: Any) -> str:
    w1, w2, a1, a2, b = require.array(answer, "(w1, w2, a1, a2, b)", shape=(5,))
    parts = np.array([[w1], [w2]]), np.array([a1, a2]), np.array([b])
    with np.errstate(all="ignore"):
        p = softmax(np.array([_score(v, *parts) for v in _states(2)]))
    if not np.isfinite(p).all():
        raise Wrong(
            "expected four probabilities, came NaN: the energies overflow. Numbers of 20 are large enough."
        )
    different = float(p[1] + p[2])
    if different > 0.02:
        raise Wrong(
            f"the two units must agree; expected at most 0.02 for 01 and 10 together, came {different:.3f}. "
            "The hidden unit should pull both on when it is on, and the biases pull them off when it is not.",
            _copier_picture(p),
        )
    if min(p[0], p[3]) < 0.49:
        raise Wrong(
            f"they agree, but 00 has {p[0]:.3f} and 11 has {p[3]:.3f}; expected at least 0.49 each. "
            "Compare the free energies of 00 and 11: which bias would make them equal?",
            _copier_picture(p),
        )
    return f"00 has {p[0]:.3f} and 11 has {p[3]:.3f}: one hidden unit holds the pair together."


copier = Exercise(
    "rbm-copier",
    "Give a machine with one hidden unit whose two visible units always agree",
    check=_check_copier,
    hints=(
        "By symmetry w1 = w2 = w and a1 = a2 = a. Without the hidden unit a strongly negative a holds both units off.",
        "With the hidden unit on, a visible unit feels w + a. Make a half of −w: then it is as surely on as it was off before.",
        "Write −F(00) = log(1 + e^b) and −F(11) = 2a + log(1 + e^{2w + b}), set a = −w/2, and find the b that makes them equal. Take w = 20.",
    ),
    answer="value",
)


# --- what an answer holds ---------------------------------------------------------------------------
LIMIT = 4e6  # bytes; all states of sixteen units or more would take more


def _measured(fn: Callable, *args: Any) -> tuple[Any, int]:
    """What the answer returns, and the most bytes that it held."""
    before = tracemalloc.is_tracing()
    tracemalloc.start()
    tracemalloc.reset_peak()
    start = tracemalloc.get_traced_memory()[0]
    try:
        return require.call(fn, *args), tracemalloc.get_traced_memory()[1] - start
    finally:
        if not before:
            tracemalloc.stop()


def _called(fn: Callable, *args: Any, weigh: bool, what: str, do: str) -> Any:
    """The answer's value; `weigh` refuses a long list while it is still short enough to survive."""
    value, peak = _measured(fn, *args) if weigh else (require.call(fn, *args), 0)
    if peak > LIMIT:
        raise Wrong(
            f"{what}: expected at most {LIMIT / 1e6:.0f} million bytes in use, came {peak / 1e6:.0f}. {do}"
        )
    return value


def _compared(came: np.ndarray, wanted: np.ndarray, **about: str) -> dict:
    k = np.arange(len(wanted))
    marks = [
        bar(k, wanted, color="c1", label="expected"),
        scatter(k, came, color="c2", marker="x", size=6, label="yours"),
    ]
    return scene(panel(*marks, **about))


# --- 2. the likelihood ----------------------------------------------------------------------------
def _likelihood_reference(V: np.ndarray, W: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if len(a) <= len(b):
        total = logsumexp(np.array([_score(v, W, a, b) for v in _states(len(a))]))
    else:
        total = logsumexp(np.array([_score(h, W.T, b, a) for h in _states(len(b))]))
    return np.array([_score(v, W, a, b) for v in V]) - total


MACHINES = (  # D, H, scale, weigh; a list that is too long shows before it could fill the memory
    (3, 2, 1.0, False),  # the first call may import what it needs
    (8, 8, 1.0, True),
    (17, 6, 0.5, True),
    (4, 17, 0.5, True),
    (8, 90, 0.3, False),
    (110, 7, 0.3, False),
    (5, 5, 2000.0, False),
)


def _check_likelihood(log_likelihood: Any) -> str:
    rng = require.rng()
    for D, H, scale, weigh in MACHINES:
        W = scale * rng.normal(size=(D, H))
        a, b = (scale * rng.normal(size=n) for n in (D, H))
        V = (rng.random((int(rng.integers(2, 7)), D)) < 0.5).astype(float)
        what = f"log p of {len(V)} patterns, {D} visible and {H} hidden units"
        less = "List the states of the smaller layer only; the other one is summed in closed form."
        raw = _called(log_likelihood, V, W, a, b, weigh=weigh, what=what, do=less)
        came = require.array(raw, what, shape=(len(V),), finite=False)
        do = (
            "It is −F(v) − log Z, and Z sums over all states of the smaller layer."
            if scale < 100
            else "The links are in the hundreds: exp overflows. np.logaddexp(0, z) does not, nor does scipy's logsumexp."
        )
        if not np.isfinite(came).all():
            bad = came[~np.isfinite(came)][0]
            raise Wrong(f"{what}: expected finite numbers, came {bad} among them. {do}")
        wanted = _likelihood_reference(V, W, a, b)
        figure = _compared(came, wanted, xlabel="pattern", ylabel="log p(v), nats")
        require.close(came, wanted, what=what, do=do, figure=figure)
    return "seven machines agree, whichever layer is the small one."


likelihood = Exercise(
    "rbm-likelihood",
    "Return the exact log-likelihood of visible patterns",
    check=_check_likelihood,
    hints=(
        "log p(v) = −F(v) − log Z. F is one line of the chapter's class; which layer will you list for Z?",
        "If there are fewer hidden units, exchange the layers: W becomes W.T, and the biases change places. The function for F stays the same.",
        "score = lambda S, W, a, b: S @ a + np.logaddexp(0, S @ W + b).sum(1), then logsumexp(score(states(n), …)).",
    ),
)


# --- 3. read a label ------------------------------------------------------------------------------
def _reading_reference(
    X: np.ndarray, W: np.ndarray, U: np.ndarray, d: np.ndarray, b: np.ndarray
) -> np.ndarray:
    rows = []
    for x in X:
        s = [float(d[k] + np.logaddexp(0, x @ W + U[k] + b).sum()) for k in range(len(d))]
        rows.append(softmax(np.array(s)))
    return np.array(rows)


def _check_reading(read_label: Any) -> str:
    rng = require.rng()
    for D, K, H, scale in ((4, 2, 1, 1.0), (6, 3, 5, 1.0), (12, 10, 8, 1.0), (7, 4, 6, 300.0)):
        W, U = scale * rng.normal(size=(D, H)), scale * rng.normal(size=(K, H))
        d, b = scale * rng.normal(size=K), scale * rng.normal(size=H)
        X = (rng.random((int(rng.integers(2, 7)), D)) < 0.5).astype(float)
        what = f"p(y | x) of {len(X)} images, {K} labels, {H} hidden units"
        raw = require.call(read_label, X, W, U, d, b)
        came = require.array(raw, what, shape=(len(X), K), finite=False)
        if not np.isfinite(came).all():
            raise Wrong(
                f"{what}: expected probabilities, came {came[~np.isfinite(came)][0]} among them. With links in the "
                "hundreds exp overflows: use np.logaddexp(0, z), and subtract the largest score before the softmax."
            )
        wanted = _reading_reference(X, W, U, d, b)
        sums = came.sum(1)
        if np.abs(sums - 1).max() > 1e-6:
            i = int(np.abs(sums - 1).argmax())
            raise Wrong(
                f"{what}: each row must sum to 1, came {sums[i]:.4g} in row {i}. Divide by the sum over the labels."
            )
        require.close(
            came,
            wanted,
            what=what,
            do="Each hidden unit gives log(1 + e^z) with z = b + xW + U[y], and the label its own bias d[y].",
            figure=_compared(
                came[0], wanted[0], xlabel="label", ylabel="p(y | x)", title="the first image"
            ),
        )
    return "four machines agree, also with links in the hundreds."


reading = Exercise(
    "rbm-reading",
    "Return the probabilities of all labels, in closed form",
    check=_check_reading,
    hints=(
        "For a fixed image, which terms of −F(x, y) depend on y?",
        "The score of label y is d[y] + Σ_j log(1 + e^{z_yj}) with z_yj = b_j + (xW)_j + U_yj; then a softmax over y.",
        "z = (X @ W + b)[:, None] + U has shape (N, K, H); np.logaddexp(0, z).sum(-1) sums the hidden units.",
    ),
)


# --- 4. repair without sampling ---------------------------------------------------------------------
def _repair_reference(
    v: np.ndarray, missing: np.ndarray, W: np.ndarray, a: np.ndarray, b: np.ndarray
) -> np.ndarray:
    scores = []
    for filling in _states(len(missing)):
        u = v.copy()
        for i, value in zip(missing, filling, strict=True):
            u[i] = value
        scores.append(_score(u, W, a, b))
    return softmax(np.array(scores))


PICTURES = (  # D, H, m, weigh; as above, a list that is too long shows early
    (3, 2, 1, False),
    (8, 8, 3, True),
    (6, 17, 4, True),
    (17, 6, 5, True),
    (40, 40, 8, False),
)


def _check_repair(fillings: Any) -> str:
    rng = require.rng()
    for D, H, m, weigh in PICTURES:
        W = 2 * rng.normal(size=(D, H)) / np.sqrt(D)
        a, b = rng.normal(size=D), rng.normal(size=H)
        v, missing = (rng.random(D) < 0.5).astype(float), rng.permutation(D)[:m]
        what = f"the {2**m} fillings of {m} of {D} pixels"
        less = "List only the fillings, and sum the hidden units in closed form."
        raw = _called(fillings, v, missing, W, a, b, weigh=weigh, what=what, do=less)
        came = require.array(raw, what, shape=(2**m,))
        if abs(came.sum() - 1) > 1e-6:
            raise Wrong(
                f"{what}: expected a distribution, came probabilities with sum {came.sum():.4g}. Divide by the sum over the fillings."
            )
        wanted = _repair_reference(v, missing, W, a, b)
        require.close(
            came,
            wanted,
            what=what,
            figure=_compared(came, wanted, xlabel="row of states(m)", ylabel="probability"),
            do="Row k of states(m) goes to the pixels v[missing], in that order; its weight is e^−F of the filled picture.",
        )
    return "five machines agree, up to 256 fillings."


repair = Exercise(
    "rbm-repair",
    "Return the exact distribution over the fillings of missing pixels",
    check=_check_repair,
    hints=(
        "The known pixels are fixed; p(missing | known) is proportional to p of the whole picture. What cancels?",
        "Build one picture per filling: V = np.tile(v, (2**m, 1)); V[:, missing] = states(m). Then take −F of each.",
        "A softmax over −F(V) is the answer: no Z, no hidden states.",
    ),
)
