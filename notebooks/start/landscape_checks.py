"""The checks of the landscape chapter's exercises; the notebook imports this file as `exercises`."""

import csv
from collections import Counter, defaultdict
from itertools import pairwise, product
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
from pybtex.database import parse_file

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scatter, scene, text

HERE = Path(__file__).parent


# --- 1. the longest silence -----------------------------------------------------------------------
def _rows() -> dict[str, list[int]]:
    """Row of the timeline -> its years in order."""
    entries = parse_file(HERE / "../../book/references.bib").entries
    rows = defaultdict(list)
    with (HERE / "timeline.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            rows[line["row"]].append(int(entries[line["key"]].fields["year"]))
    return {row: sorted(years) for row, years in rows.items()}


def _silences(rows: dict[str, list[int]]) -> dict[tuple[int, int], str]:
    """(year before, year after) of neighbours -> the row where they stand."""
    return {
        (earlier, later): row for row, years in rows.items() for earlier, later in pairwise(years)
    }


def _silence_picture(row: str, years: list[int], before: int, after: int) -> dict:
    marks = [
        plot([before, after], [0, 0], color="c2", width=6, label="your silence"),
        scatter(years, np.zeros(len(years)), size=6),
        text(years[0], 0.4, row),
    ]
    return scene(panel(*marks, xlabel="year", ylim=(-1, 1), yticks={}, size=(380, 140)))


def _check_silence(answer: Any) -> str:
    before, after = (
        int(y) for y in require.array(answer, "the two years", shape=(2,), kind="integer")
    )
    rows = _rows()
    silences = _silences(rows)
    longest = max(silences, key=lambda pair: pair[1] - pair[0])
    if (before, after) == longest:
        return f"{after - before} years, in the row “{silences[longest]}”."
    if (before, after) not in silences:
        raise Wrong(
            f"expected two neighbouring years of one row, earlier one first, came ({before}, {after}). "
            "Move the slider: which row keeps its square for longest?"
        )
    row = silences[before, after]
    raise Wrong(
        f"({before}, {after}) are neighbours in the row “{row}”, {after - before} years apart, "
        "but another row was silent for longer.",
        _silence_picture(row, rows[row], before, after),
    )


silence = Exercise(
    "landscape-silence",
    "Give the two years around the longest silence in one row of the timeline",
    check=_check_silence,
    hints=(
        "A silence is the time between two neighbouring entries of the same row.",
        "Go through rows.values(); zip(items, items[1:]) gives the neighbours.",
        "Take the pair with the largest difference. It begins with a book about what one unit cannot do.",
    ),
    answer="value",
)


# --- 2. a gentler stemmer -------------------------------------------------------------------------
RULES = (  # ending, exceptions, letters to cut, letters to add
    ("ies", ("eies", "aies"), 3, "y"),
    ("es", ("aes", "ees", "oes"), 1, ""),
    ("s", ("us", "ss"), 1, ""),
)
PLURALS = ["nets", "classes", "queries", "trees", "shoes", "movies", "zeies", "daies"]
OTHERS = ["status", "class", "algae", "data", "is", "s"]
ENGLISH = ["boxes", "matches", "wishes", "analysis", "chaos"]  # a grammar would go further
EVERY_CASE = PLURALS + OTHERS + ENGLISH


def _singular_reference(word: str) -> str:
    for ending, exceptions, cut, add in RULES:
        if word[-len(ending) :] == ending and not any(word[-len(e) :] == e for e in exceptions):
            return word[:-cut] + add
    return word


def _made_up_words(rng: np.random.Generator) -> list[str]:
    """Words that nobody has seen: every letter before every ending, so all exceptions are among them."""
    letters, endings = list(ascii_lowercase), ("", "s", "es", "ies")
    pairs = product(letters, endings)
    return ["".join(rng.choice(letters, rng.integers(1, 6))) + a + b for a, b in pairs]


def _check_singular(singular: Any) -> str:
    for words in (EVERY_CASE, _made_up_words(require.rng()), _made_up_words(require.rng())):
        for word in words:
            came = require.call(singular, word)
            wanted = _singular_reference(word)
            require.text(came, f"for {word!r}")
            if came != wanted:
                raise Wrong(
                    f"for {word!r}: expected {wanted!r}, came {came!r}. "
                    "Which of the three rules is the first that applies?"
                )
    return "it agrees on real plurals and on words that nobody has seen."


singular = Exercise(
    "landscape-singular",
    "Write Harman's stemmer: three rules for plurals, the first that applies is taken",
    check=_check_singular,
    hints=(
        "str.endswith accepts a tuple of endings.",
        "A rule applies if its ending fits and none of its exceptions does; then return at once.",
        'Rule 1: if word.endswith("ies") and not word.endswith(("eies", "aies")): return word[:-3] + "y".',
    ),
)


# --- 3. never count twice -------------------------------------------------------------------------
def _stream(rng: np.random.Generator) -> tuple[dict, int, list, dict]:
    """(batch, covered, recent, exact counts): repetitions, delays, overlap; a view may also be empty."""
    vocabulary = ["".join(rng.choice(list(ascii_lowercase), 5)) for _ in range(4)]
    words = [str(w) for w in rng.choice(vocabulary, rng.integers(10, 40))]
    covered = int(rng.integers(1, len(words) - 4)) if rng.random() < 0.8 else 0
    arrived = np.flatnonzero(rng.random(len(words)) < rng.choice((0.0, 0.6, 0.9)))
    numbers = rng.permutation(np.r_[arrived, rng.choice(arrived, len(arrived) // 2)])
    recent = [(int(i), words[i]) for i in numbers]
    new = [words[i] for i in arrived if i >= covered]
    return dict(Counter(words[:covered])), covered, recent, dict(Counter(words[:covered] + new))


def _merged_picture(came: dict, exact: dict) -> dict:
    words = list(exact | {w: 0 for w in came if type(w) is str})[:8]
    at = np.arange(len(words))
    marks = [
        bar(at - 0.2, [exact.get(w, 0) for w in words], color="c1", width=0.36, label="exact"),
        bar(at + 0.2, [came.get(w, 0) for w in words], color="c2", width=0.36, label="yours"),
    ]
    ticks = dict(enumerate(words))
    return scene(panel(*marks, xticks=ticks, ylabel="times counted", xlim=(-0.6, len(words) - 0.4)))


def _plain_counts(came: Any) -> dict[str, int]:
    """The learner's dictionary, or Counter, with words of count zero left out."""
    if not issubclass(type(came), dict):  # isinstance asks the object itself
        raise Wrong(
            f"expected a dictionary of counts, came an object of type {type(came).__name__}."
        )
    counts = {w: require.integer(n, f"the count of {w!r}") for w, n in dict.items(came)}
    return {w: n for w, n in counts.items() if n}


def _check_merged(merged: Any) -> str:
    for _ in range(20):
        batch, covered, recent, exact = _stream(require.rng())
        came = _plain_counts(require.call(merged, batch, covered, recent))
        if came == exact:
            continue
        total, wanted = sum(came.values()), sum(exact.values())
        fault = "some events are counted more than once" if total > wanted else "events are missing"
        if total == wanted:
            fault = "the total is right but the words are not"
        raise Wrong(
            f"expected {wanted} events in all, came {total}: {fault}. "
            "Which numbers are new to the batch view, and have you seen them before?",
            _merged_picture(came, exact),
        )
    return "exact on 20 random streams with repetitions, delays, overlap and empty views."


merged = Exercise(
    "landscape-merged",
    "Merge a batch view and a list of recent events without counting any event twice",
    check=_check_merged,
    hints=(
        "Two sources of double counting: an event in both views, and an event that came twice.",
        "Keep only the numbers that are not below covered, and each number once.",
        "dict(recent) keeps one word for each number. Count its words from covered on, and add them to a copy of batch.",
    ),
)
