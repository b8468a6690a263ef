"""Load a chapter's checks, and the solutions that are folded away in its notebook."""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
from numpy.typing import ArrayLike

from dlcourse.exercises import Exercise

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
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


def refused(exercise: Exercise, answer: Any, why: str) -> None:
    """Assert that a wrong answer is refused with a sentence, and not because the check itself broke."""
    card = exercise.check(answer)
    assert card.status == "not yet", why
    assert len(card.text) > 20, card.text
    assert "our fault" not in card.text, card.text


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
