"""The checks of the exercises on machines for real numbers; the notebook imports this file as `exercises`."""

from itertools import product
from typing import Any

import numpy as np
from scipy.special import softmax

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scatter, scene


def _states(n: int) -> np.ndarray:
    return np.array(list(product((0.0, 1.0), repeat=n))).reshape(2**n, n)


# --- 1. stretch an ellipse --------------------------------------------------------------------------
def _ellipse(cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    t = np.linspace(0, 2 * np.pi, 61)
    x, y = np.linalg.cholesky(cov) @ np.stack([np.cos(t), np.sin(t)])
    return x, y


def _stretch_picture(came: np.ndarray) -> dict:
    wanted = np.array([[5.0, 4.0], [4.0, 5.0]])
    marks = (
        plot(*_ellipse(wanted), color="c1", label="wanted"),
        plot(*_ellipse(came), color="c2", dash="--", label="yours"),
    )
    return scene(panel(*marks, xlabel="v₁", ylabel="v₂", aspect="equal"))


def _check_stretch(answer: Any) -> str:
    w = require.array(answer, "w", shape=(2,))
    length = float(np.hypot(*w))
    if not length < 1 - 1e-9:  # nearer to 1, rounding would decide
        raise Wrong(
            f"the length of w is {length:.3g}: then K = I − w wᵀ is not positive definite, and the machine does not exist. "
            "Expected a vector shorter than 1."
        )
    cov = np.linalg.inv(np.eye(2) - np.outer(w, w))
    along = float(np.sqrt(cov.sum() / 2))
    across = float(np.sqrt((cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]) / 2))
    if abs(along - 3) > 0.03 or abs(across - 1) > 0.03:
        raise Wrong(
            f"expected 3 along (1, 1) and 1 across it, came {along:.2f} and {across:.2f}. "
            "Along w the precision is 1 − |w|², and the variance is its inverse.",
            _stretch_picture(cov),
        )
    return f"{along:.2f} along and {across:.2f} across; −w would do as well, for the slab has either sign."


stretch = Exercise(
    "rbm-family-stretch",
    "Give the link vector of a spike-and-slab unit that stretches the ellipse to 3 along the diagonal",
    check=_check_stretch,
    hints=(
        "With the unit on, K = I − w wᵀ. Which vector is an eigenvector of K, and with which eigenvalue?",
        "Along w the variance is 1 / (1 − |w|²). It must be 3² = 9.",
        "So |w|² = 8/9, shared equally by the two entries.",
    ),
    answer="value",
)


# --- 2. the usual notation --------------------------------------------------------------------------
def _balls_reference(
    W: np.ndarray, a: np.ndarray, b: np.ndarray, sigma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    means, scores = [], []
    for h in _states(len(b)):
        mean = a + W @ h
        means.append(mean)
        scores.append(float(b @ h + sum((mean**2 - a**2) / (2 * sigma**2))))
    return softmax(np.array(scores)), np.array(means)


def _bars(came: np.ndarray, wanted: np.ndarray, xlabel: str, ylabel: str) -> dict:
    k = np.arange(len(wanted))
    marks = (
        bar(k, wanted, color="c1", label="expected"),
        scatter(k, came, color="c2", marker="x", size=6, label="yours"),
    )
    return scene(panel(*marks, xlabel=xlabel, ylabel=ylabel))


def _check_balls(balls: Any) -> str:
    rng = require.rng()
    for D, H, large in ((2, 3, 0.0), (4, 2, 0.0), (3, 5, 0.0), (3, 3, 2000.0)):
        W = rng.choice([-1, 1], (D, H)) * (0.5 + rng.random((D, H)))
        a = rng.choice([-1, 1], D) * (0.5 + rng.random(D))
        b, sigma = large + rng.normal(size=H), np.linspace(0.6, 1.6, D)
        what = f"the mixture of {D} pixels and {H} hidden units"
        raw = require.call(balls, W, a, b, sigma)
        if type(raw) not in (tuple, list) or len(raw) != 2:
            raise Wrong(
                f"{what}: expected two arrays, weights and means, came {type(raw).__name__}."
            )
        weights = require.array(raw[0], f"the weights of {what}", shape=(2**H,), finite=False)
        means = require.array(raw[1], f"the means of {what}", shape=(2**H, D), finite=False)
        if not np.isfinite(weights).all():
            raise Wrong(
                "the weights are not finite numbers: with biases in the thousands exp overflows. Subtract the largest "
                "exponent before exp, or use scipy.special.softmax."
            )
        wanted_weights, wanted_means = _balls_reference(W, a, b, sigma)
        require.close(
            means,
            wanted_means,
            what=f"the means of {what}",
            do="Complete the square in v: given h the pixels sit at a + W h, whatever sigma is.",
        )
        if abs(weights.sum() - 1) > 1e-6:
            raise Wrong(
                f"expected weights that sum to 1, came {weights.sum():.4g}. Divide by the sum over all codes."
            )
        require.close(
            weights,
            wanted_weights,
            what=f"the weights of {what}",
            do="After completing the square, (mean² − a²) / 2σ² is left over, beside the bias.",
            figure=_bars(weights, wanted_weights, "row of states(H)", "weight"),
        )
    return "four machines agree, also with biases in the thousands."


balls = Exercise(
    "rbm-family-balls",
    "Return weights and means of the mixture that a Gaussian machine is",
    check=_check_balls,
    hints=(
        "Collect all terms with v_i in E(v, h): they are (v_i² − 2 v_i (a_i + (W h)_i)) / 2σ_i². Complete the square.",
        "The means are a + W h. What is left over, −Σ ((a + W h)_i² − a_i²) / 2σ_i² − bᵀh, is the energy of the code.",
        "log_w = S @ b + ((means**2 - a**2) / (2 * sigma**2)).sum(1), then a softmax.",
    ),
)


# --- 3. fill in missing pixels ----------------------------------------------------------------------
def _fill_reference(
    v: np.ndarray,
    missing: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
    covs: np.ndarray,
) -> np.ndarray:
    known = [i for i in range(len(v)) if i not in set(missing.tolist())]
    scores, filled = [], []
    for w, mean, cov in zip(weights, means, covs, strict=True):
        inner = cov[np.ix_(known, known)]
        pull = np.linalg.solve(inner, v[known] - mean[known])
        score = np.log(w) - 0.5 * (v[known] - mean[known]) @ pull
        scores.append(float(score - 0.5 * np.log(np.linalg.det(inner))))
        filled.append(mean[missing] + cov[np.ix_(missing, known)] @ pull)
    return softmax(np.array(scores)) @ np.array(filled)


def _random_mixture(rng: np.random.Generator, M: int, D: int) -> tuple[np.ndarray, ...]:
    """Gaussians of clearly different widths and places, so that every shortcut shows."""
    A = rng.normal(size=(M, D, D))
    covs = (A @ A.transpose(0, 2, 1) / D + 0.3 * np.eye(D)) * np.geomspace(0.5, 6, M)[:, None, None]
    return rng.dirichlet(3 * np.ones(M)), 2 * rng.normal(size=(M, D)), covs


def _check_fill(fill: Any) -> str:
    rng = require.rng()
    for M, D, m, far in ((3, 4, 1, 1.0), (4, 5, 2, 1.0), (8, 6, 3, 1.0), (3, 5, 2, 600.0)):
        for _ in range(8):
            weights, means, covs = _random_mixture(rng, M, D)
            missing = rng.permutation(D)[:m]
            if m > 1 and (np.diff(missing) > 0).all():
                missing = missing[::-1].copy()  # an order that sorting would spoil
            v = means[rng.integers(M)] + far * rng.choice([-1, 1], D) * (0.5 + rng.random(D))
            gappy = v.copy()
            gappy[missing] = np.nan
            what = f"{m} missing pixels of {D}, {M} Gaussians"
            raw = require.call(fill, gappy, missing, weights, means, covs)
            came = require.array(raw, what, shape=(m,), finite=False)
            if not np.isfinite(came).all():
                raise Wrong(
                    f"{what}: expected numbers, came {came[~np.isfinite(came)][0]} among them. Use the known entries of v only, "
                    "and work with logarithms of the weights: far from all means every density underflows."
                )
            require.close(
                came,
                _fill_reference(gappy, missing, weights, means, covs),
                what=what,
                atol=1e-6,
                do="Each Gaussian gives mean[m] + cov[m, k] cov[k, k]⁻¹ (v[k] − mean[k]) and counts with its weight times its density of v[k].",
            )
    return "32 mixtures agree, also far from every mean."


fill = Exercise(
    "rbm-family-fill",
    "Return the expected missing pixels of a patch under a mixture of Gaussians",
    check=_check_fill,
    hints=(
        "Split the pixels into known k and missing m. For one Gaussian this is linear regression of m on k.",
        "One Gaussian fills in mean[m] + cov[m,k] cov[k,k]⁻¹ (v[k] − mean[k]). Its share is proportional to its weight times N(v[k]; mean[k], cov[k,k]).",
        "Compute log shares: log weight − ½ dᵀ cov[k,k]⁻¹ d − ½ log det cov[k,k]; then a softmax, then the weighted mean of the fillings.",
    ),
)


# --- 4. analogy, and the way back ---------------------------------------------------------------------
def _transfer_reference(
    x: np.ndarray,
    y: np.ndarray,
    new: np.ndarray,
    U: np.ndarray,
    V: np.ndarray,
    R: np.ndarray,
    c: np.ndarray,
    d: np.ndarray,
    back: bool,
) -> np.ndarray:
    W = np.einsum("if,jf,kf->ijk", U, V, R)
    z = c + np.einsum("ijk,ni,nj->nk", W, x, y)
    h = 0.5 * np.tanh(0.5 * z) + 0.5
    return np.einsum("ijk,nj,nk->ni", W, new, h) if back else d + np.einsum("ijk,ni,nk->nj", W, new, h)  # fmt: skip


def _check_transfer(transfer: Any) -> str:
    rng = require.rng()
    for N, D, F, H in ((3, 4, 5, 3), (1, 6, 3, 5), (5, 3, 7, 2)):
        x, y, new = (rng.choice([-1, 1], (N, D)) * (0.5 + rng.random((N, D))) for _ in range(3))
        U, V, R = (0.7 * rng.normal(size=s) for s in ((D, F), (D, F), (H, F)))
        c, d = rng.normal(size=H), rng.choice([-1, 1], D) * (0.5 + rng.random(D))
        for back in (False, True):
            what = f"{N} pictures of {D} pixels, back={back}"
            came = require.array(
                require.call(transfer, x, y, new, U, V, R, c, d, back), what, shape=(N, D)
            )
            require.close(
                came,
                _transfer_reference(x, y, new, U, V, R, c, d, back),
                what=what,
                do="The code is σ(c + ((xU)(yV))Rᵀ). Forwards it maps through U, the code, V, and adds d; backwards U and V change places, without d.",
            )
    return "forwards and backwards agree with the full tensor."


transfer = Exercise(
    "rbm-family-transfer",
    "Read a transformation from one pair and apply it, or undo it, on another picture",
    check=_check_transfer,
    hints=(
        "Read: h = σ(c + ((x U) ⊙ (y V)) Rᵀ), one row a pair.",
        "Given h the energy is −Σ_f (xU)_f (yV)_f (hR)_f: it treats x and y alike. So the way back only exchanges U and V.",
        "Forwards d + ((new U) ⊙ (h R)) Vᵀ; back ((new V) ⊙ (h R)) Uᵀ.",
    ),
)
