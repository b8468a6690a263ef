"""The checks of the lineage chapter have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.exercises.chapter import AlwaysEqual, load_checks, solutions

checks = load_checks("models/cnn_lineage")
SOLUTIONS = solutions("models/cnn_lineage")

GOOD = [(8, 3, 2, 1), (16, 3, 2, 1), (16, 3, 2, 1), (10, 4, 1, 0)]


def ignores_strides(layers):
    return 1 + sum(k - 1 for k, _ in layers)


def counts_stride_too_soon(layers):
    sees, jump = 1, 1
    for k, s in layers:
        jump *= s
        sees += (k - 1) * jump
    return sees


def from_the_top(layers):
    sees = 1
    for k, s in layers[::-1]:
        sees = s * (sees - 1) + k
    return sees


def reversed_order(layers):
    return from_the_top(layers[::-1])


def by_autograd(layers):
    x = torch.ones(1, 1, 4000, dtype=torch.float64, requires_grad=True)
    z = x
    for k, s in layers:
        z = F.conv1d(z, torch.ones(1, 1, k, dtype=torch.float64), stride=s)
    z[0, 0, 0].backward()
    return len(x.grad.flatten().nonzero())


def not_strict(c, m, k):
    return (c * m * k * k) // (c + m * k * k)


def a_quarter(c, m, k):
    return c // 4


def forgets_first_cost(c, m, k):
    return c - 1


def a_fraction(c, m, k):
    return c * m * k * k / (c + m * k * k)


def by_search(c, m, k):
    return max([r for r in range(1, c + 1) if c * r + r * m * k**2 < c * m * k**2], default=0)


def block(x, w1, w2, w0, *, inner=True, outer=True, on_shortcut=False, shortcut=True, early=False):
    f = F.conv2d(x, w1, stride=2, padding=1)
    f = F.conv2d(F.relu(f) if inner else f, w2, padding=1)
    s = F.conv2d(x, w0, stride=2)
    s = F.relu(s) if on_shortcut else s
    if early:
        return F.relu(f) + s
    z = f + s if shortcut else f
    return F.relu(z) if outer else z


def block_by_modules(x, w1, w2, w0):
    first = torch.nn.Conv2d(x.shape[1], len(w1), 3, stride=2, padding=1, bias=False).double()
    first.weight = torch.nn.Parameter(w1)
    second = torch.nn.functional.conv2d(first(x).clamp(min=0), w2, padding="same")
    side = torch.tensordot(x[..., ::2, ::2], w0[:, :, 0, 0], dims=([1], [1])).movedim(-1, 1)
    return torch.maximum(second + side, torch.zeros(()))


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("field", lambda layers: ...),
        ("shrink", lambda c, m, k: ...),
        ("block", lambda x, w1, w2, w0: ...),
        ("design", ...),
        ("design", [(8, 3, 2, 1), ...]),
    ],
)
def test_the_empty_answer_is_not_attempted(name: str, answer: object) -> None:
    assert getattr(checks, name).check(answer).status == "not attempted"


WRONG = [
    ("field", ignores_strides, "ignores the strides"),
    ("field", counts_stride_too_soon, "counts a layer's own stride"),
    ("field", reversed_order, "starts at the wrong end"),
    ("field", lambda layers: math.prod(k for k, _ in layers), "multiplies the windows"),
    ("field", lambda layers: AlwaysEqual([3.0]), "an object that lies"),
    ("field", lambda layers: str(from_the_top(layers)), "a text"),
    ("shrink", not_strict, "equal cost is no saving"),
    ("shrink", a_quarter, "a rule of thumb"),
    ("shrink", forgets_first_cost, "forgets what the shrink costs"),
    ("shrink", a_fraction, "no whole number"),
    ("shrink", lambda c, m, k: AlwaysEqual([1.0]), "an object that lies"),
    ("block", lambda *a: block(*a, inner=False), "no ReLU inside"),
    ("block", lambda *a: block(*a, outer=False), "no ReLU after the sum"),
    ("block", lambda *a: block(*a, early=True), "ReLU before the sum"),
    ("block", lambda *a: block(*a, on_shortcut=True), "ReLU on the shortcut"),
    ("block", lambda *a: block(*a, shortcut=False), "no shortcut"),
    ("block", lambda *a: AlwaysEqual(np.zeros((3, 3))), "an object that lies"),
    ("design", [(10, 32, 1, 0)], "too many parameters"),
    ("design", [(8, 3, 1, 1), (16, 3, 1, 1), (10, 32, 1, 0)], "too much of everything"),
    ("design", [(16, 5, 1, 2), (16, 3, 4, 1), (10, 8, 1, 0)], "too many MACs"),
    ("design", GOOD[:-1], "does not end with one place"),
    ("design", [(8, 1, 8, 0), (10, 4, 1, 0)], "skips pixels"),
    ("design", [(8, 3, 2, 1), (9, 40, 1, 0)], "a window that does not fit"),
    ("design", [(8.5, 3, 2, 1), *GOOD[1:]], "half a channel"),
    ("design", [(-8, 3, 2, 1), *GOOD[1:]], "negative channels"),
    ("design", AlwaysEqual([[8, 3, 2, 1]]), "an object that lies"),
]


@pytest.mark.parametrize(("name", "answer", "why"), WRONG, ids=[f"{n}: {w}" for n, _, w in WRONG])
def test_wrong_answers_are_refused(name: str, answer: object, why: str) -> None:
    card = getattr(checks, name).check(answer)
    assert card.status == "not yet", why
    assert len(card.text) > 20


def test_a_remembered_answer_is_refused() -> None:
    memory: list[int] = []

    def remembers(c, m, k):
        memory.append(memory[0] if len(memory) > 4 else by_search(c, m, k))
        return memory[-1]

    assert checks.shrink.check(remembers).status == "not yet"


@pytest.mark.parametrize(
    ("name", "solution"),
    [
        ("field", "field_of_view_solution"),
        ("shrink", "largest_shrink_solution"),
        ("block", "residual_block_solution"),
        ("design", "design_solution"),
    ],
)
def test_the_notebooks_solution_is_right(name: str, solution: str) -> None:
    assert getattr(checks, name).check(SOLUTIONS[solution]).status == "right"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("field", from_the_top),
        ("field", by_autograd),
        ("shrink", by_search),
        ("shrink", lambda c, m, k: math.ceil(c * m * k**2 / (c + m * k**2)) - 1),
        ("block", block_by_modules),
        ("block", lambda *a: block(*a).numpy()),
        ("design", ((6, 5, 2, 2), (12, 7, 4, 3), (10, 4, 1, 0))),
        ("design", np.array(GOOD).tolist()),
    ],
)
def test_a_right_answer_in_another_style_is_accepted(name: str, answer: object) -> None:
    card = getattr(checks, name).check(answer)
    assert card.status == "right", card.text
