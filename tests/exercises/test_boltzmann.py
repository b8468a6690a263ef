"""The checks of the Boltzmann chapter have been seen failing, and accept right answers in any style."""

from itertools import product

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/boltzmann")
SOLUTIONS = solutions("models/boltzmann")


def free(V, A, U, b, c, *, half=0.5, sign=-1.0, naive=False, hidden_bias=True):
    f = V @ U + (c if hidden_bias else 0)
    with np.errstate(over="ignore"):
        soft = np.log(2 * np.cosh(f)) if naive else np.logaddexp(f, -f)
    return -half * ((V @ A) * V).sum(1) - V @ b + sign * soft.sum(1)


def free_by_states(V, A, U, b, c):
    H = np.array(list(product((-1.0, 1.0), repeat=len(c))))
    soft = np.log(np.exp((V @ U + c) @ H.T).sum(1))
    return -0.5 * ((V @ A) * V).sum(1) - V @ b - soft


def free_by_loops(V, A, U, b, c):
    out = []
    for v in V:
        f = [sum(v[i] * U[i, j] for i in range(len(v))) + c[j] for j in range(len(c))]
        out.append(-0.5 * v @ A @ v - b @ v - sum(np.logaddexp(x, -x) for x in f))
    return out


def step(W, b, awake, free, links, rate, *, sums=False, masked=True, sign=1.0, own_mean=True):
    m, k = (1, 1) if sums else (len(awake), len(free) if own_mean else len(awake))
    g = awake.T @ awake / m - free.T @ free / k
    W = W + sign * rate * g * (links if masked else 1)
    return W, b + sign * rate * (awake.sum(0) / m - free.sum(0) / k)


def step_in_place(W, b, awake, free, links, rate):
    W += rate * links * (awake.T @ awake / len(awake) - free.T @ free / len(free))
    b += rate * (awake.mean(0) - free.mean(0))
    return W, b


def step_by_einsum(W, b, awake, free, links, rate):
    pairs = [np.einsum("ki,kj->ij", s, s) / s.shape[0] for s in (awake, free)]
    return [W + rate * np.where(links > 0, pairs[0] - pairs[1], 0), b + rate * awake.mean(0) - rate * free.mean(0)]  # fmt: skip


def chain(W, b, T, rule, *, stay=True):
    n = len(b)
    S = np.array([[1.0 if k >> (n - 1 - i) & 1 else -1.0 for i in range(n)] for k in range(2**n)])
    K = np.zeros((2**n, 2**n))
    for k, s in enumerate(S):
        for i in range(n):
            rise = 2 * s[i] * (W[i] @ s + b[i])
            K[k, k ^ (1 << (n - 1 - i))] = rule(rise, T) / n
        if stay:
            K[k, k] = 1 - K[k].sum()
    return K


def metropolis_rule(rise, T):
    return min(1.0, float(np.exp(-rise / T)))


AND = (-1, 2, 2, 1, 1, -2)

GAPS = [("gate", (1, 2, ..., 0, 0, 0))]

WRONG = [
    ("gate", (0, 0, 0, 0, 0, 0), "all states alike"),
    ("gate", (-1, 2, 2, -1, -1, 2), "OR"),
    ("gate", (1, -2, -2, -1, -1, 2), "upside down"),
    ("gate", (0, 2, 2, 1, 1, -2), "forgets the link between the inputs"),
    ("gate", (-1, 2, 2, 1, 1), "five numbers"),
    ("gate", np.array([-2.05, 6.09, 6.06, 1.93, 2.29, -5.96]) * 1e-10, "hides in a tolerance"),
    ("gate", AlwaysEqual(AND), "an object that lies"),
    ("free", lambda *a: free(*a, half=1.0), "counts each pair twice"),
    ("free", lambda *a: free(*a, sign=1.0), "wrong sign of the hidden part"),
    ("free", lambda *a: free(*a, naive=True), "overflows"),
    ("free", lambda *a: free(*a, hidden_bias=False), "forgets the hidden biases"),
    ("free", lambda *a: free(*a, naive=len(a[-1]) < 30), "overflows with few hidden units"),
    ("free", lambda *a: free(*a)[:, None], "a column"),
    ("free", lambda *a: AlwaysEqual(np.zeros(7)), "an object that lies"),
    ("learn", lambda *a: step(*a, sums=True), "sums, not means"),
    ("learn", lambda *a: step(*a, masked=False), "ignores the links allowed"),
    ("learn", lambda *a: step(*a, sign=-1.0), "downhill"),
    ("learn", lambda *a: step(*a, own_mean=False), "one count for both phases"),
    ("learn", step_in_place, "changes its input"),
    ("learn", lambda *a: AlwaysEqual(np.zeros(3)), "an object that lies"),
    ("metropolis", lambda W, b, T: chain(W, b, T, metropolis_rule, stay=False), "never stays"),
    ("metropolis", lambda W, b, T: chain(W, b, 1.0, metropolis_rule), "ignores T"),
    (
        "metropolis",
        lambda W, b, T: chain(W, b, T, lambda d, t: 1 / (1 + np.exp(d / t))),
        "Gibbs instead of Metropolis",
    ),
    (
        "metropolis",
        lambda W, b, T: chain(W, b, T, lambda d, t: metropolis_rule(-d, t)),
        "uphill",
    ),
    ("metropolis", lambda *a: chain(*a, metropolis_rule).T, "transposed"),
    ("metropolis", lambda W, b, T: chain(W, b, T, lambda d, t: np.exp(-d / t)), "above one"),
    ("metropolis", lambda W, b, T: chain(2 * W, b, T, metropolis_rule), "each pair twice"),
    ("metropolis", lambda W, b, T: np.eye(2 ** len(b)), "never moves"),
    ("metropolis", lambda W, b, T: AlwaysEqual(np.eye(2)), "an object that lies"),
]

RIGHT = [
    ("gate", [-2.0, 4.0, 4.0, 2.0, 2.0, -4.0]),
    ("gate", np.array(AND) / 10),
    ("gate", np.array(AND) * 1e-12),
    ("free", free_by_loops),
    ("learn", step_by_einsum),
    ("metropolis", lambda W, b, T: chain(W, b, T, metropolis_rule)),
    ("metropolis", lambda *a: chain(*a, metropolis_rule).astype(np.float32)),
]

NAMED = {"free": "free_energy_solution", "learn": "learn_step_solution"}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps, named = WRONG, RIGHT, GAPS, NAMED


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("free", free_by_states, "lists all hidden states"),
        ("free", lambda *a: free(*a, naive=True), "exp overflows"),
        ("learn", lambda *a: step(*a)[0], "came ndarray"),
        ("metropolis", lambda *a: chain(*a, metropolis_rule).T, "columns sum to 1"),
    ],
)
def test_the_sentence_says_what_to_do(name: str, answer: object, words: str) -> None:
    assert words in getattr(checks, name).check(answer).text
