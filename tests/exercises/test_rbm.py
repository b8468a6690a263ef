"""The checks of the RBM chapter have been seen failing, and accept right answers in any style."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/rbm")
SOLUTIONS = solutions("models/rbm")


def states(n):
    return np.array(list(product((0.0, 1.0), repeat=n)))


def minus_f(V, W, a, b, *, naive=False):
    z = V @ W + b
    with np.errstate(over="ignore"):
        soft = np.log(1 + np.exp(z)) if naive else np.logaddexp(0, z)
    return V @ a + soft.sum(-1)


def log_sum(z):
    return z.max() + np.log(np.exp(z - z.max()).sum())


def likelihood(V, W, a, b, *, sign=1.0, naive=False, z=True, hidden_bias=True):
    b = b if hidden_bias else 0 * b
    small = len(a) <= len(b)
    total = minus_f(states(len(a)), W, a, b) if small else minus_f(states(len(b)), W.T, b, a)
    return sign * minus_f(V, W, a, b, naive=naive) - (log_sum(total) if z else 0)


def visible_listed(V, W, a, b):
    return minus_f(V, W, a, b) - log_sum(minus_f(states(min(len(a), 12)), W[:12], a[:12], b))


@cache
def kept_states(n):
    return states(n)


def lists_visible(V, W, a, b):
    return minus_f(V, W, a, b) - log_sum(minus_f(kept_states(len(a)), W, a, b))


def lists_hidden(V, W, a, b):
    return minus_f(V, W, a, b) - log_sum(minus_f(states(len(b)), W.T, b, a))


def lists_both(V, W, a, b):
    v, h = np.split(states(len(a) + len(b)), [len(a)], axis=1)
    return minus_f(V, W, a, b) - log_sum(v @ a + h @ b + ((v @ W) * h).sum(1))


def likelihood_by_loops(V, W, a, b):
    S = states(min(W.shape))
    total = [
        a @ s + sum(np.logaddexp(0, b[j] + s @ W[:, j]) for j in range(len(b)))
        if len(a) <= len(b)
        else b @ s + sum(np.logaddexp(0, a[i] + W[i] @ s) for i in range(len(a)))
        for s in S
    ]
    return [minus_f(v[None], W, a, b)[0] - log_sum(np.array(total)) for v in V]


def reading(X, W, U, d, b, *, naive=False, bias=True, label_bias=True, softly=True, link=1.0):
    z = (X @ W + (b if bias else 0))[:, None] + link * U
    with np.errstate(over="ignore", invalid="ignore"):
        soft = np.log(1 + np.exp(z)) if naive else np.logaddexp(0, z)
        s = soft.sum(-1) + (d if label_bias else 0)
        p = np.exp(s - s.max(1, keepdims=True))
        return p / p.sum(1, keepdims=True) if softly else p


def one_pass(X, W, U, d, b):
    h = 0.5 * np.tanh(0.5 * (X @ W + b)) + 0.5
    s = h @ U.T + d
    p = np.exp(s - s.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def repair(v, missing, W, a, b, *, order=True, sign=1.0, normal=True, hidden=True):
    S = states(len(missing)) if order else states(len(missing))[:, ::-1]
    V = np.tile(v, (len(S), 1))
    V[:, missing] = S
    s = sign * (minus_f(V, W, a, b) if hidden else V @ a)
    p = np.exp(s - s.max())
    return p / p.sum() if normal else p


def lists_pictures(v, missing, W, a, b):
    """p of every picture there is, then the ones that agree with v: right, and 2^D long."""
    S, known = states(len(v)), np.setdiff1d(np.arange(len(v)), missing)
    S = S[(S[:, known] == v[known]).all(1)]
    z = minus_f(S[np.lexsort(S[:, missing].T[::-1])], W, a, b)
    return np.exp(z - log_sum(z))


def alone(v, missing, W, a, b):
    """Each missing pixel from the known ones, as if they were independent."""
    h = 0.5 * np.tanh(0.5 * (v @ W + b)) + 0.5
    q = 0.5 * np.tanh(0.5 * (W @ h + a)) + 0.5
    S = states(len(missing))
    return np.where(S > 0, q[missing], 1 - q[missing]).prod(1)


def repair_in_place(v, missing, W, a, b):
    out = []
    for s in states(len(missing)):
        v[missing] = s
        out.append(minus_f(v[None], W, a, b)[0])
    p = np.exp(np.array(out) - max(out))
    return p / p.sum()


def repair_by_loops(v, missing, W, a, b):
    out = []
    for s in product((0, 1), repeat=len(missing)):
        u = [float(x) for x in v]
        for i, x in zip(missing, s, strict=True):
            u[int(i)] = float(x)
        out.append(minus_f(np.array(u)[None], W, a, b)[0])
    return [float(np.exp(x - log_sum(np.array(out)))) for x in out]


COPY = (20, 20, -10, -10, -20)

GAPS = [("copier", (20, 20, ..., -10, -20))]

WRONG = [
    ("copier", (0, 0, 0, 0, 0), "all patterns alike"),
    ("copier", (20, 20, -10, -10, 0), "biased to 11"),
    ("copier", (20, 20, 0, 0, -20), "nothing holds the units off"),
    ("copier", (20, -20, -10, 10, 0), "contradicts"),
    ("copier", (2, 2, -1, -1, -2), "too weak"),
    ("copier", (20, 20, -10, -10), "four numbers"),
    ("copier", (1e308,) * 5, "its energies are NaN"),
    ("copier", (1e308, 1e308, -1e308, -1e308, 0), "its energies are NaN"),
    ("copier", AlwaysEqual(COPY), "an object that lies"),
    ("likelihood", lambda *a: likelihood(*a, sign=-1.0), "wrong sign"),
    ("likelihood", lambda *a: likelihood(*a, z=False), "forgets Z"),
    ("likelihood", lambda *a: likelihood(*a, naive=True), "overflows"),
    ("likelihood", lambda *a: likelihood(*a, hidden_bias=False), "forgets the hidden biases"),
    ("likelihood", lists_visible, "lists the visible layer, however large"),
    ("likelihood", lists_visible, "the same, from a list that was kept"),
    ("likelihood", lists_hidden, "lists the hidden layer, however large"),
    ("likelihood", lists_both, "lists both layers"),
    ("likelihood", visible_listed, "cuts the visible layer short"),
    ("likelihood", lambda *a: likelihood(*a)[:, None], "a column"),
    ("likelihood", lambda *a: AlwaysEqual(np.zeros(3)), "an object that lies"),
    ("reading", lambda *a: reading(*a, naive=True), "overflows"),
    ("reading", lambda *a: reading(*a, bias=False), "forgets the hidden biases"),
    ("reading", lambda *a: reading(*a, label_bias=False), "forgets the label biases"),
    ("reading", lambda *a: reading(*a, softly=False), "does not normalise"),
    ("reading", lambda *a: reading(*a, link=0.0), "ignores the label's links"),
    ("reading", one_pass, "a sampler's conditional instead"),
    ("reading", lambda *a: AlwaysEqual(np.ones((3, 3)) / 3), "an object that lies"),
    ("repair", lambda *a: repair(*a, order=False), "bits in reverse"),
    ("repair", lambda *a: repair(*a, sign=-1.0), "wrong sign"),
    ("repair", lambda *a: repair(*a, normal=False), "does not normalise"),
    ("repair", lambda *a: repair(*a, hidden=False), "forgets the hidden units"),
    ("repair", lambda v, i, *m: repair(v, np.sort(i), *m), "puts the pixels in order"),
    ("repair", lists_pictures, "lists all pictures"),
    ("repair", alone, "treats the pixels as independent"),
    ("repair", repair_in_place, "changes its input"),
    ("repair", lambda *a: AlwaysEqual(np.ones(2) / 2), "an object that lies"),
]

RIGHT = [
    ("copier", np.array(COPY) * 2.0),
    ("copier", [-20.0, -20.0, 10.0, 10.0, 20.0]),
    ("copier", [30, 26, -15, -13, -28]),
    ("likelihood", likelihood),
    ("likelihood", likelihood_by_loops),
    ("reading", reading),
    ("reading", lambda *a: reading(*a).tolist()),
    ("repair", repair),
    ("repair", repair_by_loops),
]

NAMED = {
    "likelihood": "log_likelihood_solution",
    "reading": "read_label_solution",
    "repair": "fillings_solution",
}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps, named = WRONG, RIGHT, GAPS, NAMED


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("copier", (20, 20, -10, -10, 0), "hey agree, but"),
        ("copier", (1e308,) * 5, "the energies overflow"),
        ("likelihood", lambda *a: likelihood(*a, naive=True), "exp overflows"),
        ("likelihood", lists_both, "smaller layer only"),
        ("reading", lambda *a: reading(*a, softly=False), "sum to 1"),
        ("repair", repair_in_place, "changed its input"),
    ],
)
def test_the_sentence_says_what_to_do(name: str, answer: object, words: str) -> None:
    card = getattr(checks, name).check(answer)
    assert words in card.text
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]
