"""The checks of the end-to-end speech chapter have been seen failing, and accept right answers in any style."""

import math
from itertools import pairwise, product

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("applications/speech_end_to_end")
SOLUTIONS = solutions("applications/speech_end_to_end")
edits = SOLUTIONS["edits"]


def collapsed(path: tuple) -> tuple:
    return tuple(k for i, k in enumerate(path) if k and (i == 0 or k != path[i - 1]))


def by_enumeration(T, target):
    return sum(
        collapsed(p) == tuple(target) for p in product(range(max(target, default=0) + 1), repeat=T)
    )


def without_skips(T, target):
    places = [0, *(k for p in target for k in (p, 0))]
    ways = [1, 1] + [0] * (len(places) - 2)
    for _ in range(T - 1):
        ways = [w + (ways[s - 1] if s else 0) for s, w in enumerate(ways)]
    return sum(ways[-2:])


def in_floats(T, target):
    return float(SOLUTIONS["count_paths_solution"](T, target))


def by_formula(T, target):
    """Another style: the number of ways to place the changes of symbol."""
    n, repeats = len(target), sum(a == b for a, b in pairwise(target))
    return math.comb(T + n - repeats, 2 * n) if n + repeats <= T else 0


def by_pairs(target):
    return [*target, *(a for a, b in pairwise(target) if a == b)]


def mean_of_rates(truths, guesses):
    return 100 * np.mean([edits(t, g) / len(t) for t, g in zip(truths, guesses, strict=True)])


def by_guess_length(truths, guesses):
    return 100 * sum(map(edits, truths, guesses)) / max(1, sum(map(len, guesses)))


def by_position(truths, guesses):
    wrong = sum(
        a != b for t, g in zip(truths, guesses, strict=True) for a, b in zip(t, g, strict=False)
    )
    return 100 * wrong / sum(map(len, truths))


GAPS = [("misleading", [[0.6, 0.4], ...])]

WRONG = [
    ("shortest", len, "forgets the blank between equal phones"),
    ("shortest", lambda t: 2 * len(t) + 1, "a blank everywhere"),
    ("shortest", lambda t: len(t) + len(t) - len(set(t)), "counts repeats that are not neighbours"),
    ("shortest", lambda t: max(1, len(by_pairs(t))), "a frame for an empty text"),
    ("shortest", lambda t: AlwaysEqual(3.0), "an object that lies"),
    ("misleading", [[0.9, 0.1], [0.9, 0.1]], "nothing is really more probable"),
    ("misleading", [[0.4, 0.6], [0.4, 0.6]], "the best path is not empty"),
    ("misleading", [[0.7, 0.7], [0.6, 0.4]], "does not add up to one"),
    ("misleading", [[1.2, -0.2], [0.3, 0.7]], "negative probability"),
    ("misleading", [0.6, 0.4], "one row"),
    ("misleading", AlwaysEqual([0.6, 0.4]), "an object that lies"),
    ("word_error", mean_of_rates, "mean of the sentences' rates"),
    ("word_error", by_guess_length, "divides by the words guessed"),
    ("word_error", by_position, "compares by position"),
    ("word_error", lambda t, g: sum(map(edits, t, g)) / sum(map(len, t)), "not in per cent"),
    ("word_error", lambda t, g: AlwaysEqual(30.0), "an object that lies"),
    ("count_paths", without_skips, "never skips a blank"),
    ("count_paths", lambda T, target: 3**T, "all paths"),
    ("count_paths", in_floats, "floating point"),
    ("count_paths", lambda T, target: int(in_floats(T, target)), "floating point in between"),
    ("count_paths", lambda T, target: math.comb(T + len(target), 2 * len(target)), "no repeats"),
    ("count_paths", lambda T, target: AlwaysEqual(35.0), "an object that lies"),
]

RIGHT = [
    (
        "shortest",
        lambda t: len([k for i, k in enumerate(t) for _ in range(1 + (i > 0 and t[i - 1] == k))]),
    ),
    ("misleading", np.array([[0.55, 0.45], [0.7, 0.3]])),
    ("count_paths", by_formula),
    (
        "word_error",
        lambda t, g: (
            sum(edits(a, b) for a, b in zip(t, g, strict=True)) / sum(len(a) for a in t) * 100.0
        ),
    ),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_a_remembered_answer_is_refused() -> None:
    memory: list[float] = []

    def remembers(truths, guesses):
        if not memory:
            memory.append(SOLUTIONS["word_error_solution"](truths, guesses))
        return memory[0]

    assert checks.word_error.check(remembers).status == "not yet"


@pytest.mark.parametrize(("T", "target"), [(4, (1, 2)), (5, (1, 1)), (6, (2, 1, 1)), (3, ())])
def test_the_reference_count_is_the_enumeration(T: int, target: tuple) -> None:
    assert (
        checks._paths(T, target)
        == by_enumeration(T, target)
        == SOLUTIONS["count_paths_solution"](T, target)
    )


def test_the_next_chapters_plumbing_is_what_this_chapter_wrote() -> None:
    """`speech_end_to_end_figures` repeats collapse, edits and the HMM for the sequel; they must not drift."""
    import speech_end_to_end_figures as plumbing
    import torch

    rng = np.random.default_rng(0)
    for _ in range(20):
        path = rng.integers(0, 4, 12)
        assert tuple(plumbing.merged(path)) == SOLUTIONS["collapse"](path) == collapsed(tuple(path))
        a, b = rng.integers(0, 3, 6).tolist(), rng.integers(0, 3, 5).tolist()
        assert plumbing._edits(a, b) == edits(a, b)
    batch = plumbing.Batch(plumbing.data.corpus(["s iy", "t uw"], plumbing.data.speakers(2)))
    torch.manual_seed(0)
    net = SOLUTIONS["Reader"]()
    ours = SOLUTIONS["hybrid_guesses"](net, batch, batch.labels)
    assert [tuple(g) for g in plumbing.hmm_guesses(net, batch, batch.labels)] == ours
    assert batch.take(np.array([1])).spell(0) == "t uw"
