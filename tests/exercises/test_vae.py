"""The checks of the VAE chapter have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Laplace

from tests.exercises.chapter import AlwaysEqual, load_checks, refused, solutions

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


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("penalty", lambda m, v, M, V: ...),
        ("tighter", lambda log_w: ...),
        ("weight", lambda variances, noise, alive: ...),
        ("laplace", lambda m, b, u: ...),
    ],
)
def test_the_empty_answer_is_not_attempted(name: str, answer: object) -> None:
    assert getattr(checks, name).check(answer).status == "not attempted"


WRONG = [
    ("penalty", lambda m, v, M, V: 2 * right_penalty(m, v, M, V), "without the half"),
    ("penalty", lambda m, v, M, V: right_penalty(M, V, m, v), "the other way round"),
    ("penalty", lambda m, v, M, V: right_penalty(m, v, 0 * M, 1 + 0 * V), "the standard prior"),
    ("penalty", lambda m, v, M, V: right_penalty(m, v**2, M, V**2), "deviations for variances"),
    ("penalty", lambda m, v, M, V: right_penalty(m, v, M, V) / m.shape[1], "a mean over units"),
    ("penalty", lambda m, v, M, V: right_penalty(m, v, M, V).sum(), "a sum over everything"),
    ("penalty", lambda m, v, M, V: right_penalty(m, v, M, V) - 0.5, "a constant off"),
    ("penalty", lambda m, v, M, V: AlwaysEqual(np.ones(len(m))), "an object that lies"),
    ("tighter", lambda log_w: log_w.mean(0), "the mean of logarithms"),
    ("tighter", lambda log_w: np.log(np.exp(log_w).mean(0)), "underflow"),
    ("tighter", lambda log_w: np.logaddexp.reduce(log_w, axis=0), "a sum in place of a mean"),
    ("tighter", lambda log_w: log_w.max(0), "the best draw"),
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
    ("weight", lambda v, noise, alive: AlwaysEqual([1.0]), "an object that lies"),
    ("laplace", lambda m, b, u: m + b * torch.log(2 * u), "one side only"),
    ("laplace", lambda m, b, u: m + b * torch.erfinv(2 * u - 1), "a bell"),
    ("laplace", lambda m, b, u: m + laplace_of_two_logs(0, 1, u) / b, "divides by the scale"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(0, b, u), "forgets the middle"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(m, b, u).detach(), "no gradient"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(m, b.item(), u), "no gradient by b"),
    ("laplace", lambda m, b, u: laplace_of_two_logs(m.item(), b, u), "no gradient by m"),
    ("laplace", lambda m, b, u: Laplace(m, b).rsample(u.shape), "noise of its own"),
    ("laplace", lambda m, b, u: AlwaysEqual(np.zeros(40)), "an object that lies"),
]


@pytest.mark.parametrize(("name", "answer", "why"), WRONG, ids=[f"{n}: {w}" for n, _, w in WRONG])
def test_wrong_answers_are_refused(name: str, answer: object, why: str) -> None:
    refused(getattr(checks, name), answer, why)


@pytest.mark.parametrize("name", ["penalty", "tighter", "weight", "laplace"])
def test_the_notebooks_solution_is_right(name: str) -> None:
    assert getattr(checks, name).check(SOLUTIONS[f"{name}_solution"]).status == "right"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("penalty", penalty_in_torch),
        ("tighter", bound_by_logaddexp),
        ("weight", weight_below_a_unit),
        ("laplace", laplace_of_two_logs),
        ("laplace", laplace_downhill),
        ("laplace", laplace_by_library),
    ],
)
def test_another_style_is_right(name: str, answer: object) -> None:
    assert getattr(checks, name).check(answer).status == "right"


def test_the_missing_half_is_called_by_its_name() -> None:
    card = checks.penalty.check(lambda m, v, M, V: 2 * right_penalty(m, v, M, V))
    assert "½" in card.text


def test_underflow_is_called_by_its_name() -> None:
    assert "largest log weight" in checks.tighter.check(lambda w: np.log(np.exp(w).mean(0))).text


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
