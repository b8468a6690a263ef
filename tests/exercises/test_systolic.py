"""The checks of the systolic chapter have been seen failing, and accept right answers in any style."""

from math import ceil

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, accepted, load_checks, solutions

checks = load_checks("hardware/systolic")
SOLUTIONS = solutions("hardware/systolic")
NAMES = ("busy", "smallest_batch", "double_buffered", "cheapest")


def busy(R, C, T, *, late=lambda i, j: i + j, lasts=None, clocks=None):
    counts = []
    for t in range((R + C + T - 2) if clocks is None else clocks(R, C, T)):
        counts.append(sum(0 <= t - late(i, j) < (lasts or T) for i in range(R) for j in range(C)))
    return counts


def batch(K, N, R, C, target, *, load=True, folds=True, least=1, strict=False, none=True):
    block = ceil(K / R) * ceil(N / C)
    full = K * N / (block * R * C)
    if none and target >= full:
        return None
    for M in range(least, 200_000):
        spent = ((2 if load else 1) * R + C + M - 2) * (block if folds else 1)
        use = M * K * N / (spent * R * C)
        if use > target or (use >= target and not strict):
            return M
    return 0


def batch_by_bisection(K, N, R, C, target):
    folds = ceil(K / R) * ceil(N / C)
    if K * N / (folds * R * C) <= target:
        return None
    low, high = 0, 2**30
    while high - low > 1:
        middle = (low + high) // 2
        enough = middle * K * N >= target * folds * (2 * R + C + middle - 2) * R * C
        low, high = (low, middle) if enough else (middle, high)
    return high


def by_loop(folds, R, C, T):
    clock = R
    for _ in range(folds - 1):
        clock += max(T, R)
    return clock + R + C + T - 2


def by_piece(options, volumes):
    names = []
    for v in volumes:
        best, price = None, float("inf")
        for name, (fixed, unit) in options.items():
            if fixed / v + unit < price:
                best, price = name, fixed / v + unit
        names.append(best)
    return tuple(names)


class Remembers:
    """Right once, then repeated: the check draws fresh inputs every time."""

    def __init__(self, solution):
        self.solution, self.first = solution, None

    def __call__(self, *args):
        self.first = self.first if self.first is not None else self.solution(*args)
        return self.first


WRONG = [
    ("busy", lambda R, C, T: busy(R, C, T, late=lambda i, j: 0), "no skew"),
    ("busy", lambda R, C, T: busy(R, C, T, late=lambda i, j: i), "skew of the rows alone"),
    ("busy", lambda R, C, T: busy(R, C, T, lasts=10**9), "cells that never stop"),
    ("busy", lambda R, C, T: busy(R, C, T, clocks=lambda R, C, T: T), "too few clocks"),
    ("busy", lambda R, C, T: [min(R * C, T)] * (R + C + T - 2), "a constant"),
    ("busy", lambda R, C, T: AlwaysEqual([1.0]), "an object that lies"),
    ("busy", lambda R, C, T: busy(R, C, T) if min(R, C) > 1 else [0] * (R + C + T - 2), "not one row"),
    ("busy", lambda R, C, T: [n + 1e-9 for n in busy(R, C, T)], "fractions of a cell"),
    ("smallest_batch", lambda *a: batch(*a, load=False), "forgets the loading"),
    ("smallest_batch", lambda *a: batch(*a, folds=False), "forgets the folds"),
    ("smallest_batch", lambda *a: batch(*a, none=False), "a number where no batch is enough"),
    ("smallest_batch", lambda *a: (batch(*a) or 0) + 1, "one row too many"),
    ("smallest_batch", lambda *a: {}.get(a), "always None"),
    ("smallest_batch", lambda *a: batch(*a) or "none", "a text instead of None"),
    ("smallest_batch", lambda *a: 9 if a[-1] == 1 else batch(*a), "a full array with few rows"),
    ("smallest_batch", lambda *a: AlwaysEqual([64.0]), "an object that lies"),
    ("smallest_batch", 64, "a number instead of a function"),
    ("double_buffered", lambda f, R, C, T: f * (2 * R + C + T - 2), "nothing hidden"),
    ("double_buffered", lambda f, R, C, T: R + f * T + R + C - 2, "forgets a slow load"),
    ("double_buffered", lambda f, R, C, T: (f - 1) * max(T, R) + R + C + T - 2, "first load free"),
    ("double_buffered", lambda f, R, C, T: R + f * max(T, R) + R + C - 2, "waits after the last"),
    ("double_buffered", lambda f, R, C, T: AlwaysEqual([9.0]), "an object that lies"),
    ("cheapest", lambda o, vs: [min(o, key=lambda n: o[n][1]) for _ in vs], "the unit cost alone"),
    ("cheapest", lambda o, vs: [min(o, key=lambda n: o[n][0]) for _ in vs], "the fixed cost alone"),
    ("cheapest", lambda o, vs: [max(o, key=lambda n: o[n][0] + v * o[n][1]) for v in vs], "dearest"),
    ("cheapest", lambda o, vs: [next(iter(o))] * len(vs), "the first name"),
    ("cheapest", lambda o, vs: next(iter(o)), "one name"),
    ("cheapest", lambda o, vs: by_piece(o, vs)[1:], "one name too few"),
]  # fmt: skip

RIGHT = [
    ("busy", busy),
    ("busy", lambda R, C, T: np.array(busy(R, C, T), float)),
    ("smallest_batch", batch_by_bisection),
    ("double_buffered", by_loop),
    ("cheapest", by_piece),
    ("cheapest", lambda o, vs: np.array(by_piece(o, vs))),
    ("cheapest", lambda o, vs: list(np.array(by_piece(o, vs)))),
    ("smallest_batch", lambda *a: batch(*a) and np.int64(batch(*a))),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right = WRONG, RIGHT


@pytest.mark.parametrize("name", NAMES)
def test_a_remembered_answer_is_refused(name: str) -> None:
    answer = Remembers(SOLUTIONS[f"{name}_solution"])
    assert getattr(checks, name).check(lambda *args: answer(*args)).status == "not yet"


@pytest.mark.parametrize("name", NAMES)
def test_the_notebooks_solution_is_right_every_time(name: str) -> None:
    for _ in range(5):
        accepted(getattr(checks, name), SOLUTIONS[f"{name}_solution"])
