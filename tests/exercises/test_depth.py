"""The checks of the depth chapter have been seen failing, and accept right answers in any style."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/depth")
SOLUTIONS = solutions("models/depth")


def bends(w, c, v, *, key=Fraction, weigh=True, merge=True, cancel=True) -> int:
    """Count kinks, with one idea at a time left out."""
    sums: dict = {}
    for i, (wi, ci, vi) in enumerate(zip(w, c, v, strict=True)):
        if wi:
            knot = key(-ci, wi) if merge else i
            sums[knot] = sums.get(knot, 0) + (vi * abs(wi) if weigh else vi * wi)
    return 1 + (sum(b != 0 for b in sums.values()) if cancel else len(sums))


def count_with_slopes(w, c, v):
    """Another style: slopes in the middle of all intervals between knots."""
    knots = sorted({Fraction(-ci, wi) for wi, ci in zip(w, c, strict=True) if wi})
    if not knots:
        return 1
    middles = [
        knots[0] - 1,
        *[(a + b) / 2 for a, b in itertools.pairwise(knots)],
        knots[-1] + 1,
    ]
    slopes = [
        sum(vi * wi for wi, ci, vi in zip(w, c, v, strict=True) if wi * m + ci > 0) for m in middles
    ]
    return 1 + sum(a != b for a, b in itertools.pairwise(slopes))


def count_on_a_grid(w, c, v):
    x = np.linspace(-3, 3, 61)
    f = np.maximum(np.outer(x, w) + c, 0) @ np.array(v, float)
    return 1 + int((np.abs(np.diff(f, 2)) > 1e-9).sum())


def monte_carlo(phi, fan_in):
    z = np.random.default_rng(5).normal(size=2_000_000)
    return float(1 / np.sqrt(fan_in * (phi(z) ** 2).mean()))


def he(phi, fan_in):
    return math.sqrt(2 / fan_in)


def centred(phi, fan_in):
    z = np.random.default_rng(5).normal(size=200_000)
    return 1 / math.sqrt(fan_in * phi(z).var())


def variance_itself(phi, fan_in):
    return monte_carlo(phi, fan_in) ** 2


def forgets_fan_in(phi, fan_in):
    return monte_carlo(phi, 1)


def fold(k, *, knots=(0, 1 / 3, 2 / 3), weights=(3.0, -6.0, 6.0), layers=None):
    first, last = np.ones((1, 3)), np.array(weights)[:, None]
    bias = -np.array(knots, float)
    return [
        (first, bias),
        *[(last @ first, bias)] * ((layers or k) - 1),
        (last, np.zeros(1)),
    ]


def fold_in_fractions(k):
    """Another style: exact numbers."""
    knots, last = [Fraction(0), Fraction(-1, 3), Fraction(-2, 3)], np.array([[3], [-6], [6]])
    hidden = [[Fraction(w)] * 3 for w in last[:, 0].tolist()]
    return [(np.ones((1, 3)), knots), *[(hidden, knots)] * (k - 1), (last, [Fraction(0)])]


def fold_as_lists(k):
    """Another style: scaled units, plain lists."""
    last = [[1.0], [-2.0], [2.0]]
    hidden = [[1.0 * w[0] * 3 for _ in range(3)] for w in last]
    first, bias = [[3.0, 3.0, 3.0]], [0.0, -1.0, -2.0]
    return [(first, bias), *[(hidden, bias)] * (k - 1), (last, [0.0])]


WRONG = [
    ("units", 119, "one too few"),
    ("units", 121, "one too many"),
    ("units", 240, "forgets the half"),
    ("units", 60, "half the width"),
    ("units", 119.5, "no whole number"),
    ("units", 0, "none"),
    ("units", AlwaysEqual(120.0), "an object that lies"),
    ("pieces", lambda w, c, v: len(w) + 1, "units plus one"),
    ("pieces", lambda w, c, v: bends(w, c, v, merge=False), "shared knots counted twice"),
    ("pieces", lambda w, c, v: bends(w, c, v, weigh=False), "the sign of w"),
    ("pieces", lambda w, c, v: bends(w, c, v, cancel=False), "kinks that cancel"),
    ("pieces", lambda w, c, v: bends(w, c, v, key=lambda a, b: a // b), "rounded knots"),
    (
        "pieces",
        lambda w, c, v: bends(w, c, v, key=lambda a, b: round(a / b, 9)),
        "knots to 9 places",
    ),
    ("pieces", count_on_a_grid, "a grid misses what lies between"),
    ("pieces", lambda w, c, v: AlwaysEqual(120.0), "an object that lies"),
    ("init", he, "He for everything"),
    ("init", centred, "variance in place of the mean square"),
    ("init", variance_itself, "the variance, no root"),
    ("init", forgets_fan_in, "forgets the number of inputs"),
    ("init", lambda phi, fan_in: -monte_carlo(phi, fan_in), "negative"),
    ("init", lambda phi, fan_in: AlwaysEqual(120.0), "an object that lies"),
    ("fold", lambda k: fold(k, weights=(3, -6, 3)), "the last slope"),
    ("fold", lambda k: fold(k, knots=(0, 0.3, 0.6)), "knots in the wrong place"),
    ("fold", lambda k: fold(k, layers=1)[: k + 1], "only one layer"),
    ("fold", lambda k: fold(1), "right for k = 1 only"),
    ("fold", lambda k: [AlwaysEqual(120.0)] * (k + 1), "objects that lie"),
]

RIGHT = [
    ("units", 120.0),
    ("pieces", count_with_slopes),
    ("init", monte_carlo),
    ("fold", fold_as_lists),
    ("fold", fold_in_fractions),
]

NAMED = {
    "pieces": "count_pieces_solution",
    "init": "init_std_solution",
    "fold": "fold_in_three_solution",
}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, named = WRONG, RIGHT, NAMED


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("units", 60),
        ("units", 200),
        ("pieces", lambda w, c, v: bends(w, c, v, weigh=False)),
        ("init", he),
        ("fold", lambda k: fold(k, weights=(3, -6, 3))),
    ],
)
def test_a_wrong_answer_comes_with_a_picture(name: str, answer: object) -> None:
    card = getattr(checks, name).check(answer)
    assert card.figure is not None
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]


def test_a_remembered_answer_is_refused() -> None:
    """Right once, then repeated: the check draws fresh networks every time."""
    memory: list[int] = []

    def remembers(w, c, v):
        memory.append(memory[0] if len(memory) > 40 else bends(w, c, v))
        return memory[-1]

    assert checks.pieces.check(remembers).status == "not yet"
