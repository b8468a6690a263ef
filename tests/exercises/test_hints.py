"""Every exercise of every chapter gives its hints one at a time."""

import pytest

from dlcourse.exercises import Exercise
from tests.exercises.chapter import NOTEBOOKS, load_checks

FILES = sorted(NOTEBOOKS.glob("*/*_checks.py"))
CHAPTERS = [f"{p.parent.name}/{p.stem.removesuffix('_checks')}" for p in FILES]
MINIMUM = 3  # hints of an exercise, and exercises of a chapter


def exercises(chapter: str) -> list[Exercise]:
    return [e for e in vars(load_checks(chapter)).values() if isinstance(e, Exercise)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_three_exercises_or_more(chapter: str) -> None:
    found = exercises(chapter)
    assert len({e.id for e in found}) == len(found) >= MINIMUM


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_hints_come_one_at_a_time(chapter: str) -> None:
    for exercise in exercises(chapter):
        said = [exercise.hint().text for _ in exercise.hints]
        assert tuple(said) == exercise.hints and len(set(said)) == len(said) >= MINIMUM


def test_every_notebook_has_checks() -> None:
    assert sorted(f"{p.parent.name}/{p.stem}" for p in NOTEBOOKS.glob("*/*.ipynb")) == CHAPTERS
