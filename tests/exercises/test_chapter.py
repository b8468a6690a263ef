"""The tests that all chapters inherit have been seen failing, and every chapter has answers."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from dlcourse.exercises import Exercise, Wrong, require
from tests.exercises.chapter import NOTEBOOKS, Answers


def _two(answer):
    if require.number(answer) != 2:
        raise Wrong("One and one make two; count again.")


WRONG = [("sum", 1, "too few"), ("sum", 3, "too many"), ("sum", "2", "a text", "a number")]
COMPLETE = {
    "checks": SimpleNamespace(sum=Exercise("sum", "One and one.", _two, answer="value")),
    "solutions": {"sum_solution": 2},
    "wrong": WRONG,
    "right": [("sum", 2.0)],
    "gaps": [("sum", (1, ...))],
}
TESTS = {
    "test_every_kind_of_answer_is_listed": "sum",
    "test_the_empty_answer_is_not_attempted": "sum",
    "test_the_notebooks_solution_is_right": "sum",
    "test_wrong_answers_are_refused": ("sum", 1, "too few"),
    "test_another_style_is_right": ("sum", 2.0),
}


def run(test: str, argument: str | tuple, **changed: object) -> None:
    answers = Answers()
    vars(answers).update(COMPLETE | changed)
    getattr(answers, test)(argument)


def test_the_list_of_tests_is_complete() -> None:
    assert {name for name in vars(Answers) if name.startswith("test_")} == TESTS.keys()


@pytest.mark.parametrize("test", TESTS)
def test_complete_answers_pass(test: str) -> None:
    run(test, TESTS[test])


@pytest.mark.parametrize(
    ("test", "changed"),
    [
        ("test_every_kind_of_answer_is_listed", {"wrong": WRONG[:2]}),
        ("test_every_kind_of_answer_is_listed", {"right": []}),
        ("test_the_empty_answer_is_not_attempted", {"gaps": [("sum", 1)]}),
        ("test_the_notebooks_solution_is_right", {"solutions": {"sum_solution": 3}}),
        ("test_the_notebooks_solution_is_right", {"solutions": {}}),
        ("test_the_notebooks_solution_is_right", {"named": {"sum": "total"}}),
    ],
)
def test_what_is_missing_is_noticed(test: str, changed: dict) -> None:
    with pytest.raises((AssertionError, KeyError)):
        run(test, TESTS[test], **changed)


@pytest.mark.parametrize(
    ("test", "row"),
    [
        ("test_wrong_answers_are_refused", ("sum", 2, "right after all")),
        ("test_wrong_answers_are_refused", ("sum", ..., "not attempted")),
        ("test_wrong_answers_are_refused", ("sum", 1, "other words", "three")),
        ("test_another_style_is_right", ("sum", 1)),
    ],
)
def test_an_answer_in_the_wrong_table_is_noticed(test: str, row: tuple) -> None:
    with pytest.raises(AssertionError):
        run(test, row)


def test_every_chapter_has_a_file_of_answers() -> None:
    chapters = {p.stem.removesuffix("_checks") for p in NOTEBOOKS.glob("*/*_checks.py")}
    files = [p for p in Path(__file__).parent.glob("*.py") if "(Answers):" in p.read_text()]
    assert chapters <= {p.stem.removeprefix("test_") for p in files}
