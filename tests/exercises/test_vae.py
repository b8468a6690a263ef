"""The checks of the VAE chapter have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import torch
from torch.distributions import Laplace

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/vae")
SOLUTIONS = solutions("models/vae")


def right_penalty(m, v, M, V):
    return SOLUTIONS["penalty_solution"](m, v, M, V)


def penalty_in_torch(m, v, M, V):
    m, v, M, V = (torch.tensor(t) for t in (m, v, M, V))
    ratio = v / V
    return (0.5 * (ratio - ratio.log() - 1) + (m - M) ** 2 / (2 * V)).sum(1)


def bound_by_logaddexp(log_w):
    return [float(np.logaddexp.reduce(column)) - math.log(len(log_w)) for column in log_w.T]


def weight_below_a_unit(variances, noise, alive):
    return 0.999999 * sorted(variances, reverse=True)[alive - 1] / noise


def laplace_of_two_logs(m, b, u):
    left, right = torch.log(2 * u), -torch.log(2 * (1 - u))
    return m + b * torch.where(u < 0.5, left, right)


def laplace_downhill(m, b, u):
    return laplace_of_two_logs(m, b, 1 - u)


def laplace_by_library(m, b, u):
    return Laplace(m, b).icdf(u)


def laplace_by_magnitude(m, b, u):
    """|2u − 1| is uniform too, and independent of the side."""
    return m - b * torch.sign(u - 0.5) * torch.log((2 * u - 1).abs())


def laplace_half_a_turn_later(m, b, u):
    return laplace_of_two_logs(m, b, (u + 0.5) % 1)


def laplace_in_single_precision(m, b, u):
    return laplace_of_two_logs(m.float(), b.float(), u.float())


def penalty_piece(m, v, M, V, logarithm=1.0, distance=1.0, one=1.0):
    parts = v / V + distance * (m - M) ** 2 / V - logarithm * np.log(v / V) - one
    return 0.5 * parts.sum(1)


def penalty_by_draws(m, v, M, V):
    z = m + np.sqrt(v) * np.random.default_rng().normal(size=(20_000, *m.shape))
    return 0.5 * (np.log(V / v) + (z - M) ** 2 / V - (z - m) ** 2 / v).sum(2).mean(0)


def shifted_by_the_mean(log_w):
    middle = log_w.mean(0)
    return middle + np.log(np.exp(log_w - middle).mean(0))


def sorts_in_place(variances, noise, alive):
    variances.sort()
    return 0.9999 * variances[-alive] / noise


WRONG = [
    ("penalty", lambda m, v, M, V: 2 * right_penalty(m, v, M, V), "without the half", "½"),
    ("penalty", lambda m, v, M, V: right_penalty(M, V, m, v), "the other way round", "other way"),
    (
        "penalty",
        lambda m, v, M, V: right_penalty(m, v, 0 * M, 1 + 0 * V),
        "the standard prior",
        "standard normal",
    ),
    (
        "penalty",
        lambda m, v, M, V: right_penalty(m, v**2, M, V**2),
        "deviations for variances",
        "already",
    ),
    ("penalty", lambda m, v, M, V: right_penalty(m, v, M, V) / m.shape[1], "a mean over units"),
    ("penalty", lambda m, v, M, V: right_penalty(m, v, M, V).sum(), "a sum over everything"),
    ("penalty", lambda m, v, M, V: right_penalty(m, v, M, V) - 0.5, "a constant off"),
    ("penalty", lambda m, v, M, V: AlwaysEqual(np.ones(len(m))), "an object that lies"),
    ("penalty", lambda *bells: penalty_piece(*bells, one=0), "without the −1", "−1"),
    ("penalty", lambda *bells: penalty_piece(*bells, logarithm=0), "no logarithm", "logarithm"),
    ("penalty", lambda *bells: penalty_piece(*bells, logarithm=-1), "its sign", "sign"),
    ("penalty", lambda *bells: penalty_piece(*bells, distance=0), "no distance", "distance"),
    ("penalty", penalty_by_draws, "an average over draws", "formula"),
    (
        "penalty",
        lambda *bells: right_penalty(*bells).squeeze(),
        "one row becomes a number",
        "shape",
    ),
    ("tighter", lambda log_w: log_w.mean(0), "the mean of logarithms", "ELBO"),
    ("tighter", lambda log_w: np.log(np.exp(log_w).mean(0)), "underflow", "largest log weight"),
    ("tighter", lambda log_w: np.logaddexp.reduce(log_w, axis=0), "a sum for a mean", "log K less"),
    ("tighter", lambda log_w: log_w.max(0), "the best draw", "best draw"),
    ("tighter", lambda log_w: log_w.max(0) - math.log(len(log_w)), "the others ignored", "over K"),
    ("tighter", shifted_by_the_mean, "overflows beside hopeless draws", "largest log weight"),
    ("tighter", lambda log_w: SOLUTIONS["tighter_solution"](log_w).squeeze(), "one image", "shape"),
    ("tighter", lambda log_w: SOLUTIONS["tighter_solution"](log_w.T), "the other axis"),
    ("tighter", lambda log_w: SOLUTIONS["tighter_solution"](log_w).mean(), "one number"),
    (
        "tighter",
        lambda log_w: log_w.max() + np.log(np.exp(log_w - log_w.max()).mean(0) + 1e-300),
        "one shift for all images",
    ),
    ("tighter", lambda log_w: AlwaysEqual(log_w[0]), "an object that lies"),
    ("weight", lambda v, noise, alive: noise * sorted(v)[-alive], "a product"),
    ("weight", lambda v, noise, alive: v[alive - 1] / noise, "not sorted"),
    ("weight", lambda v, noise, alive: sorted(v)[-alive] / noise, "the unit itself dies"),
    ("weight", lambda v, noise, alive: 0.999 * sorted(v)[alive - 1] / noise, "the wrong end"),
    ("weight", lambda v, noise, alive: 0.999 * sorted(v)[-alive], "without the noise"),
    ("weight", lambda v, noise, alive: 1.0, "always one"),
    ("weight", lambda v, noise, alive: 0.99 * sorted(v)[-alive] / noise, "a hundredth below"),
    ("weight", lambda v, noise, alive: 0.0, "no penalty at all", "positive"),
    ("weight", sorts_in_place, "sorts in place", "changed its input"),
    ("weight", lambda v, noise, alive: AlwaysEqual([1.0]), "an object that lies"),
    ("laplace", lambda m, b, u: m + b * torch.log(2 * u), "one side only"),
    ("laplace", lambda m, b, u: m + b * torch.erfinv(2 * u - 1), "a bell"),
    ("laplace", lambda m, b, u: m + laplace_of_two_logs(0, 1, u) / b, "divides by the scale"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(0, b, u), "forgets the middle"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(m, b, u).detach(), "no gradient"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(m, b.item(), u), "no gradient by b"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(m.item(), b, u), "no gradient by m"),
    ("laplace", lambda m, b, u: Laplace(m, b).rsample(u.shape), "noise of its own"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(m.abs(), b, u), "forgets the sign of m"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(m, b, u.sort()[0]), "sorts", "u[i] alone"),
    ("laplace", lambda m, b, u: Laplace(m, b).icdf((torch.arange(len(u)) + 0.5) / len(u)), "no u"),
    ("laplace", lambda m, b, u: (m + b * torch.log(2 * u)).numpy(), "NumPy"),
    ("laplace", lambda m, b, u: AlwaysEqual(np.zeros(40)), "an object that lies"),
]


RIGHT = [
    ("penalty", penalty_in_torch),
    ("penalty", lambda m, v, M, V: list(penalty_piece(m, v, M, V))),
    ("tighter", bound_by_logaddexp),
    ("tighter", lambda log_w: torch.logsumexp(torch.tensor(log_w), 0) - math.log(len(log_w))),
    ("weight", weight_below_a_unit),
    (
        "weight",
        lambda v, noise, alive: [*sorted(v)[::-1], 0][alive] / noise or v.min() / noise / 2,
    ),
    ("laplace", laplace_of_two_logs),
    ("laplace", laplace_downhill),
    ("laplace", laplace_by_library),
    ("laplace", laplace_by_magnitude),
    ("laplace", laplace_half_a_turn_later),
    ("laplace", laplace_in_single_precision),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right = WRONG, RIGHT


def test_a_factor_that_forgets_the_chain_rule_is_refused() -> None:
    """Right numbers, but the gradient by b is that of twice the noise."""

    def careless(m, b, u):
        z = laplace_of_two_logs(m, b, u)
        return z + (z - m) - (z - m).detach()

    assert "by b" in checks.laplace.check(careless).text


def test_the_chapters_adam_is_torchs() -> None:
    """Networks with rates of their own, as the notebook uses them, against torch.optim.Adam on each."""
    g, rates = torch.Generator().manual_seed(0), (0.01, 0.1)
    w, gradients = torch.randn(2, 3, 5, generator=g), torch.randn(20, 2, 3, 5, generator=g)
    theirs = [row.clone().requires_grad_() for row in w]
    ours = SOLUTIONS["Adam"]([w], torch.tensor(rates)[:, None, None])
    each = [torch.optim.Adam([row], lr=r) for row, r in zip(theirs, rates, strict=True)]
    for gradient in gradients:
        ours.step((gradient,))
        for row, optimiser, part in zip(theirs, each, gradient, strict=True):
            row.grad = part
            optimiser.step()
    assert torch.allclose(w, torch.stack(theirs), atol=1e-5)
