"""What the tests of all chapters share: their checks, the solutions in their notebooks, and four tests of the answers."""

import ast
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

import nbformat
import numpy as np
import pytest
from numpy.typing import ArrayLike

from dlcourse.exercises import Card, Exercise

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MINIMUM = 3  # wrong answers to an exercise
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _is_alias(node: ast.stmt) -> bool:
    """True for a name given to a type, as in `Rule = Callable[[int], int]`, which annotations below it need."""
    value = getattr(node, "value", None)
    return (
        isinstance(node, ast.Assign)
        and getattr(getattr(value, "value", None), "id", "") == "Callable"
    )


def load_checks(chapter: str) -> ModuleType:
    """The module `<chapter>_checks` next to the notebook, e.g. for "models/perceptron"."""
    folder = str((NOTEBOOKS / chapter).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"{Path(chapter).name}_checks")


def solutions(chapter: str) -> dict[str, Any]:
    """Every name defined by the cells tagged `solution`, run after the notebook's imports and definitions."""
    load_checks(chapter)
    notebook = nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4)
    body: list[ast.stmt] = []
    for cell in (c for c in notebook.cells if c.cell_type == "code"):
        nodes = ast.parse(cell.source).body
        is_solution = "solution" in cell.metadata.get("tags", [])
        body += (
            nodes
            if is_solution
            else [n for n in nodes if isinstance(n, DEFINITIONS) or _is_alias(n)]
        )
    names: dict[str, Any] = {"__name__": chapter}
    exec(compile(ast.Module(body, []), f"{chapter}.ipynb", "exec"), names)
    return names


def refused(exercise: Exercise, answer: Any, why: str, words: str = "") -> Card:
    """Assert that a wrong answer is refused, in a sentence with these words, and not because the check itself broke."""
    card = exercise.check(answer)
    assert card.status == "not yet", why
    assert len(card.text) > 20, card.text
    assert words.lower() in card.text.lower(), card.text
    assert "our fault" not in card.text, card.text
    return card


def accepted(exercise: Exercise, answer: Any) -> None:
    """Assert that an answer is right, and otherwise show what the learner would read."""
    card = exercise.check(answer)
    assert card.status == "right", card.text


class Answers:
    """The tests that every chapter's exercises pass. A test file inherits them and lists its chapter's answers.

    checks, solutions: what `load_checks` and `solutions` return. wrong: (exercise, answer, why it is wrong), and
    perhaps words that the sentence must hold. right: (exercise, answer), in another style than the notebook's.
    gaps: (exercise, answer) with a part left at `...`; wholly empty answers need no row. named: what the notebook
    calls a solution, where that is not `<exercise>_solution`.
    """

    checks: ModuleType
    solutions: Mapping[str, Any]
    wrong: Sequence[tuple[str, Any, str] | tuple[str, Any, str, str]] = ()
    right: Sequence[tuple[str, Any]] = ()
    gaps: Sequence[tuple[str, Any]] = ()
    named: Mapping[str, str] = MappingProxyType({})

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test with an argument `name` runs for each exercise, one with `wrong` or `right` for each row."""
        names = [name for name, value in vars(self.checks).items() if isinstance(value, Exercise)]
        tables = {
            "name": (names, names),
            "wrong": (self.wrong, [f"{name}: {why}" for name, _, why, *_ in self.wrong]),
            "right": (self.right, [name for name, _ in self.right]),
        }
        for argument in tables.keys() & {*metafunc.fixturenames}:
            rows, ids = tables[argument]
            metafunc.parametrize(argument, rows, ids=ids)

    def test_every_kind_of_answer_is_listed(self, name: str) -> None:
        wrong, right = [row[0] for row in self.wrong], [row[0] for row in self.right]
        assert wrong.count(name) >= MINIMUM, f"{name}: fewer than {MINIMUM} wrong answers"
        assert name in right, f"{name}: no right answer in another style"

    def test_the_empty_answer_is_not_attempted(self, name: str) -> None:
        exercise = getattr(self.checks, name)
        stub = [lambda *args: ...] if exercise.answer == "function" else []
        for answer in (..., *stub, *(gap for n, gap in self.gaps if n == name)):
            card = exercise.check(answer)
            assert card.status == "not attempted", card.text

    def test_wrong_answers_are_refused(self, wrong: tuple) -> None:
        name, *row = wrong
        refused(getattr(self.checks, name), *row)

    def test_the_notebooks_solution_is_right(self, name: str) -> None:
        solution = self.solutions[self.named.get(name, f"{name}_solution")]
        accepted(getattr(self.checks, name), solution)

    def test_another_style_is_right(self, right: tuple) -> None:
        name, answer = right
        accepted(getattr(self.checks, name), answer)


class AlwaysEqual:
    """A cheat: claims to equal everything, shows `claim` to whoever asks for a number or an array, and unpacks into two."""

    def __init__(self, claim: ArrayLike) -> None:
        self.claim = np.array(claim)

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __iter__(self) -> Iterator["AlwaysEqual"]:
        return iter((self, self))

    def __float__(self) -> float:
        return float(self.claim.flat[-1])

    def __array__(self, *args: object, **kwargs: object) -> np.ndarray:
        return self.claim
