"""The checks of the fusion chapter have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeRegressor

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/fusion")
SOLUTIONS = solutions("models/fusion")


# --- 2. shares ------------------------------------------------------------------------------------
def equal_say(f, y, a):
    return ((f - y) ** 2).mean(), ((f - f.mean(0)) ** 2).mean()


def around_the_plain_mean(f, y, a):
    return (a @ (f - y) ** 2).mean(), (a @ (f - f.mean(0)) ** 2).mean()


def committee_instead(f, y, a):
    mean = a @ f
    return ((mean - y) ** 2).mean(), (a @ (f - mean) ** 2).mean()


def sums_over_examples(f, y, a):
    member, spread = SOLUTIONS["shares_solution"](f, y, a)
    return member * len(y), spread * len(y)


def swapped(f, y, a):
    return SOLUTIONS["shares_solution"](f, y, a)[::-1]


def shares_in_a_loop(f, y, a):
    member = spread = 0.0
    for i in range(len(y)):
        mean = sum(s * row[i] for s, row in zip(a, f, strict=True))
        member += sum(s * (row[i] - y[i]) ** 2 for s, row in zip(a, f, strict=True))
        spread += sum(s * (row[i] - mean) ** 2 for s, row in zip(a, f, strict=True))
    return [member / len(y), spread / len(y)]


# --- 3. next weights ------------------------------------------------------------------------------
def two_classes_only(wrong, w, K):
    return SOLUTIONS["next_weights_solution"](wrong, w, 2)


def counts_mistakes(wrong, w, K):
    eps = wrong.mean()
    alpha = np.log((1 - eps) / eps) + np.log(K - 1)
    w = w * np.exp(alpha * wrong)
    return alpha, w / w.sum()


def not_normalised(wrong, w, K):
    alpha, _ = SOLUTIONS["next_weights_solution"](wrong, w, K)
    return alpha, w * np.exp(alpha * wrong)


def punishes_the_right_ones(wrong, w, K):
    alpha, _ = SOLUTIONS["next_weights_solution"](wrong, w, K)
    w = w * np.exp(alpha * ~wrong)
    return alpha, w / w.sum()


def adds_log_of_K(wrong, w, K):
    eps = w[wrong].sum()
    alpha = np.log((1 - eps) / eps) + np.log(K)
    w = w * np.exp(alpha * wrong)
    return alpha, w / w.sum()


def both_sides_by_half(wrong, w, K):
    """The same weights, reached from both sides."""
    bad = math.fsum(w[wrong])
    alpha = math.log((K - 1) * (1 - bad) / bad)
    new = [v * math.exp(alpha / 2 if x else -alpha / 2) for v, x in zip(w, wrong, strict=True)]
    return [alpha, [v / math.fsum(new) for v in new]]


# --- 4. honest vote -------------------------------------------------------------------------------
def _vote(labels, bags, classes, keep, empty=-1):
    count = np.array([((labels == k) & keep).sum(0) for k in range(classes)])
    return np.where(keep.any(0), count.argmax(0), empty)


def _unseen(labels, bags):
    return np.array([~np.isin(np.arange(labels.shape[1]), rows) for rows in bags])


def everyone_votes(labels, bags, classes):
    return _vote(labels, bags, classes, np.ones(labels.shape, bool))


def those_who_saw_it(labels, bags, classes):
    return _vote(labels, bags, classes, ~_unseen(labels, bags))


def no_judge_is_label_zero(labels, bags, classes):
    return _vote(labels, bags, classes, _unseen(labels, bags), empty=0)


def larger_label_wins(labels, bags, classes):
    keep = _unseen(labels, bags)
    count = np.array([((labels == k) & keep).sum(0) for k in range(classes)])
    return np.where(keep.any(0), classes - 1 - count[::-1].argmax(0), -1)


def mean_of_the_labels(labels, bags, classes):
    keep = _unseen(labels, bags)
    mean = (labels * keep).sum(0) / np.maximum(keep.sum(0), 1)
    return np.where(keep.any(0), np.rint(mean), -1)


def everyone_unless_nobody(labels, bags, classes):
    keep = _unseen(labels, bags)
    return np.where(keep.any(0), everyone_votes(labels, bags, classes), -1)


def vote_with_bincount(labels, bags, classes):
    out = []
    for i in range(labels.shape[1]):
        said = [row[i] for row, rows in zip(labels, bags, strict=True) if i not in rows]
        out.append(int(np.bincount(said, minlength=classes).argmax()) if said else -1)
    return out


GAPS = [("shares", lambda f, y, a: (..., ...))]

WRONG = [
    ("left_out", 0.368, "a full bag"),
    ("left_out", 0.5, "without replacement"),
    ("left_out", 0.3936, "the share inside"),
    ("left_out", 606, "a count"),
    ("left_out", 0.632, "a full bag's inside"),
    ("left_out", AlwaysEqual([0.6064]), "an object that lies"),
    ("shares", equal_say, "equal say"),
    ("shares", around_the_plain_mean, "the plain mean"),
    ("shares", committee_instead, "the committee's error"),
    ("shares", sums_over_examples, "sums instead of means"),
    ("shares", swapped, "the other order"),
    ("shares", lambda f, y, a: AlwaysEqual([1.0, 1.0]), "an object that lies"),
    ("shares", lambda f, y: equal_say(f, y, None), "wrong arguments"),
    ("next_weights", two_classes_only, "forgets log(K − 1)"),
    ("next_weights", counts_mistakes, "counts mistakes without weights"),
    ("next_weights", not_normalised, "not normalised"),
    ("next_weights", punishes_the_right_ones, "the other way round"),
    ("next_weights", adds_log_of_K, "log K"),
    ("next_weights", lambda wrong, w, K: AlwaysEqual([1.0]), "an object that lies"),
    ("next_weights", lambda wrong, w, K: w, "no α"),
    ("honest_vote", everyone_votes, "everyone votes"),
    ("honest_vote", those_who_saw_it, "those who saw it"),
    ("honest_vote", no_judge_is_label_zero, "zero where nobody may judge"),
    ("honest_vote", larger_label_wins, "the larger label in a tie"),
    ("honest_vote", mean_of_the_labels, "the mean of labels"),
    ("honest_vote", everyone_unless_nobody, "everyone, but −1 in the right places"),
    ("honest_vote", lambda labels, bags, classes: AlwaysEqual(np.zeros(9)), "an object that lies"),
]

RIGHT = [
    ("left_out", np.float32(0.6064)),
    ("shares", shares_in_a_loop),
    ("next_weights", both_sides_by_half),
    ("honest_vote", vote_with_bincount),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


# --- what the chapter builds, against scikit-learn once more ----------------------------------------
@pytest.mark.parametrize("seed", range(5))
def test_weighted_regression_trees_equal_scikit_learns(seed: int) -> None:
    """Weights and several targets, on continuous data without ties, down to eight leaves."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, 3)).astype(np.float32).astype(float)
    Y, w = rng.normal(size=(120, 2)) + X[:, :2], rng.uniform(0.5, 2.0, 120)
    theirs = DecisionTreeRegressor(max_depth=3).fit(X, Y, sample_weight=w)
    ours = SOLUTIONS["grow"](X, Y, w, 3)
    new = rng.normal(size=(200, 3)).astype(np.float32).astype(float)
    assert np.allclose(theirs.predict(new), SOLUTIONS["answer"](ours, new))


def test_multi_class_weights_are_those_of_samme() -> None:
    """The votes of the second member depend on the weights after the first."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2)).astype(np.float32)
    y = np.digitize(X[:, 0] + 0.5 * rng.normal(size=150), [-0.5, 0.5])
    theirs = AdaBoostClassifier(n_estimators=3, random_state=0).fit(X, y)
    w = np.full(150, 1 / 150)
    for member, alpha in zip(theirs.estimators_, theirs.estimator_weights_, strict=True):
        ours, w = SOLUTIONS["next_weights_solution"](member.predict(X) != y, w, 3)
        assert ours == pytest.approx(alpha)
