"""Under nbval every cell runs a second time, and the notebook's cost is noted.

A learner runs a cell again without a thought: twice in a row must work, and no verdict may change.
"""

from collections.abc import Generator, Iterator
from itertools import groupby
from typing import Any

import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from dlcourse.claims import MIME
from tests.notebooks.cost import Cost, remember, usage

REPEATED = pytest.StashKey[float]()  # CPU seconds that the second runs took


def verdicts(outputs: list[NotebookNode]) -> dict[str, str]:
    """Claim id -> verdict, from the outputs of one cell."""
    records = [o["data"][MIME] for o in outputs if MIME in o.get("data", {})]
    return {r["id"]: r["verdict"] for r in records}


def check_verdicts(cell: IPyNbCell, run: str) -> None:
    seen, committed = verdicts(cell.test_outputs), verdicts(cell.cell.outputs)
    if seen != committed:
        cell.raise_cell_error(f"the {run} run says {seen}; committed is {committed}")


def run_again(cell: IPyNbCell) -> None:
    """The same cell once more; what it prints may differ, an error or another verdict may not."""
    cell.options = cell.options | {"check": False}
    try:
        cell.runtest()
    except NbCellError as error:
        cell.raise_cell_error(f"run a second time: {error}", error.inner_traceback)
    check_verdicts(cell, "second")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    result = yield
    if isinstance(item, IPyNbCell) and not item.options["skip"]:
        check_verdicts(item, "first")
        before = usage(item.parent.kernel).cpu
        run_again(item)
        spent = usage(item.parent.kernel).cpu - before
        item.parent.stash[REPEATED] = item.parent.stash.get(REPEATED, 0.0) + spent
    return result


class CostItem(pytest.Item):
    """Runs after the last cell and notes what the first runs cost, for tests/notebooks."""

    def runtest(self) -> None:
        total = usage(self.parent.kernel)
        first = Cost(total.cpu - self.parent.stash.get(REPEATED, 0.0), total.peak)
        remember(self.config.cache, self.path, first)


def with_cost_items(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """The same items, and one more behind the last cell of each notebook."""
    for parent, group in groupby(list(items), key=lambda item: item.parent):
        yield from group
        if isinstance(parent, IPyNbFile):
            yield CostItem.from_parent(parent, name="cost")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = with_cost_items(items)
