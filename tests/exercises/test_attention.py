"""The checks of the attention chapter have been seen failing, and accept right answers in any style."""

import tracemalloc

import numpy as np
import pytest
import torch

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/attention")
SOLUTIONS = solutions("models/attention")
LIE = AlwaysEqual([[1.0, 0.0], [0.0, 1.0]])


def turn(D, sign=1.0, base=10_000.0, same=False):
    M = np.zeros((D, D))
    for i in range(0, D, 2):
        angle = sign * (1.0 if same else base ** (-i / D))
        c, s = np.cos(angle), np.sin(angle)
        M[i : i + 2, i : i + 2] = [[c, s], [-s, c]]
    return M


def fitted(D):
    """Another style: read M off the waves themselves."""
    t = np.arange(4 * D, dtype=float)[:, None]
    speeds = 10_000.0 ** (-np.arange(0, D, 2) / D)
    M = np.zeros((D, D))
    for i, w in enumerate(speeds):
        now = np.hstack([np.sin(w * t), np.cos(w * t)])
        before = np.hstack([np.sin(w * (t - 1)), np.cos(w * (t - 1))])
        M[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = np.linalg.lstsq(now, before, rcond=None)[0]
    return M


def quadratic(q, k, v):
    weights = np.tril(q @ k.T)
    return weights @ v / weights.sum(1, keepdims=True)


def quadratic_in_torch(q, k, v):
    q, k, v = (torch.from_numpy(x) for x in (q, k, v))
    weights = torch.tril(q @ k.T)
    return (weights @ v / weights.sum(1, keepdim=True)).numpy()


def forgets_the_peak(q, k, v):
    y = quadratic(q, k, v)
    tracemalloc.reset_peak()
    return y


def stops_the_measurement(q, k, v):
    tracemalloc.stop()
    return quadratic(q, k, v)


def starts_one_late(q, k, v):
    return np.vstack([np.full_like(v[:1], np.nan), cumulative(q, k, v)[:-1]])


def recurrent_in_torch(q, k, v):
    q, k, v = (torch.tensor(x).float() for x in (q, k, v))
    S = torch.cumsum(k[:, :, None] * v[:, None], 0)
    return torch.einsum("td,tde->te", q, S) / (q * k.cumsum(0)).sum(1, keepdim=True)


def sees_the_future(q, k, v):
    return q @ (k.T @ v) / (q @ k.sum(0))[:, None]


def unnormalised(q, k, v):
    return np.einsum("td,tde->te", q, np.cumsum(k[:, :, None] * v[:, None], 0))


def cumulative(q, k, v):
    sums = np.cumsum(k[:, :, None] * v[:, None], 0)
    return np.einsum("td,tde->te", q, sums) / (q * np.cumsum(k, 0)).sum(1, keepdims=True)


def one_late(q, k, v):
    y = cumulative(q, k, v)
    return np.vstack([v[:1], y[:-1]])


def changes_its_input(q, k, v):
    k += 0
    k[:] = np.cumsum(k, 0)
    return q


WRONG = [
    ("cache", 12 * 1024 * 768, "keys only"),
    ("cache", 12 * 2 * 1024 * 768 * 12, "multiplies by the heads"),
    ("cache", 2 * 1024 * 768, "one layer"),
    ("cache", 12 * 12 * 1024 * 1024, "counts the weights"),
    ("cache", 1.5, "no whole number"),
    ("cache", AlwaysEqual([18874368.0]), "an object that lies"),
    ("window", lambda T, w: ~np.tri(T, dtype=bool), "forgets the window"),
    ("window", lambda T, w: ~SOLUTIONS["window_solution"](T, w), "true where it may look"),
    ("window", lambda T, w: SOLUTIONS["window_solution"](T, w + 1), "one too wide"),
    (
        "window",
        lambda T, w: np.abs(np.subtract.outer(range(T), range(T))) >= w,
        "sees the future",
    ),
    ("window", lambda T, w: SOLUTIONS["window_solution"](T, w).astype(int), "numbers"),
    (
        "window",
        lambda T, w: SOLUTIONS["window_solution"](T, w) if w < T else np.ones((T, T), bool),
        "breaks when the window is as long as the text",
    ),
    ("window", lambda T, w: LIE, "an object that lies"),
    ("previous", lambda D: turn(D, sign=-1.0), "forwards"),
    ("previous", lambda D: turn(D, same=True), "one speed for all"),
    ("previous", lambda D: np.eye(D), "stands still"),
    ("previous", lambda D: np.eye(D, k=1), "shifts the numbers instead of the time"),
    ("previous", lambda D: LIE, "an object that lies"),
    ("linear", quadratic, "all pairs"),
    ("linear", quadratic_in_torch, "all pairs, in torch"),
    ("linear", forgets_the_peak, "all pairs, and forgets the peak"),
    ("linear", stops_the_measurement, "all pairs, and stops the measurement"),
    ("linear", lambda q, k, v: cumulative(q[:, :3], k[:, :3], v[:, :2]), "only d = 3 and e = 2"),
    ("linear", starts_one_late, "leaves out s = t"),
    ("linear", sees_the_future, "not causal"),
    ("linear", unnormalised, "forgets the denominator"),
    ("linear", one_late, "one late"),
    ("linear", changes_its_input, "changes its input"),
    ("linear", lambda q, k, v: LIE, "an object that lies"),
]

RIGHT = [
    ("cache", np.int64(18_874_368)),
    ("window", lambda T, w: [[j > i or j <= i - w for j in range(T)] for i in range(T)]),
    ("previous", fitted),
    ("linear", cumulative),
    ("linear", recurrent_in_torch),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right = WRONG, RIGHT


@pytest.mark.parametrize("answer", [quadratic, quadratic_in_torch])
def test_the_square_is_named_when_the_numbers_are_right(answer: object) -> None:
    assert "million bytes" in checks.linear.check(answer).text


def test_a_false_report_of_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracemalloc, "get_traced_memory", lambda: (0, 0))
    assert checks.linear.check(quadratic).status == "not yet"


def test_a_measurement_of_the_learners_own_goes_on() -> None:
    tracemalloc.start()
    try:
        large = np.ones((1000, 1000))
        assert checks.linear.check(cumulative).status == "right"
        assert tracemalloc.is_tracing() and large.any()
    finally:
        tracemalloc.stop()


def test_a_remembered_answer_is_refused() -> None:
    memory: list[np.ndarray] = []

    def remembers(q, k, v):
        memory.append(cumulative(q, k, v))
        return memory[0]

    assert checks.linear.check(remembers).status == "not yet"
