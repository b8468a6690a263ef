"""The checks of the unified-view chapter have been seen failing, and accept right answers in any style."""

import numpy as np
import torch
from scipy.special import rel_entr, softmax

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

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
    columns = np.linalg.solve(precision, np.eye(len(precision)))
    return [[1 / v for v in np.diag(precision)], [row[i] for i, row in enumerate(columns)]]


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
    return SOLUTIONS["meanfield_solution"](p, np.full(len(r), 1 / len(r)))


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


def rounds_of(count):
    def few(p, r):
        for _ in range(count):
            q = softmax(np.log(p) @ r)
            r = softmax(q @ np.log(p))
        return q, r

    return few


def until_nothing_moves(p, r):
    while True:
        q = softmax(np.log(p) @ r)
        r, before = softmax(q @ np.log(p)), r
        if np.abs(r - before).max() < 1e-9:
            return q, r


def empties_the_table(Q, P):
    Q[Q == 0] = 1e-12
    return SOLUTIONS["parts_solution"](Q, P)


def parts_in_bits(Q, P):
    return np.array(SOLUTIONS["parts_solution"](Q, P)) / np.log(2)


def parts_by_nansum(Q, P):
    with np.errstate(all="ignore"):
        maker = np.nansum(Q.sum(1) * np.log(Q.sum(1) / P.sum(1)))
        return np.array([maker, np.nansum(Q * np.log(Q / P)) - maker])


WRONG = [
    ("parts", faults_exchanged, "reader before maker", "order"),
    ("parts", model_first, "the other direction"),
    ("parts", zeros_forgotten, "0 log 0", "0 log 0"),
    ("parts", split_by_codes, "margins of the codes", "axis 1"),
    ("parts", reader_not_weighted, "a plain mean over pictures"),
    ("parts", whole_as_reader, "the whole KL as the reader's", "whole"),
    ("parts", lambda Q, P: AlwaysEqual([0.1, 0.2]), "an object that lies"),
    ("parts", lambda Q: (0.0, 0.0), "wrong arguments"),
    ("parts", parts_in_bits, "bits", "natural logarithm"),
    ("parts", empties_the_table, "fills the zeros in place", "changed its input"),
    ("parts", lambda Q, P: rel_entr(Q, P).sum(), "one number", "shape"),
    ("forger", no_mean, "without the mean cost", "mean cost"),
    ("forger", uphill, "the other sign", "sign"),
    ("forger", saturating, "the saturating loss"),
    ("forger", plain_mean, "a mean that ignores p", "under p"),
    ("forger", without_the_logarithm, "D without its logarithm"),
    ("forger", lambda t, D: SOLUTIONS["forger_solution"](t, D) / len(D), "a mean", "divide"),
    ("forger", lambda logits, D: -softmax(logits) / D, "by p, not by the logits"),
    ("forger", lambda logits, D: AlwaysEqual(np.zeros(6)), "an object that lies"),
    ("variances", order_exchanged, "the order of the two directions", "order"),
    ("variances", widths, "spreads instead of variances", "squares"),
    ("variances", twice_held, "one answer for both", "first is right"),
    ("variances", twice_alone, "true widths for both", "second is right"),
    ("variances", precisions, "precisions instead of variances", "precisions"),
    ("variances", lambda L: (1 / np.diag(np.linalg.inv(L)), np.diag(L)), "a covariance", "inverse"),
    ("variances", lambda L: 1 / np.linalg.eigvalsh(L), "own directions", "shape"),
    ("variances", lambda precision: AlwaysEqual(np.ones((2, 4))), "an object that lies"),
    ("meanfield", margins, "the best product in the other direction", "margins"),
    ("meanfield", one_round, "one round only", "too few"),
    ("meanfield", arithmetic_means, "arithmetic means"),
    ("meanfield", own_start, "a start of one's own", "given r"),
    ("meanfield", from_the_margin, "starts from the margin", "given r"),
    ("meanfield", both_at_once, "r before q"),
    ("meanfield", rounds_of(5), "five rounds", "too few"),
    ("meanfield", rounds_of(20), "twenty rounds", "too few"),
    ("meanfield", lambda p, r: SOLUTIONS["meanfield_solution"](p, r)[0], "q alone", "pair"),
    ("meanfield", lambda p, r: AlwaysEqual([1.0, 0.0]), "an object that lies"),
]


RIGHT = [
    ("parts", parts_in_a_loop),
    ("parts", parts_by_nansum),
    ("forger", forger_by_autograd),
    ("variances", variances_by_solving),
    ("meanfield", meanfield_by_products),
    ("meanfield", until_nothing_moves),
]

GAPS = [
    ("parts", lambda Q, P: (0.1, ...)),
    ("variances", lambda precision: (1 / np.diag(precision), ...)),
    ("meanfield", lambda p, r: (r, ...)),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


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
