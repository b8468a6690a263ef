"""The checks of the VAE chapter's exercises; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp
from scipy.stats import laplace as laplace_law
from torch.distributions import Normal, kl_divergence

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scatter, scene


# --- 1. another prior -----------------------------------------------------------------------------
def _penalty_reference(m: np.ndarray, v: np.ndarray, M: np.ndarray, V: np.ndarray) -> np.ndarray:
    """(N,): the library's divergence, which wants deviations."""
    m, v, M, V = (torch.tensor(t) for t in (m, v, M, V))
    return kl_divergence(Normal(m, v.sqrt()), Normal(M, V.sqrt())).sum(1).numpy()


def _penalty_advice(
    came: np.ndarray, m: np.ndarray, v: np.ndarray, M: np.ndarray, V: np.ndarray
) -> str:
    right = _penalty_reference(m, v, M, V)
    for value, advice in (
        (2 * right, "It is twice the divergence: the ½ is missing."),
        (_penalty_reference(M, V, m, v), "You have the divergence the other way round."),
        (_penalty_reference(m, v, 0 * M, 1 + 0 * V), "That is for the standard normal prior."),
        (_penalty_reference(m, v**2, M, V**2), "v and V are variances already."),
        (right / m.shape[1], "Sum over the units, do not average."),
        (
            right + m.shape[1] / 2,
            "Between two equal bells it must be 0: the −1 of each unit is missing.",
        ),
        (right - 0.5 * np.log(V / v).sum(1), "The logarithm of v/V is missing."),
        (right + np.log(v / V).sum(1), "The logarithm has the wrong sign."),
        (right - 0.5 * ((m - M) ** 2 / V).sum(1), "The distance of the means is missing."),
    ):
        if np.allclose(came, value, rtol=1e-4):
            return advice
    if np.allclose(came, right, rtol=0.05, atol=0.05):
        return "Close, but draws are not needed: every mean under q has a formula."
    return "Average log q − log p under q; the mean of (z − M)² is v + (m − M)²."


def _check_penalty(answer: Any) -> str:
    for n, d in ((7, 1), (1, 3), (6, 2), (8, 5), (4, 3)):
        rng = require.rng()
        m, M = rng.normal(size=(2, n, d)) * 2
        v, V = np.exp(rng.uniform(0.5, 1.5, (2, n, d)) * rng.choice([-1.0, 1.0], (2, n, d)))
        if n > 1:
            M[0], V[0] = m[0], v[0]  # two equal bells
        raw = require.call(answer, m, v, M, V)
        came = require.array(raw, "your divergences, one per row", shape=(n,))
        require.close(
            came,
            _penalty_reference(m, v, M, V),
            what=f"the divergence of {n} pairs of bells with {d} units",
            do=_penalty_advice(came, m, v, M, V),
        )
    return "it agrees with torch.distributions; with M = 0 and V = 1 it is the chapter's penalty."


penalty = Exercise(
    "vae-penalty",
    "Return the divergence between two bells with independent units",
    check=_check_penalty,
    hints=(
        "Write log q(z) − log p(z) for one unit: two logarithms of variances and two squares.",
        "Under q the mean of (z − m)² is v, and the mean of (z − M)² is v + (m − M)².",
        "½ (v/V + (m − M)²/V − log(v/V) − 1), summed over the units with .sum(1).",
    ),
)


# --- 2. a tighter bound ---------------------------------------------------------------------------
def _tighter_picture(log_w: np.ndarray, came: np.ndarray) -> dict:
    places, top = np.arange(log_w.shape[1]), log_w.max(0)
    wanted = logsumexp(log_w, axis=0) - np.log(len(log_w))
    below = (log_w - top).ravel()
    return scene(
        panel(
            scatter(np.tile(places, len(log_w)), below, color="muted", label="log weights"),
            scatter(places, wanted - top, color="c1", marker="s", size=5, label="bound"),
            scatter(places, came - top, color="c2", marker="x", size=6, label="your answer"),
            xlabel="image",
            ylabel="nats above its largest log weight",
        )
    )


def _tighter_advice(log_w: np.ndarray, came: np.ndarray) -> str:
    right, top = logsumexp(log_w, axis=0) - np.log(len(log_w)), log_w.max(0)
    for value, advice in (
        (
            log_w.mean(0),
            "That is the mean of the logarithms, the ELBO; average the weights instead.",
        ),
        (right + np.log(len(log_w)), "That is the logarithm of the sum; the mean is log K less."),
        (top, "That is the best draw alone; the others count too."),
        (top - np.log(len(log_w)), "That is the best draw alone, over K; the others count too."),
    ):
        if np.allclose(came, value, rtol=1e-9):
            return advice
    return "Average the weights over the draws, axis 0, then take the logarithm."


def _log_weights(K: int, n: int, shift: float) -> np.ndarray:
    """(K, n): images 400 nats apart, draws a few nats; the best draw of image 0 comes twice if K > 1."""
    rng = require.rng()
    log_w = shift + rng.normal(size=(K, n)) * 3 + 400 * np.arange(n)
    log_w[rng.permutation(K)[:2], 0] = log_w[:, 0].max()
    return log_w


def _check_tighter(answer: Any) -> str:
    cases = ((7, 4, -900.0), (1, 3, -5.0), (4, 6, 0.0), (30, 1, -2000.0), (5, 5, 800.0))
    for K, n, shift in (*cases, (3, 4, -1000.0)):
        log_w = _log_weights(K, n, shift)
        if K == 3:
            log_w[log_w < log_w.max(0)] -= 3000  # draws that are hopeless beside the best
        with np.errstate(all="ignore"):
            raw = require.call(answer, log_w)
        came = require.array(raw, "your bounds, one per image", shape=(n,), finite=False)
        if not np.isfinite(came).all():
            raise Wrong(
                f"your bounds: expected finite numbers, from {log_w.min():.0f} to {log_w.max():.0f} here, came {came[~np.isfinite(came)][0]}. "
                "exp of such numbers is 0 or infinite; subtract the largest log weight of each image first."
            )
        require.close(
            came,
            logsumexp(log_w, axis=0) - np.log(K),
            rtol=1e-6,
            what=f"the bounds of {n} images with {K} draws each",
            do=_tighter_advice(log_w, came),
            figure=_tighter_picture(log_w, came),
        )
    return "with one draw it is the ELBO, with many it comes near log p, and nothing underflows."


tighter = Exercise(
    "vae-tighter",
    "Return the importance-weighted bound of each image",
    check=_check_tighter,
    hints=(
        "The mean is over the draws, the first axis, and it is taken before the logarithm.",
        "log mean exp(a) = top + log mean exp(a − top), for any number top.",
        "top = log_w.max(0), one number per image; then top + np.log(np.exp(log_w - top).mean(0)).",
    ),
)


# --- 3. keep three alive --------------------------------------------------------------------------
def _check_weight(answer: Any) -> str:
    for case in range(8):
        rng = require.rng()
        d = int(rng.integers(6, 11))
        steps = rng.uniform(0.2, 1.0, d)
        falling = np.cumsum(steps)[::-1] * rng.choice([0.05, 20.0])
        size = (3.0, 0.02)[case] if case < 2 else rng.choice([0.02, 0.4, 3.0])
        noise = float(falling.min() * size)
        alive = d if case == 0 else 1 if case == 1 else int(rng.integers(2, d))
        if case == 2:
            falling[alive] = 0.999 * falling[alive - 1]  # a narrow gap between living and dead
        variances = rng.permutation(falling)
        beta = require.number(require.call(answer, variances, noise, alive), "the weight β")
        if not beta > 0:
            raise Wrong(
                f"expected a positive weight β, came {beta:g}. β times the noise must lie between two variances, or between 0 and the smallest."
            )
        left = int((variances > beta * noise * (1 + 1e-9)).sum())
        if left != alive:
            picture = panel(
                bar(np.arange(1, d + 1), falling, label="variance"),
                plot([0.5, d + 0.5], [beta * noise] * 2, color="c2", dash="4 3", label="β · noise"),
                xlabel="direction",
                ylabel="variance",
            )
            raise Wrong(
                f"expected {alive} of {d} units alive, came {left} with your β = {beta:.4g} and noise {noise:.4g}. "
                "A unit lives while its variance is above β times the noise.",
                scene(picture),
            )
    return "the right number survives in eight random spectra."


weight = Exercise(
    "vae-weight",
    "Return a weight β at which exactly so many units survive",
    check=_check_weight,
    hints=(
        "Which quantity does each variance have to beat?",
        "β · noise must lie between two neighbours in the sorted list of variances.",
        "Sort falling, append 0, and take the middle of entries alive − 1 and alive; divide by the noise.",
    ),
)


# --- 4. noise of another shape --------------------------------------------------------------------
def _quantiles(came: np.ndarray, wanted: np.ndarray) -> dict:
    line = [float(wanted.min()), float(wanted.max())]
    return scene(
        panel(
            plot(line, line, color="muted", dash="4 3", label="equal"),
            scatter(wanted, came, color="c2", label="yours"),
            xlabel="quantile of the Laplace distribution",
            ylabel="your draw, sorted",
        )
    )


def _with_leaves(answer: Any, *given: torch.Tensor) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """The draws, and the copies of m and b that the learner's function really got."""
    require.call(answer, *given)  # says what is wrong with its arguments
    leaves: list[torch.Tensor] = []

    def watched(*copies: torch.Tensor) -> Any:
        leaves.extend(copies[:2])
        return answer(*copies)

    return require.call(watched, *given), leaves[0], leaves[1]


def _check_laplace(answer: Any) -> str:
    for side, b0, n in ((1, 0.3, 40), (-1, 2.5, 40), (-1, 0.3, 2), (1, 2.5, 24)):
        rng = require.rng()
        m0 = side * rng.uniform(2, 4)
        scales = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (m0, b0)]
        grid = (rng.permutation(n) + rng.uniform(0.2, 0.45)) / n  # evenly spread, shuffled
        noise = torch.tensor(grid)
        z, m, b = _with_leaves(answer, *scales, noise)
        came = require.tensor(z, "your draws", shape=(n,)).double().numpy()
        even = np.array([np.sort(laplace_law.ppf(u, m0, b0)) for u in (grid, 1 - grid)])
        nearer = np.abs(even - np.sort(came)).argmin(0)  # u and 1 − u are equally uniform
        wanted = even[nearer, np.arange(n)]
        require.close(
            np.sort(came),
            wanted,
            atol=1e-5,
            rtol=1e-4,
            what="your draws, sorted, against the quantiles of the distribution",
            do="Solve for z: how much of the density lies to its left must be u.",
            figure=_quantiles(np.sort(came), wanted),
        )
        again = require.call(answer, *scales, noise.flip(0))
        require.close(
            require.tensor(again, "your draws", shape=(n,)).flip(0).double().numpy(),
            came,
            atol=1e-5,
            what="your draws for the same numbers u in another order, put back in order",
            do="Draw i depends on u[i] alone: do not sort, and draw no numbers of your own.",
        )
        _check_gradient(z, m, b, (came - m0) / b0)
    return "right quantiles, and the gradients by m and b pass."


def _check_gradient(z: Any, m: torch.Tensor, b: torch.Tensor, noise: np.ndarray) -> None:
    """z = m + b · noise, so the derivative by m is 1 and by b the noise, draw by draw."""
    if not z.requires_grad:
        raise Wrong(
            "your draws: expected a gradient by m and b, came none. Stay in torch: no .item(), .detach() or NumPy."
        )
    pull = torch.linspace(1, 2, len(z), dtype=z.dtype)
    found = torch.autograd.grad((pull * z).sum(), (m, b), allow_unused=True, retain_graph=True)
    weights = pull.double().numpy()
    for name, slope, wanted in zip("mb", found, (weights.sum(), weights @ noise), strict=True):
        if slope is None:
            raise Wrong(
                f"your draws do not depend on {name} as far as autograd can see: expected a gradient. Use {name} itself, as a tensor."
            )
        require.close(
            slope.numpy(),
            wanted,
            atol=1e-4,
            rtol=1e-4,
            what=f"the gradient of a weighted sum of your draws by {name}",
            do="z should be m plus b times something that depends on u alone.",
        )


laplace = Exercise(
    "vae-laplace",
    "Write draws from the Laplace distribution as a function of uniform noise",
    check=_check_laplace,
    hints=(
        "The noise of scale 1 has density ½ e^(−|t|). What share of it lies left of t, for t < 0 and for t > 0?",
        "For u < ½: t = log(2u). For u > ½: t = −log(2(1 − u)). Both in one: −sign(u − ½) log(1 − 2|u − ½|).",
        "Return m - b * torch.sign(u - 0.5) * torch.log1p(-2 * (u - 0.5).abs()).",
    ),
)
