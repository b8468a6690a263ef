"""Every notebook: its skeleton, its committed outputs, and its budgets.

nbval runs the cells and compares the tagged outputs; notebooks/conftest.py runs each cell a second time.
"""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.notebooks.cost import cost_alone, recall, remember

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(p for p in ROOT.glob("notebooks/*/*.ipynb"))
MAX_SECONDS, MAX_MEGABYTES, MAX_FILE_KB = 60, 2000, 3000  # design of a chapter, "Budgets"


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS, (
        f"no notebook found under {ROOT / 'notebooks'}: a run that checks nothing is red"
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_budget(path: Path, request: pytest.FixtureRequest) -> None:
    """As nbval noted it; if that is too much, or missing, measured alone.

    Beside a neighbour, on the same two cores, a processor second is worth up to a third less.
    """
    cost = recall(request.config.cache, path)
    if cost is None or cost.cpu > MAX_SECONDS:
        cost = cost_alone(path)
        remember(request.config.cache, path, cost)
    size = path.stat().st_size / 1000
    name = f"{path.parent.name}/{path.stem}"
    request.node.user_properties.append(("notebook cost", (name, cost.cpu, cost.peak, size)))
    assert cost.cpu <= MAX_SECONDS, f"{cost.cpu:.0f} CPU seconds; the budget is {MAX_SECONDS}"
    assert cost.peak <= MAX_MEGABYTES, f"{cost.peak:.0f} MB; the budget is {MAX_MEGABYTES}"
    assert size <= MAX_FILE_KB, f"{size:.0f} kB; the budget is {MAX_FILE_KB}"


def outputs_of_a_fresh_run(path: Path) -> list[list[NotebookNode]]:
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(
        notebook, timeout=300, resources=resources, record_timing=False, coalesce_streams=True
    ).execute()
    return [c.get("outputs", []) for c in notebook.cells]


@pytest.mark.timeout(300)
def test_a_restarted_run_is_byte_identical() -> None:
    """Re-execution changes nothing, so that history stays small and a diff means a change."""
    path = ROOT / "notebooks" / "start" / "tour.ipynb"
    assert outputs_of_a_fresh_run(path) == outputs_of_a_fresh_run(path)


SKELETON = [
    "What the surveys say",
    "Build it",
    "Is it right?",
    "Train it",
    "Take it apart",
    "On trial",
    "Exercises",
    "Since then",
]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_chapter_has_the_skeleton(path: Path) -> None:
    text = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"]
    lines = [line for source in text for line in source.splitlines()]
    assert [line[3:] for line in lines if line.startswith("## ")] == SKELETON


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_committed_outputs_are_complete(path: Path) -> None:
    """Executed in order, no error, no stray stderr, no timing metadata, cells of at most 25 lines."""
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert "execution" not in cell.metadata, "timing metadata makes every re-execution a diff"
        assert len(cell.source.splitlines()) <= 25, cell.source[:80]
        kinds = {o.output_type for o in cell.outputs} | {o.get("name") for o in cell.outputs}
        assert not kinds & {"error", "stderr"} or "raises-exception" in cell.metadata.get(
            "tags", []
        )
