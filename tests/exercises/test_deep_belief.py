"""The checks of the chapter on deep belief networks have been seen failing, and accept right answers in any style."""

from itertools import product

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/deep_belief")
SOLUTIONS = solutions("models/deep_belief")
EITHER = (30, 30, -15, -6, -6)


def states(n):
    return np.array(list(product((0.0, 1.0), repeat=n)))


def log_sum(z, axis=None):
    top = z.max(axis=axis, keepdims=True)
    out = top + np.log(np.exp(z - top).sum(axis=axis, keepdims=True))
    return out.squeeze(axis) if axis is not None else out.item()


def pooled(z, *, off=1.0, block=True, naive=False, soft=True):
    N, P, _ = z.shape
    b = z.reshape(N, P // 2, 2, P // 2, 2).transpose(0, 1, 3, 2, 4).reshape(N, P // 2, P // 2, 4)
    if not block:  # neighbours in the flat order instead of in the plane
        b = z.reshape(N, P // 2, P // 2, 4)
    if naive:
        e = np.exp(b).sum(-1)
        return e / (off + e)
    if not soft:
        return 0.5 * np.tanh(0.5 * b.max(-1)) + 0.5
    s = np.logaddexp.reduce(b, axis=-1)
    return np.exp(s - np.logaddexp(np.log(off), s)) if off else np.ones_like(s)


def any_on(z):
    """Four independent units, at least one on."""
    p = 0.5 * np.tanh(0.5 * z) + 0.5
    N, P, _ = z.shape
    return 1 - (1 - p).reshape(N, P // 2, 2, P // 2, 2).prod((2, 4))


def pooled_by_loops(z):
    N, P, _ = z.shape
    out = [[[0.0] * (P // 2) for _ in range(P // 2)] for _ in range(N)]
    for n, i, j in product(range(N), range(P // 2), range(P // 2)):
        four = [float(z[n, 2 * i + r, 2 * j + s]) for r in (0, 1) for s in (0, 1)]
        top = max(0.0, *four)
        e = sum(np.exp(x - top) for x in four)
        out[n][i][j] = float(e / (e + np.exp(-top)))
    return out


def pool_in_place(z):
    z -= z.max()
    return pooled(z)


def entropy(mu):
    p = np.clip(mu, 1e-300, 1)
    q = np.clip(1 - mu, 1e-300, 1)
    return -(mu * np.log(p) + (1 - mu) * np.log(q)).sum()


def deep_bound(v, mu1, mu2, W1, W2, a, b, c, *, h=1.0, sign=1.0, biases=(1, 1, 1), top=1.0):
    x, y, z = biases
    score = x * a @ v + y * b @ mu1 + z * c @ mu2 + v @ W1 @ mu1 + top * mu1 @ W2 @ mu2
    return sign * score + h * (entropy(mu1) + entropy(mu2))


def naive_bound(v, mu1, mu2, W1, W2, a, b, c):
    mu = np.r_[mu1, mu2]
    h = -(mu * np.log(mu) + (1 - mu) * np.log(1 - mu)).sum()
    return deep_bound(v, mu1, mu2, W1, W2, a, b, c, h=0.0) + h


def clipped_bound(v, mu1, mu2, *machine):
    """Guesses kept a millionth away from 0 and 1, as many write it."""
    inside = (np.clip(mu, 1e-6, 1 - 1e-6) for mu in (mu1, mu2))
    return deep_bound(v, mu1, mu2, *machine, h=0.0) + sum(entropy(mu) for mu in inside)


def bound_by_listing(v, mu1, mu2, W1, W2, a, b, c):
    """The mean over all states of both hidden layers."""
    total = 0.0
    for h, k in product(states(len(mu1)), states(len(mu2))):
        q = np.where(h > 0, mu1, 1 - mu1).prod() * np.where(k > 0, mu2, 1 - mu2).prod()
        if q > 0:
            total += q * (a @ v + b @ h + c @ k + v @ W1 @ h + h @ W2 @ k - np.log(q))
    return total


def likelihood(V, W1, W2, a, b, c, *, top=True, normal=True, joint=False, hidden=True, naive=False):
    S = states(len(b))
    prior = S @ b
    if top:
        prior = prior + np.logaddexp(0, c + S @ W2).sum(1)
    z = S @ W1.T + a
    if naive:
        p = np.exp(prior) / np.exp(prior).sum()
        q = 1 / (1 + np.exp(-z))
        return np.log([(p * np.where(v > 0, q, 1 - q).prod(1)).sum() for v in V])
    if joint:  # an undirected machine all the way: the links below carry no normalisation
        return log_sum(V @ z.T + prior, axis=1) - log_sum(prior + np.logaddexp(0, z).sum(1))
    prior = prior - (log_sum(prior) if normal else 0)
    score = V @ z.T - (np.logaddexp(0, z).sum(1) if hidden else 0) + prior
    return log_sum(score, axis=1)


def products_below(V, W1, W2, a, b, c):
    """Logarithms above, a product of D probabilities below."""
    S = states(len(b))
    prior = S @ b + np.logaddexp(0, c + S @ W2).sum(1)
    q = 1 / (1 + np.exp(-(S @ W1.T + a)))
    p = np.exp(prior - log_sum(prior))
    return np.log([(p * np.where(v > 0, q, 1 - q).prod(1)).sum() for v in V])


def one_pass(V, W1, W2, a, b, c):
    """Infers one middle state upwards instead of summing over all."""
    h = (V @ W1 + b > 0).astype(float)
    z = h @ W1.T + a
    return (V * z - np.logaddexp(0, z)).sum(1)


def likelihood_by_loops(V, W1, W2, a, b, c):
    S = states(len(b))
    prior = [float(b @ h + sum(np.logaddexp(0, x) for x in c + h @ W2)) for h in S]
    norm = log_sum(np.array(prior))
    out = []
    for v in V:
        terms = []
        for h, p in zip(S, prior, strict=True):
            z = a + W1 @ h
            terms.append(p - norm - sum(np.logaddexp(0, -x if on else x) for x, on in zip(z, v, strict=True)))  # fmt: skip
        out.append(log_sum(np.array(terms)))
    return out


GAPS = [("either", (20, 20, ..., -10, -10))]

WRONG = [
    ("either", (0, 0, 0, 0, 0), "all causes alike"),
    ("either", (20, 20, -10, 0, 0), "both causes as likely as one"),
    ("either", (20, 20, -10, -10, -10), "no cause is as likely as one"),
    ("either", (20, 20, -2, -10, -10), "the observation comes of itself"),
    ("either", (20, 20, -15, -10, -5), "one cause is favoured"),
    ("either", (300, 300, -150, -100, -100), "beyond the limits"),
    ("either", (20, 20, -10, -10), "four numbers"),
    ("either", AlwaysEqual(EITHER), "an object that lies"),
    ("pooled", lambda z: pooled(z, off=0.0), "forgets the state with all off"),
    ("pooled", lambda z: pooled(z, naive=True), "overflows"),
    ("pooled", lambda z: pooled(z, block=False), "blocks in the flat order"),
    ("pooled", lambda z: pooled(z, soft=False), "the plain maximum"),
    ("pooled", lambda z: 1 - pooled(z), "the chance of being off"),
    ("pooled", any_on, "independent units"),
    ("pooled", pool_in_place, "changes its input"),
    ("pooled", lambda z: AlwaysEqual(np.ones((1, 1, 1)) / 2), "an object that lies"),
    ("bound", lambda *a: deep_bound(*a, h=0.0), "forgets the entropy"),
    ("bound", lambda *a: deep_bound(*a, h=-1.0), "subtracts the entropy"),
    ("bound", lambda *a: deep_bound(*a, sign=-1.0), "the energy with its sign"),
    ("bound", lambda *a: deep_bound(*a, biases=(0, 1, 1)), "forgets a"),
    ("bound", lambda *a: deep_bound(*a, biases=(1, 0, 1)), "forgets b"),
    ("bound", lambda *a: deep_bound(*a, biases=(1, 1, 0)), "forgets c"),
    ("bound", lambda *a: deep_bound(*a, top=0.0), "forgets the upper links"),
    ("bound", naive_bound, "0 log 0 is NaN"),
    ("bound", lambda *a: AlwaysEqual(1.0), "an object that lies"),
    ("likelihood", lambda *a: likelihood(*a, top=False), "independent middle units"),
    ("likelihood", lambda *a: likelihood(*a, normal=False), "forgets Z of the upper machine"),
    ("likelihood", lambda *a: likelihood(*a, joint=True), "a deep Boltzmann machine"),
    ("likelihood", lambda *a: likelihood(*a, hidden=False), "links below not normalised"),
    ("likelihood", lambda *a: likelihood(*a, naive=True), "overflows"),
    ("likelihood", products_below, "a product of hundreds of probabilities vanishes"),
    ("likelihood", one_pass, "one upward pass"),
    ("likelihood", lambda *a: AlwaysEqual(np.zeros(4)), "an object that lies"),
]

RIGHT = [
    ("either", [24, 24, -12, -6, -6]),
    ("either", np.array([18.0, 20.0, -9.0, -5.0, -5.0])),
    ("pooled", pooled),
    ("pooled", pooled_by_loops),
    ("bound", deep_bound),
    ("bound", bound_by_listing),
    ("bound", clipped_bound),
    ("likelihood", likelihood),
    ("likelihood", likelihood_by_loops),
]

NAMED = {
    "pooled": "pooled_on_solution",
    "bound": "deep_bound_solution",
    "likelihood": "belief_log_p_solution",
}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps, named = WRONG, RIGHT, GAPS, NAMED


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("either", (20, 20, -10, 0, 0), "explain the other away"),
        ("either", (5, 5, -30, -6, -6), "One cause alone"),
        ("either", (20, 20, -30, -6, -6), "One cause alone"),
        ("either", (300, 300, -150, -100, -100), "between −30 and 30"),
        ("pooled", lambda z: pooled(z, naive=True), "exp overflows"),
        ("bound", naive_bound, "0 · log 0"),
        ("likelihood", lambda *a: likelihood(*a, naive=True), "Stay with logarithms"),
    ],
)
def test_the_sentence_says_what_to_do(name: str, answer: object, words: str) -> None:
    card = getattr(checks, name).check(answer)
    assert words in card.text
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]
