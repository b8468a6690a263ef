"""The checks of the unified-view chapter have been seen failing, and accept right answers in any style."""

import numpy as np
import pytest
import torch
from scipy.special import rel_entr, softmax

from tests.exercises.chapter import AlwaysEqual, load_checks, refused, solutions

checks = load_checks("models/generative_unified")
SOLUTIONS = solutions("models/generative_unified")


def faults_exchanged(Q, P):
    return SOLUTIONS["parts_solution"](Q, P)[::-1]


def model_first(Q, P):
    return SOLUTIONS["parts_solution"](P + 1e-12, Q + 1e-12)


def zeros_forgotten(Q, P):
    maker = (Q.sum(1) * np.log(Q.sum(1) / P.sum(1))).sum()
    return maker, (Q * np.log(Q / P)).sum() - maker


def split_by_codes(Q, P):
    maker = rel_entr(Q.sum(0), P.sum(0)).sum()
    return maker, rel_entr(Q, P).sum() - maker


def reader_not_weighted(Q, P):
    q, p = Q.sum(1, keepdims=True), P.sum(1, keepdims=True)
    given = np.divide(Q, q, out=np.zeros_like(Q), where=q > 0)
    return rel_entr(q, p).sum(), rel_entr(given, P / p).sum(1).mean()


def whole_as_reader(Q, P):
    return rel_entr(Q.sum(1), P.sum(1)).sum(), rel_entr(Q, P).sum()


def parts_in_a_loop(Q, P):
    maker = reader = 0.0
    for a, b in zip(Q, P, strict=True):
        if a.sum() > 0:
            maker += a.sum() * np.log(a.sum() / b.sum())
            reader += sum(s * np.log(s / a.sum() / (t / b.sum())) for s, t in zip(a, b) if s > 0)  # noqa: B905
    return [maker, reader]


def no_mean(logits, D):
    return softmax(logits) * -np.log(D)


def uphill(logits, D):
    return -SOLUTIONS["forger_solution"](logits, D)


def saturating(logits, D):
    p, loss = softmax(logits), np.log(1 - D)
    return p * (loss - p @ loss)


def plain_mean(logits, D):
    loss = -np.log(D)
    return softmax(logits) * (loss - loss.mean())


def without_the_logarithm(logits, D):
    p = softmax(logits)
    return p * (p @ D - D)


def forger_by_autograd(logits, D):
    t = torch.tensor(logits, requires_grad=True)
    loss = -(torch.softmax(t, 0) * torch.tensor(D).log()).sum()
    return torch.autograd.grad(loss, t)[0]


def order_exchanged(precision):
    return SOLUTIONS["variances_solution"](precision)[::-1]


def widths(precision):
    held, alone = SOLUTIONS["variances_solution"](precision)
    return np.sqrt(held), np.sqrt(alone)


def twice_held(precision):
    return 1 / np.diag(precision), 1 / np.diag(precision)


def twice_alone(precision):
    return np.diag(np.linalg.inv(precision)), np.diag(np.linalg.inv(precision))


def precisions(precision):
    return np.diag(precision), 1 / np.diag(np.linalg.inv(precision))


def variances_by_solving(precision):
    columns = np.linalg.solve(precision, np.eye(4))
    return [[1 / precision[i, i] for i in range(4)], [columns[i, i] for i in range(4)]]


def margins(p, r):
    return p.sum(1), p.sum(0)


def one_round(p, r):
    q = softmax(np.log(p) @ r)
    return q, softmax(q @ np.log(p))


def arithmetic_means(p, r):
    for _ in range(200):
        q = p @ r / (p @ r).sum()
        r = q @ p / (q @ p).sum()
    return q, r


def own_start(p, r):
    return SOLUTIONS["meanfield_solution"](p, np.full(3, 1 / 3))


def from_the_margin(p, r):
    return SOLUTIONS["meanfield_solution"](p, p.sum(0))


def both_at_once(p, r):
    return SOLUTIONS["meanfield_solution"](p, r)[::-1]


def meanfield_by_products(p, r):
    for _ in range(200):
        q = np.prod(p**r, axis=1)
        q /= q.sum()
        r = np.prod(p ** q[:, None], axis=0)
        r /= r.sum()
    return [q, r]


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("parts", lambda Q, P: ...),
        ("forger", lambda logits, D: ...),
        ("variances", lambda precision: ...),
        ("meanfield", lambda p, r: ...),
    ],
)
def test_the_empty_answer_is_not_attempted(name: str, answer: object) -> None:
    assert getattr(checks, name).check(answer).status == "not attempted"


WRONG = [
    ("parts", faults_exchanged, "reader before maker"),
    ("parts", model_first, "the other direction"),
    ("parts", zeros_forgotten, "0 log 0"),
    ("parts", split_by_codes, "margins of the codes"),
    ("parts", reader_not_weighted, "a plain mean over pictures"),
    ("parts", whole_as_reader, "the whole KL as the reader's"),
    ("parts", lambda Q, P: AlwaysEqual([0.1, 0.2]), "an object that lies"),
    ("parts", lambda Q: (0.0, 0.0), "wrong arguments"),
    ("forger", no_mean, "without the mean cost"),
    ("forger", uphill, "the other sign"),
    ("forger", saturating, "the saturating loss"),
    ("forger", plain_mean, "a mean that ignores p"),
    ("forger", without_the_logarithm, "D without its logarithm"),
    ("forger", lambda logits, D: AlwaysEqual(np.zeros(6)), "an object that lies"),
    ("variances", order_exchanged, "the order of the two directions"),
    ("variances", widths, "spreads instead of variances"),
    ("variances", twice_held, "one answer for both"),
    ("variances", twice_alone, "true widths for both"),
    ("variances", precisions, "precisions instead of variances"),
    ("variances", lambda precision: AlwaysEqual(np.ones((2, 4))), "an object that lies"),
    ("meanfield", margins, "the best product in the other direction"),
    ("meanfield", one_round, "one round only"),
    ("meanfield", arithmetic_means, "arithmetic means"),
    ("meanfield", own_start, "a start of one's own"),
    ("meanfield", from_the_margin, "starts from the margin"),
    ("meanfield", both_at_once, "r before q"),
    ("meanfield", lambda p, r: AlwaysEqual([1.0, 0.0]), "an object that lies"),
]


@pytest.mark.parametrize(("name", "answer", "why"), WRONG, ids=[f"{n}: {w}" for n, _, w in WRONG])
def test_wrong_answers_are_refused(name: str, answer: object, why: str) -> None:
    refused(getattr(checks, name), answer, why)


@pytest.mark.parametrize("name", ["parts", "forger", "variances", "meanfield"])
def test_the_notebooks_solution_is_right(name: str) -> None:
    assert getattr(checks, name).check(SOLUTIONS[f"{name}_solution"]).status == "right"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("parts", parts_in_a_loop),
        ("forger", forger_by_autograd),
        ("variances", variances_by_solving),
        ("meanfield", meanfield_by_products),
    ],
)
def test_another_style_is_right(name: str, answer: object) -> None:
    assert getattr(checks, name).check(answer).status == "right"


def test_an_exchanged_order_is_called_by_its_name() -> None:
    assert "order" in checks.variances.check(order_exchanged).text


def test_the_chapters_adam_is_torchs() -> None:
    """The chapter's `Adam`, with a usual and a shortened first memory, against torch.optim.Adam."""
    for first in (0.9, 0.5):
        g = torch.Generator().manual_seed(0)
        ours, theirs = (torch.randn(4, 3, generator=g.manual_seed(1)) for _ in range(2))
        theirs = torch.nn.Parameter(theirs)
        reference = torch.optim.Adam([theirs], lr=0.03, betas=(first, 0.999))
        adam = SOLUTIONS["Adam"]([ours], 0.03, first)
        for _ in range(20):
            gradient = torch.randn(4, 3, generator=g)
            adam.step([gradient])
            theirs.grad = gradient.clone()
            reference.step()
        assert torch.allclose(ours, theirs.detach(), atol=1e-5)
