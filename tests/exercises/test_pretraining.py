"""The checks of the chapter on layer-wise training have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import pytest
import torch

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/pretraining")
SOLUTIONS = solutions("models/pretraining")


def up(bricks):
    return [(W, b) for W, _, b in bricks]


def down(bricks):
    return [(W.T, a) for W, a, _ in bricks[::-1]]


def by_hand(bricks):
    layers = []
    for W, _, b in bricks:
        layers.append([torch.tensor(W), torch.tensor(b)])
    for k in range(len(bricks) - 1, -1, -1):
        W, a, _ = bricks[k]
        layers.append([torch.tensor(W).T, torch.tensor(a)])
    return tuple(layers)


def interpolated(labels, fixed, tuned, axis=np.log, back=np.exp, last=False):
    gap = np.asarray(tuned) - np.asarray(fixed)
    if gap[0] >= 0:
        return labels[0]
    turns = [k for k in range(1, len(gap)) if gap[k - 1] < 0 <= gap[k]]
    if not turns:
        return math.inf
    k = turns[-1 if last else 0]
    return back(np.interp(0, gap[k - 1 : k + 1], axis(labels[k - 1 : k + 1])))


def interpolated_up(labels, fixed, tuned):
    """Deaf to a difference of exactly zero."""
    return interpolated(labels, fixed, np.where(tuned == fixed, tuned - 1e-9, tuned))


def last_point_decides(labels, fixed, tuned):
    return math.inf if tuned[-1] < fixed[-1] else interpolated(labels, fixed, tuned)


def start_left_out(labels, fixed, tuned):
    return labels[0] if (tuned >= fixed).all() else interpolated(labels, fixed, np.r_[fixed[0] - 1, tuned[1:]])  # fmt: skip


def halfway(labels, fixed, tuned):
    """The middle of the interval, on the logarithmic axis."""
    sign = np.where(tuned >= fixed, 1.0, -1.0)
    return interpolated(labels, 0 * fixed, sign)


def in_arrays(labels, fixed, tuned):
    found = interpolated(labels, fixed, tuned)
    return np.where(np.isinf(found), np.inf, found)


def widest_first(bricks):
    """Turns each matrix by its shape, as if every brick were narrower above."""
    tall = [W if W.shape[0] >= W.shape[1] else W.T for W, _, _ in bricks]
    return list(zip(tall, [b for _, _, b in bricks], strict=True)) + down(bricks)


LIE = AlwaysEqual([0.1, 0.2])

GAPS = [("greed", [[..., 0], [0, ...]])]

WRONG = [
    ("unroll", up, "only the way up"),
    ("unroll", lambda bricks: up(bricks) + down(bricks)[::-1], "comes down in the wrong order"),
    ("unroll", lambda bricks: up(bricks) + [(W, a) for W, a, _ in bricks[::-1]], "no transpose"),
    ("unroll", lambda bricks: up(bricks) + [(W.T, b) for W, _, b in bricks[::-1]], "upward biases"),
    ("unroll", lambda bricks: [(W, a) for W, a, _ in bricks] + down(bricks), "downward biases on the way up"),
    ("unroll", lambda bricks: [W for W, _ in up(bricks) + down(bricks)], "matrices alone"),
    ("unroll", lambda bricks: down(bricks) + up(bricks), "down first"),
    ("unroll", widest_first, "the shape decides"),
    ("unroll", lambda bricks: LIE, "an object that lies"),
    ("unroll", lambda bricks: [(LIE, LIE)] * (2 * len(bricks)), "layers that lie"),
    ("count", 10496, "no biases"),
    ("count", 5248, "the way up only"),
    ("count", 5512, "matrices counted once"),
    ("count", 10704, "the upward biases twice"),
    ("count", 10824, "biases for the input"),
    ("count", 10760.5, "a fraction"),
    ("count", LIE, "an object that lies"),
    ("greed", np.eye(2), "nothing stretched"),
    ("greed", np.diag([1.0, 0.1]), "stretched the wrong way"),
    ("greed", np.diag([0.6, 1.0]), "not stretched enough"),
    ("greed", np.diag([0.0, 1.0]), "cannot be inverted"),
    ("greed", np.diag([0.5, 1.0]), "a tie"),
    ("greed", 1e-300 * np.eye(2), "so small that the variances vanish"),
    ("greed", 1e-200 * np.diag([1.0, 0.1]), "small and stretched the wrong way"),
    ("greed", np.zeros((2, 2)), "nothing at all"),
    ("greed", [[0.6, -0.8], [0.8, 0.6]], "a rotation"),
    ("greed", [0.1, 1.0], "a row"),
    ("greed", np.diag([1e-300, 1.0]), "numerically singular"),
    ("greed", [[np.nan, 0], [0, 1]], "no number"),
    ("greed", LIE, "an object that lies"),
    ("crossing", lambda n, f, t: interpolated(n, f, t, lambda v: v, lambda v: v), "a linear axis"),
    ("crossing", lambda n, f, t: interpolated(n, f, t, last=True), "the last crossing"),
    ("crossing", lambda n, f, t: interpolated(n, t, f), "curves swapped"),
    ("crossing", lambda n, f, t: n[np.argmax(t >= f)], "the count itself, not interpolated"),
    ("crossing", lambda n, f, t: min(interpolated(n, f, t), 1e9), "a large number for never"),
    ("crossing", interpolated_up, "zero does not count as reached"),
    ("crossing", last_point_decides, "never, because behind at the end"),
    ("crossing", start_left_out, "ahead at the start is forgotten"),
    ("crossing", halfway, "the middle of the interval"),
    ("crossing", lambda n, f, t: [interpolated(n, f, t)], "a list"),
    ("crossing", lambda n, f, t: math.nan, "no number"),
    ("crossing", lambda n, f, t: math.inf, "always never"),
    ("crossing", lambda n, f, t: -math.inf, "minus infinity"),
    ("crossing", lambda n, f, t: LIE, "an object that lies"),
]  # fmt: skip

RIGHT = [
    ("unroll", by_hand),
    ("count", 10760.0),
    ("greed", [[0.0, 1.0], [10.0, 0.0]]),
    ("greed", torch.diag(torch.tensor([0.3, 1.0]))),
    ("greed", [[1e7, 0], [0, 1e8]]),
    ("greed", np.diag([1e-201, 1e-200])),
    ("crossing", interpolated),
    ("crossing", in_arrays),
    ("crossing", lambda *a: torch.tensor(interpolated(*a), dtype=torch.float64)),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("unroll", lambda bricks: up(bricks) + down(bricks)[::-1], "the way down of brick"),
        ("unroll", up, "expected a list of"),
        ("count", 10496, "matrices alone"),
        ("count", 10704, "16, 32, 48 and 64"),
        ("count", 10816, "48, 32, 16 and 8"),
        ("count", 10600, "way down have biases"),
        ("count", 10656, "way up have biases"),
        ("greed", np.eye(2), "lose 20 %"),
        ("greed", np.diag([0.5, 1.0]), "same variance"),
    ],
)
def test_the_sentence_fits_the_mistake(name: str, answer: object, words: str) -> None:
    card = getattr(checks, name).check(answer)
    assert words in card.text
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]
