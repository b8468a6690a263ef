"""The checks of the fusion chapter have been seen failing, and accept right answers in any style."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
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


def not_averaged(f, y, a):
    return a @ (f - y) ** 2, a @ (f - a @ f) ** 2


def shares_by_the_difference(f, y, a):
    """The ambiguity from the identity itself, in torch."""
    f, y, a = torch.tensor(f), torch.tensor(y), torch.tensor(a)
    member = torch.einsum("m,mn->n", a, (f - y) ** 2).mean()
    return torch.stack([member, member - ((a @ f - y) ** 2).mean()])


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


def never_below_zero(wrong, w, K):
    alpha = max(SOLUTIONS["next_weights_solution"](wrong, w, K)[0], 0.0)
    w = w * np.exp(alpha * wrong)
    return alpha, w / w.sum()


def size_of_alpha(wrong, w, K):
    alpha = abs(SOLUTIONS["next_weights_solution"](wrong, w, K)[0])
    w = w * np.exp(alpha * wrong)
    return alpha, w / w.sum()


def grows_in_place(wrong, w, K):
    alpha, new = SOLUTIONS["next_weights_solution"](wrong, w, K)
    w[:] = new
    return alpha, w


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


def lower_median(labels, bags, classes):
    said = [labels[u, i] for i, u in enumerate(_unseen(labels, bags).T)]
    return np.array([np.sort(s)[(len(s) - 1) // 2] if len(s) else -1 for s in said])


def last_judge(labels, bags, classes):
    said = [labels[u, i] for i, u in enumerate(_unseen(labels, bags).T)]
    return np.array([s[-1] if len(s) else -1 for s in said])


def first_of_a_tie(labels, bags, classes):
    said = [labels[u, i].tolist() for i, u in enumerate(_unseen(labels, bags).T)]
    return np.array([max(s, key=s.count) if s else -1 for s in said])


def three_classes_only(labels, bags, classes):
    return _vote(labels, bags, 3, _unseen(labels, bags))


def forgets_the_last_class(labels, bags, classes):
    return _vote(labels, bags, classes - 1, _unseen(labels, bags))


def vote_in_torch(labels, bags, classes):
    unseen = torch.tensor(_unseen(labels, bags))
    count = [((torch.tensor(labels) == k) & unseen).sum(0) for k in range(classes)]
    return torch.where(unseen.any(0), torch.stack(count).argmax(0), -1).float()


def vote_with_bincount(labels, bags, classes):
    out = []
    for i in range(labels.shape[1]):
        said = [row[i] for row, rows in zip(labels, bags, strict=True) if i not in rows]
        out.append(int(np.bincount(said, minlength=classes).argmax()) if said else -1)
    return out


GAPS = [("next_weights", lambda wrong, w, K: (0.5, ...)), ("shares", lambda f, y, a: (..., ...))]

WRONG = [
    ("left_out", 0.368, "a full bag"),
    ("left_out", 0.5, "without replacement"),
    ("left_out", 0.3936, "the share inside"),
    ("left_out", 606, "a count", "divide"),
    ("left_out", 60.6, "a percentage", "by 100"),
    ("left_out", 0.61, "two decimals", "three decimals"),
    ("left_out", (1 - 1 / 500) ** 1000, "the numbers exchanged"),
    ("left_out", 0.632, "a full bag's inside"),
    ("left_out", AlwaysEqual([0.6064]), "an object that lies"),
    ("shares", equal_say, "equal say"),
    ("shares", around_the_plain_mean, "the plain mean"),
    ("shares", committee_instead, "the committee's error"),
    ("shares", sums_over_examples, "sums instead of means"),
    ("shares", swapped, "the other order", "exchange"),
    ("shares", not_averaged, "one number an example", "mean over the examples"),
    ("shares", lambda f, y, a: AlwaysEqual([1.0, 1.0]), "an object that lies"),
    ("shares", lambda f, y: equal_say(f, y, None), "wrong arguments"),
    ("next_weights", two_classes_only, "forgets log(K − 1)"),
    ("next_weights", counts_mistakes, "counts mistakes without weights"),
    ("next_weights", not_normalised, "not normalised"),
    ("next_weights", punishes_the_right_ones, "the other way round"),
    ("next_weights", adds_log_of_K, "log K"),
    ("next_weights", lambda wrong, w, K: AlwaysEqual([1.0]), "an object that lies"),
    ("next_weights", lambda wrong, w, K: w, "no α", "return both"),
    ("next_weights", never_below_zero, "no α below zero", "negative"),
    ("next_weights", size_of_alpha, "α without its sign", "negative"),
    ("next_weights", grows_in_place, "changes its input", "changed its input"),
    ("honest_vote", everyone_votes, "everyone votes"),
    ("honest_vote", those_who_saw_it, "those who saw it"),
    ("honest_vote", no_judge_is_label_zero, "zero where nobody may judge"),
    ("honest_vote", larger_label_wins, "the larger label in a tie"),
    ("honest_vote", mean_of_the_labels, "the mean of labels"),
    ("honest_vote", lower_median, "the median of labels"),
    ("honest_vote", last_judge, "one judge"),
    ("honest_vote", first_of_a_tie, "the first label in a tie"),
    ("honest_vote", three_classes_only, "three classes"),
    ("honest_vote", forgets_the_last_class, "one class too few"),
    ("honest_vote", everyone_unless_nobody, "everyone, but −1 in the right places"),
    ("honest_vote", lambda labels, bags, classes: AlwaysEqual(np.zeros(9)), "an object that lies"),
]

RIGHT = [
    ("left_out", np.float32(0.6064)),
    ("left_out", Fraction(999, 1000) ** 500),
    ("left_out", math.exp(-0.5)),
    ("shares", shares_in_a_loop),
    ("shares", shares_by_the_difference),
    ("next_weights", both_sides_by_half),
    ("honest_vote", vote_with_bincount),
    ("honest_vote", vote_in_torch),
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
