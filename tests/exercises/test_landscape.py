"""The checks of the landscape chapter have been seen failing, and accept right answers in any style."""

import re
from collections import Counter

import numpy as np

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("start/landscape")
SOLUTIONS = solutions("start/landscape")


class EqualWord(str):
    """A text that claims to equal every other."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


class EqualCounts(dict):
    """A dictionary that claims to equal every other."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


class SaysDict:
    """An object that calls itself a dictionary."""

    __class__ = dict


def english_plurals(word):
    """Knows too much: *ch*, *sh*, *x* and *z* lose the whole *es*."""
    if word.endswith(("ches", "shes", "xes", "zes")):
        return word[:-2]
    return SOLUTIONS["singular_solution"](word)


def keeps_greek_words(word):
    keeps = word.endswith(("ys", "os")) and len(word) > 5
    return word if keeps else SOLUTIONS["singular_solution"](word)


def adds_all(batch, covered, recent):
    return Counter(batch) + Counter(word for _, word in recent)


def forgets_overlap(batch, covered, recent):
    return Counter(batch) + Counter(dict(recent).values())


def forgets_repeats(batch, covered, recent):
    return Counter(batch) + Counter(word for number, word in recent if number >= covered)


def drops_the_first_new(batch, covered, recent):
    return Counter(batch) + Counter(w for n, w in dict(recent).items() if n > covered)


def each_word_once(batch, covered, recent):
    return Counter(batch) + Counter({word for number, word in recent if number >= covered})


def waits_for_the_missing(batch, covered, recent):
    """Stops at the first number that has not arrived."""
    counts = Counter(batch)
    for number, word in sorted(set(recent)):
        if number == covered:
            counts[word] += 1
            covered += 1
    return counts


def changes_the_batch(batch, covered, recent):
    for number, word in dict(recent).items():
        if number >= covered:
            batch[word] = batch.get(word, 0) + 1
    return batch


def falls_through(word):
    """Rule 2 after an exception of rule 1 is right; all three in a row is not."""
    word = re.sub(r"(?<![ea])ies$", "y", word)
    word = re.sub(r"(?<![aeo])es$", "e", word)
    return re.sub(r"(?<![us])s$", "", word) if len(word) > 1 else word


def singular_by_patterns(word):
    for pattern, new in ((r"(?<![ea])ies$", "y"), (r"(?<![aeo])es$", "e"), (r"(?<![us])s$", "")):
        if re.search(pattern, word):
            return re.sub(pattern, new, word)
    return word


def merged_by_hand(batch, covered, recent):
    seen, counts = set(), dict(batch)
    for number, word in recent:
        if number >= covered and number not in seen:
            seen.add(number)
            counts[word] = counts.get(word, 0) + 1
    return counts


WRONG = [
    ("silence", (1943, 1958), "a shorter silence"),
    ("silence", (1989, 1969), "the wrong way round"),
    ("silence", (1943, 2017), "first and last year of the map"),
    ("silence", 20, "the length, not the years"),
    ("silence", AlwaysEqual([1969, 1989]), "an object that lies"),
    ("singular", lambda w: w.rstrip("s"), "strips every s"),
    ("singular", lambda w: w.removesuffix("s"), "only the last rule, without exceptions"),
    ("singular", lambda w: re.sub("ies$", "y", w), "only the first rule"),
    ("singular", falls_through, "rules applied one after another"),
    ("singular", lambda w: EqualWord(w), "a text that lies"),
    ("singular", english_plurals, "an English rule too many"),
    ("singular", keeps_greek_words, "another English rule too many"),
    ("singular", lambda w: [SOLUTIONS["singular_solution"](w)], "a list"),
    ("singular", lambda w: checks.EVERY_CASE and w, "changes nothing"),
    ("merged", adds_all, "adds everything"),
    ("merged", forgets_overlap, "forgets the overlap of the views"),
    ("merged", forgets_repeats, "forgets the repetitions"),
    ("merged", drops_the_first_new, "one event too few"),
    ("merged", each_word_once, "each word once instead of each event"),
    ("merged", waits_for_the_missing, "waits for an event that is still on its way"),
    ("merged", changes_the_batch, "changes what it was given"),
    ("merged", lambda batch, covered, recent: dict(batch), "the batch view alone"),
    ("merged", lambda batch, covered, recent: EqualCounts(batch), "a dictionary that lies"),
    ("merged", lambda batch, covered, recent: SaysDict(), "an object that says it is a dictionary"),
    ("merged", lambda batch, covered, recent: AlwaysEqual([1969, 1989]), "an object that lies"),
]

RIGHT = [
    ("silence", [1969, 1989]),
    ("silence", np.array([1969, 1989])),
    ("singular", singular_by_patterns),
    ("merged", merged_by_hand),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right = WRONG, RIGHT


def test_a_list_of_remembered_plurals_is_refused() -> None:
    known = {w: checks._singular_reference(w) for w in checks.EVERY_CASE}
    assert checks.singular.check(lambda word: known.get(word, word)).status == "not yet"


def test_the_printed_silence_is_the_computed_one() -> None:
    rows = {row: [(year, "") for year in years] for row, years in checks._rows().items()}
    assert SOLUTIONS["longest_silence"](rows) == SOLUTIONS["silence_solution"]
