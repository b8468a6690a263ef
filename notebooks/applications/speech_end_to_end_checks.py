"""The checks of the chapter on end-to-end speech; the notebook imports this file as `exercises`."""

from functools import cache
from itertools import product
from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, scene


def _collapse(path: tuple) -> tuple:
    return tuple(k for i, k in enumerate(path) if k and (i == 0 or k != path[i - 1]))


# --- 1. the shortest utterance ------------------------------------------------------------------
def _check_shortest(shortest: Any) -> str:
    cases = [[1, 2], [1, 1], [1, 1, 1, 2, 2], [], [2, 1, 2, 1]]
    rng = require.rng()
    cases += [rng.integers(1, 4, rng.integers(1, 9)).tolist() for _ in range(15)]
    cases.append(rng.integers(1, 30, 40).tolist())
    for target in cases:
        came = require.integer(require.call(shortest, target), f"the frames for {target}")
        path = [
            k for i, k in enumerate(target) for k in ([0, k] if i and k == target[i - 1] else [k])
        ]
        if came != len(path):
            raise Wrong(
                f"expected {len(path)} frames for the text {target}, as in the path {path} with 0 for the blank; came {came}. "
                "Where must a blank stand, and where need none?",
            )
    return "every text fits exactly, and one frame less would not do."


shortest = Exercise(
    "ctc-shortest",
    "Return the smallest number of frames in which `target` can be said",
    check=_check_shortest,
    hints=(
        "Each phone needs at least one frame. Between which phones is one more needed?",
        "Two equal neighbours would merge. A blank must stand between them.",
        "The length, plus the number of places where target[i] == target[i + 1].",
    ),
)


# --- 2. a misleading best path ------------------------------------------------------------------
def _texts_picture(y: np.ndarray) -> dict:
    p: dict[tuple, float] = {}
    for path in product((0, 1), repeat=2):
        text = _collapse(path)
        p[text] = p.get(text, 0.0) + float(y[0, path[0]] * y[1, path[1]])
    ticks = {0: "nothing", 1: "a"}
    heights = [p.get((), 0.0), p.get((1,), 0.0)]
    return scene(
        panel(
            bar([0, 1], heights), xticks=ticks, ylabel="probability", ylim=(0, 1), size=(260, 220)
        )
    )


def _check_misleading(answer: Any) -> str:
    y = require.array(answer, "y", shape=(2, 2))
    if (y < 0).any() or (abs(y.sum(1) - 1) > 1e-6).any():
        raise Wrong(f"expected two rows of probabilities that each add up to 1, came {y.tolist()}.")
    empty = float(y[0, 0] * y[1, 0])
    if not (y[:, 0] > y[:, 1]).all():
        raise Wrong(
            "the best path must say nothing: in each row the blank (first) must be the more probable symbol.",
            _texts_picture(y),
        )
    if not 1 - empty > empty + 1e-9:
        raise Wrong(
            f"the empty text has probability {empty:.3f}, the text a has {1 - empty:.3f}; a must win.",
            _texts_picture(y),
        )
    return f"the best path says nothing, yet the text a has probability {1 - empty:.2f}."


misleading = Exercise(
    "ctc-misleading",
    "Give y (2, 2) whose best path is empty although the text a is more probable",
    check=_check_misleading,
    hints=(
        "Only one path collapses to nothing: blank, blank. How many collapse to a?",
        "The empty text has probability y[0][0] * y[1][0]. Keep both above 0.5 and the product below 0.5.",
        "0.6 times 0.6 is 0.36.",
    ),
    answer="value",
)


# --- 3. the word error of a whole test ----------------------------------------------------------
def _distance(a: tuple, b: tuple) -> int:
    """Levenshtein's distance from its recursive definition."""

    @cache
    def d(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return d(len(a), len(b))


def _sentences(rng: np.random.Generator) -> tuple[list, list]:
    words = ["two", "to", "ships", "sail", "on"]
    truths = [[str(w) for w in rng.choice(words, rng.integers(1, 8))] for _ in range(4)]
    guesses = [[str(w) for w in rng.choice(words, rng.integers(0, 9))] for _ in truths]
    return truths, guesses


def _check_word_error(word_error: Any) -> str:
    for _ in range(12):
        truths, guesses = _sentences(require.rng())
        came = require.number(require.call(word_error, truths, guesses), "the word error")
        wrong = [_distance(tuple(t), tuple(g)) for t, g in zip(truths, guesses, strict=True)]
        wanted = 100 * sum(wrong) / sum(map(len, truths))
        require.close(
            came,
            wanted,
            what=f"edits {wrong} over sentences of {[len(t) for t in truths]} words",
            do="Add up the edits of all sentences first, then divide once, by the words that were said; in per cent.",
        )
    return "it agrees on twelve random tests; note that it may exceed 100 %."


word_error = Exercise(
    "speech-word-error",
    "Return the word error rate of a whole test in per cent",
    check=_check_word_error,
    hints=(
        "`edits(truth, guess)` counts the errors of one sentence.",
        "A mean of per-sentence rates lets a one-word sentence count as much as a long one. Add up first.",
        "100 * (sum of edits) / (sum of len(truth)).",
    ),
)


# --- 4. counting paths --------------------------------------------------------------------------
def _paths(T: int, target: tuple) -> int:
    """Number of paths, by another road: states are (symbols matched, symbol of the last frame)."""
    alive = {(0, 0): 1}
    for _ in range(T):
        new: dict[tuple, int] = {}
        for (done, last), ways in alive.items():
            moves = [(done, 0)] + ([(done, last)] if last else [])
            if done < len(target) and target[done] != last:
                moves.append((done + 1, target[done]))
            for move in moves:
                new[move] = new.get(move, 0) + ways
        alive = new
    return sum(ways for (done, _), ways in alive.items() if done == len(target))


def _check_count(count_paths: Any) -> str:
    rng = require.rng()
    cases = [(4, (1, 2)), (3, (1, 1)), (2, (1, 1)), (5, ()), (1, (1,)), (60, (3, 3, 1, 2, 2, 5))]
    cases.append((60, tuple((1 + rng.permutation(20)[:18]).tolist())))  # more than 2⁶³ paths
    cases += [
        (int(rng.integers(2, 40)), tuple(rng.integers(1, 4, rng.integers(1, 7)).tolist()))
        for _ in range(8)
    ]
    for T, target in cases:
        came = require.call(count_paths, T, target)
        wanted = _paths(T, target)
        count = came if type(came) is int else require.integer(came, "the number of paths")
        if count != wanted:
            do = "Which of the three moves is missing, or allowed once too often?"
            if wanted > 2**53:
                do = "Floats lose the last digits here and NumPy's integers overflow; Python's do neither."
            raise Wrong(f"T = {T}, target {target}: expected {wanted} paths, came {count}. {do}")
    return "every count agrees, up to 60 frames."


count_paths = Exercise(
    "ctc-count-paths",
    "Return how many paths of T frames collapse to `target`",
    check=_check_count,
    hints=(
        "If every symbol had probability 1, what would the forward recursion add up?",
        "Replace log-probabilities by whole numbers: start with 1 in the first two places, and add instead of logaddexp.",
        "Per frame: new[s] = ways[s] + ways[s-1] (+ ways[s-2] over a blank between different phones). Add the last two.",
    ),
)
