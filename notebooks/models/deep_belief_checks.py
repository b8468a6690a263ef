"""The checks of the exercises on deep belief networks; the notebook imports this file as `exercises`."""

from itertools import product
from typing import Any

import numpy as np
from scipy.special import logsumexp, softmax

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, scatter, scene


def _states(n: int) -> np.ndarray:
    return np.array(list(product((0.0, 1.0), repeat=n)))  # (2^n, n)


def _log_coin(x: np.ndarray, z: np.ndarray) -> float:
    """log-probability of the units x whose inputs are z."""
    return -float(np.logaddexp(0.0, np.where(np.asarray(x) > 0, -z, z)).sum())


def _compared(came: np.ndarray, wanted: np.ndarray, **about: Any) -> dict:
    k = np.arange(len(wanted))
    marks = [
        bar(k, wanted, color="c1", label="expected"),
        scatter(k, came, color="c2", marker="x", size=6, label="yours"),
    ]
    return scene(panel(*marks, **about))


# --- 1. either, but not both ------------------------------------------------------------------------
def _check_either(answer: Any) -> str:
    w1, w2, a, b1, b2 = require.array(answer, "(w1, w2, a, b1, b2)", shape=(5,))
    largest = float(np.abs([w1, w2, a, b1, b2]).max())
    if largest > 30:
        raise Wrong(
            f"expected five numbers between −30 and 30, came one of size {largest:.4g}. Scale them down; 20 is large enough."
        )
    scores = [
        _log_coin(h, np.array([b1, b2])) + _log_coin([1], np.array([a + w1 * h[0] + w2 * h[1]]))
        for h in _states(2)
    ]
    p = softmax(np.array(scores))
    names = {0: "00", 1: "01", 2: "10", 3: "11"}
    about = {"xlabel": "h", "ylabel": "p(h | v = 1)", "ylim": (0, 1.2), "xticks": names}
    picture = _compared(p, np.array([0.0, 0.5, 0.5, 0.0]), **about)
    weak = "One cause alone must make v nearly certain: w1 + a and w2 + a well above zero."
    enough = min(w1, w2) + a > 0
    if p[0] > 0.1:
        rare = "Without a cause v must be off, and more surely than a cause is rare: make a more negative than the b."
        raise Wrong(
            f"with v = 1 seen, expected some cause to be on, came {p[0]:.3f} for neither. {rare if enough else weak}",
            picture,
        )
    if p[3] > 0.1:
        rare = "A second cause must be rare: make b1 and b2 more negative."
        raise Wrong(
            f"expected one cause to explain the other away, came {p[3]:.3f} for both. {rare if enough else weak}",
            picture,
        )
    if min(p[1], p[2]) < 0.45:
        raise Wrong(
            f"one cause is on, but 01 has {p[1]:.3f} and 10 has {p[2]:.3f}; expected at least 0.45 each. What makes the two causes alike?",
            picture,
        )
    return f"01 has {p[1]:.3f} and 10 has {p[2]:.3f}: the causes were independent, and one observation ties them together."


either = Exercise(
    "dbn-either",
    "Give a sigmoid belief network in which the observation has exactly one cause",
    check=_check_either,
    hints=(
        "By symmetry w1 = w2 = w and b1 = b2 = b. Compare the weights of h = 00, 01 and 11 given v = 1.",
        "A cause costs about e^b. With a cause the observation should be nearly certain, so w + a > 0; without one it costs e^a.",
        "No cause costs e^a, one cause e^b, two e^{2b}. So a must be well below b, and b well below zero. Try w = 30, b = −6 and an a well below b but above −w.",
    ),
    answer="value",
)


# --- 2. pool ---------------------------------------------------------------------------------------
def _pool_reference(z: np.ndarray) -> np.ndarray:
    N, P, _ = z.shape
    out = np.zeros((N, P // 2, P // 2))
    for n, i, j in product(range(N), range(P // 2), range(P // 2)):
        four = z[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].ravel()
        out[n, i, j] = np.exp(logsumexp(four) - logsumexp(np.r_[0.0, four]))
    return out


def _check_pooled(pooled_on: Any) -> str:
    rng = require.rng()
    for N, P, scale, shift in ((1, 2, 1.0, 0.0), (3, 4, 2.0, -1.0), (2, 6, 1.0, 0.5), (2, 4, 400.0, 0.0)):  # fmt: skip
        z = scale * rng.normal(size=(N, P, P)) + shift
        if scale > 100:
            z[0, :2, :2], z[0, :2, 2:] = 800.0, -800.0
        what = f"p(pool = 1) for z of shape {z.shape}"
        with np.errstate(all="ignore"):
            raw = require.call(pooled_on, z)
        came = require.array(raw, what, shape=(N, P // 2, P // 2), finite=False)
        if not np.isfinite(came).all():
            raise Wrong(
                f"{what}: expected numbers, came NaN for inputs up to {np.abs(z).max():.0f}: exp overflows. Subtract the largest of the inputs and zero first."
            )
        wanted = _pool_reference(z)
        require.close(
            came,
            wanted,
            what=what,
            do="Every block of 2 × 2 neighbours has five states: all off (weight 1), or one of four on (weight e^z).",
            figure=_compared(came[0].ravel(), wanted[0].ravel(), xlabel="block", ylabel="p(pool)"),
        )
    return "four sets of maps agree, with inputs up to 800."


pooled = Exercise(
    "dbn-pooled",
    "Return the probability that each pooling unit is on",
    check=_check_pooled,
    hints=(
        "z.reshape(N, P // 2, 2, P // 2, 2) has one axis for the row and one for the column inside a block.",
        "Let s = log Σ e^z over a block, computed without overflow. Then p = e^s / (1 + e^s).",
        "np.logaddexp.reduce(blocks, axis=(2, 4)) gives s, and 1/(1 + e^−s) is 0.5 * np.tanh(0.5 * s) + 0.5.",
    ),
)


# --- 3. the bound of a DBM --------------------------------------------------------------------------
def _bound_reference(v, mu1, mu2, W1, W2, a, b, c) -> float:
    energy = a @ v + b @ mu1 + c @ mu2 + v @ W1 @ mu1 + mu1 @ W2 @ mu2
    mu = np.r_[mu1, mu2]
    inside = mu[(mu > 0) & (mu < 1)]
    return float(energy - (inside * np.log(inside) + (1 - inside) * np.log1p(-inside)).sum())


def _check_bound(deep_bound: Any) -> str:
    rng = require.rng()
    for D, H, K, hard in ((3, 2, 2, False), (6, 5, 4, False), (4, 3, 5, True)):
        W1, W2 = rng.normal(size=(D, H)), rng.normal(size=(H, K))
        a, b, c = (1 + rng.random(n) for n in (D, H, K))  # every forgotten bias shows
        v, mu1, mu2 = rng.permutation(np.arange(D) % 2.0), rng.random(H), rng.random(K)
        if hard:
            mu1[:2], mu2[:2] = (0.0, 1.0), (1.0, 0.0)
        what = f"the bound of a {D}-{H}-{K} machine" + (", some guesses 0 or 1" if hard else "")
        with np.errstate(all="ignore"):
            raw = require.call(deep_bound, v, mu1, mu2, W1, W2, a, b, c)
        came = require.array(raw, what, shape=(), finite=False)
        if not np.isfinite(came):
            raise Wrong(
                f"{what}: expected a number, came {float(came)}. 0 · log 0 counts as 0; scipy.special.entr knows that."
            )
        wanted = _bound_reference(v, mu1, mu2, W1, W2, a, b, c)
        do = "It is the mean of −E with the guesses in place of the units, three bias terms and two link terms, plus the entropy of every guess."
        require.close(float(came), wanted, 1e-4, what=what, do=do)  # room for a clipped logarithm
    return "three machines agree, also where a guess is certain."


bound = Exercise(
    "dbn-bound",
    "Return the mean-field bound of a deep Boltzmann machine, without log Z",
    check=_check_bound,
    hints=(
        "E is linear in every single unit, so its mean under a factorised guess has the guesses in place of the units.",
        "The entropy of one guess is −μ log μ − (1 − μ) log(1 − μ); both hidden layers have it, the seen pixels do not.",
        "a @ v + b @ mu1 + c @ mu2 + v @ W1 @ mu1 + mu1 @ W2 @ mu2, plus entr(mu) + entr(1 - mu), summed over both layers.",
    ),
)


# --- 4. the likelihood of a DBN -----------------------------------------------------------------------
def _likelihood_reference(V, W1, W2, a, b, c) -> np.ndarray:
    S = _states(len(b))
    prior = np.array([b @ h + np.logaddexp(0.0, c + h @ W2).sum() for h in S])
    prior -= logsumexp(prior)
    return np.array(
        [
            logsumexp(
                np.array([_log_coin(v, a + W1 @ h) + p for h, p in zip(S, prior, strict=True)])
            )
            for v in V
        ]
    )


def _check_likelihood(belief_log_p: Any) -> str:
    rng = require.rng()
    for D, H, K, scale in ((3, 2, 3, 1.0), (6, 5, 4, 1.0), (500, 4, 60, 3.0), (5, 3, 200, 3.0)):
        W1, W2 = scale * rng.normal(size=(D, H)), scale * rng.normal(size=(H, K))
        a, b, c = (scale * (1 + rng.random(n)) for n in (D, H, K))
        V = (rng.random((4, D)) < 0.5).astype(float)
        what = f"log p(v) of a {D}-{H}-{K} network"
        with np.errstate(all="ignore"):
            raw = require.call(belief_log_p, V, W1, W2, a, b, c)
        came = require.array(raw, what, shape=(4,), finite=False)
        if not np.isfinite(came).all():
            raise Wrong(
                f"{what}: expected finite numbers, came {came[~np.isfinite(came)][0]}: an exp overflows or a product of {D} probabilities vanishes. Stay with logarithms: logsumexp."
            )
        wanted = _likelihood_reference(V, W1, W2, a, b, c)
        require.close(
            came,
            wanted,
            what=what,
            do="Sum over h of p(h) of the upper machine, normalised over all h, times p(v | h) of the links read downwards.",
            figure=_compared(came, wanted, xlabel="row of V", ylabel="log p(v)"),
        )
    return "four networks agree, up to 200 units on top."


likelihood = Exercise(
    "dbn-likelihood",
    "Return the exact log-likelihood of a deep belief network",
    check=_check_likelihood,
    hints=(
        "p(v) = Σ_h p(h) p(v | h). The upper machine's visible layer is h: what is its unnormalised log p(h)?",
        "log p(h) = b·h + Σ_k log(1 + e^{c_k + (h W2)_k}) minus its logsumexp over all 2^H states.",
        "With z = S @ W1.T + a for all states S, log p(v | h) is V @ z.T − Σ log(1 + e^z). Add log p(h) and take logsumexp over the states.",
    ),
)
