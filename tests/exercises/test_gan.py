"""The checks of the GAN chapter have been seen failing, and accept right answers in any style."""

import numpy as np
import torch

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/gan")
SOLUTIONS = solutions("models/gan")


def half_and_half(q, p, share):
    return np.where(q + p > 0, q / np.maximum(q + p, 1e-300), share)


def swapped_share(q, p, share):
    seen = (1 - share) * q + share * p
    return np.where(seen > 0, (1 - share) * q / np.maximum(seen, 1e-300), share)


def forgets_the_empty_note(q, p, share):
    return share * q / (share * q + (1 - share) * p)


def says_half_for_the_empty_note(q, p, share):
    right = SOLUTIONS["share_solution"](q, p, share)
    return np.where(q + p > 0, right, 0.5)


def calls_the_first_note_empty(q, p, share):
    right = share * q / np.maximum(share * q + (1 - share) * p, 1e-300)
    return np.r_[share, right[1:]]


def share_in_a_loop(q, p, share):
    odds = [(share * a, (1 - share) * b) for a, b in zip(q, p, strict=True)]
    return [share if a + b == 0 else a / (a + b) for a, b in odds]


def wrong_sign(name, a):
    return -SOLUTIONS["slopes_solution"](name, a)


def without_the_logarithm(name, a):
    D = 1 / (1 + np.exp(-a))
    return {"non-saturating": -D * (1 - D), "least squares": 2 * (a - 1), "both": -np.ones_like(a)}[
        name
    ]


def saturating_instead(name, a):
    D = 1 / (1 + np.exp(-a))
    return {"non-saturating": -D, "least squares": 2 * (a - 1), "both": -np.ones_like(a)}[name]


def half_of_the_square(name, a):
    return a - 1 if name == "least squares" else SOLUTIONS["slopes_solution"](name, a)


def slopes_by_autograd(name, a):
    t = torch.tensor(a, requires_grad=True)
    sat, non = -torch.nn.functional.softplus(t), torch.nn.functional.softplus(-t)
    loss = {"non-saturating": non, "least squares": (t - 1) ** 2, "both": sat + non}[name]
    return torch.autograd.grad(loss.sum(), t)[0]


def plain_step(theta, psi, push, h):
    d_theta, d_psi = push(theta, psi)
    return theta + h * d_theta, psi + h * d_psi


def alternating_step(theta, psi, push, h):
    theta = theta + h * push(theta, psi)[0]
    return theta, psi + h * push(theta, psi)[1]


def from_the_trial_point(theta, psi, push, h):
    theta, psi = plain_step(theta, psi, push, h)
    return plain_step(theta, psi, push, h)


def to_zero(theta, psi, push, h):
    return 0.9 * theta, 0.9 * psi


def trial_of_half_a_step(theta, psi, push, h):
    d_theta, d_psi = push(*plain_step(theta, psi, push, h / 2))
    return theta + h * d_theta, psi + h * d_psi


def straight_to_the_saddle(theta, psi, push, h):
    d_theta, d_psi = push(0.0, 0.0)
    return theta - 0.1 * (theta - 2 * d_psi), psi - 0.1 * (psi + 2 * d_theta)


def extragradient_in_complex_numbers(theta, psi, push, h):
    old = complex(theta, psi)
    trial = old + h * complex(*push(theta, psi))
    new = old + h * complex(*push(trial.real, trial.imag))
    return [new.real, new.imag]


GAPS = [("mixture", [0.3, ..., 0.3])]

WRONG = [
    ("share", half_and_half, "ignores the share"),
    ("share", swapped_share, "the share of the forged"),
    ("share", forgets_the_empty_note, "0 / 0"),
    ("share", says_half_for_the_empty_note, "one half where nothing is known"),
    ("share", calls_the_first_note_empty, "knows where the check puts the empty note"),
    ("share", lambda q, p, share: AlwaysEqual(np.ones(6)), "an object that lies"),
    ("share", lambda q, p: q / (q + p), "wrong arguments"),
    ("mixture", [1 / 3, 1 / 3, 1 / 3], "even"),
    ("mixture", [0.5, 0.25, 0.25], "more rock"),
    ("mixture", [0.25, 0.25, 0.5], "more scissors"),
    ("mixture", [1, 2, 1], "not normalised"),
    ("mixture", [1.25, -0.5, 0.25], "negative"),
    ("mixture", AlwaysEqual([0.25, 0.5, 0.25]), "an object that lies"),
    ("slopes", wrong_sign, "the other direction"),
    ("slopes", without_the_logarithm, "1 − D without the logarithm"),
    ("slopes", saturating_instead, "the saturating slope"),
    ("slopes", half_of_the_square, "half a square"),
    ("slopes", lambda name, a: AlwaysEqual(a), "an object that lies"),
    ("spiral", plain_step, "simultaneous"),
    ("spiral", alternating_step, "alternating"),
    ("spiral", from_the_trial_point, "two plain steps"),
    ("spiral", trial_of_half_a_step, "a shorter trial"),
    ("spiral", straight_to_the_saddle, "no game is played"),
    ("spiral", to_zero, "shrinks towards zero, where the saddle is not"),
    ("spiral", lambda theta, psi, push, h: AlwaysEqual([0.0, 0.0]), "an object that lies"),
    ("spiral", lambda theta, psi, push, h: (theta, psi), "stands still"),
]

RIGHT = [
    ("share", share_in_a_loop),
    ("mixture", (1 / 4, 2 / 4, 1 / 4)),
    ("slopes", slopes_by_autograd),
    ("spiral", extragradient_in_complex_numbers),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_right_at_the_first_step_alone_is_refused() -> None:
    """One extragradient step a walk, then straight to the saddle."""
    calls = 0

    def careless(*args):
        nonlocal calls
        calls += 1
        rule = extragradient_in_complex_numbers if calls in (1, 2) else straight_to_the_saddle
        return rule(*args)

    card = checks.spiral.check(careless)
    assert card.status == "not yet"
    assert "trial step" in card.text


def test_zero_by_zero_is_called_by_its_name() -> None:
    assert "0 / 0" in checks.share.check(forgets_the_empty_note).text


def test_the_chapters_adam_is_torchs() -> None:
    """Rows with rates of their own, as the notebook uses them, against torch.optim.Adam on each row."""
    g, rates = torch.Generator().manual_seed(0), (0.01, 0.1)
    theta, gradients = torch.randn(2, 5, generator=g), torch.randn(20, 2, 5, generator=g)
    rows = [torch.nn.Parameter(row.clone()) for row in theta]
    theirs = [
        torch.optim.Adam([r], lr=lr, betas=(0.5, 0.9)) for r, lr in zip(rows, rates, strict=True)
    ]
    ours = SOLUTIONS["Adam"](theta)
    for gradient in gradients:
        theta = ours.step(theta, gradient, torch.tensor(rates)[:, None])
        for row, optimiser, g_row in zip(rows, theirs, gradient, strict=True):
            row.grad = g_row.clone()
            optimiser.step()
    assert torch.allclose(theta, torch.stack([row.detach() for row in rows]), atol=1e-5)
