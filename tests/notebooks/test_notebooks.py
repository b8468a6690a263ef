"""Every notebook: each cell runs twice in a row, verdicts repeat, and the budgets hold.

nbval (see pyproject.toml) runs the same notebooks once more and compares the tagged outputs.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(p for p in ROOT.glob("notebooks/*/*.ipynb"))
CLAIM = "application/vnd.dlcourse.claim+json"
MAX_SECONDS, MAX_MEGABYTES, MAX_FILE_KB = 60, 2000, 3000  # design of a chapter, "Budgets"

USAGE = """
import resource as _r
_all = [_r.getrusage(who) for who in (_r.RUSAGE_SELF, _r.RUSAGE_CHILDREN)]  # children that have ended
print(sum(u.ru_utime + u.ru_stime for u in _all), _all[0].ru_maxrss / 1024)
"""


@dataclass
class Run:
    """What one execution of a notebook cost and said."""

    wall: float = 0.0  # s, first executions of every cell
    cpu: float = 0.0  # s
    peak: float = 0.0  # MB
    verdicts: dict[str, str] = field(default_factory=dict)


def verdicts(outputs: list[NotebookNode]) -> dict[str, str]:
    """Claim id -> verdict, from the outputs of one cell."""
    records = [o["data"][CLAIM] for o in outputs if CLAIM in o.get("data", {})]
    return {r["id"]: r["verdict"] for r in records}


def committed_verdicts(path: Path) -> dict[str, str]:
    notebook = nbformat.read(path, as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    return {k: v for c in code for k, v in verdicts(c.outputs).items()}


def usage(client: NotebookClient) -> tuple[float, float]:
    """CPU seconds of the kernel and its ended children, peak megabytes of the kernel, so far."""
    probe = nbformat.v4.new_code_cell(USAGE)
    client.nb.cells.append(probe)
    client.execute_cell(probe, len(client.nb.cells) - 1)
    client.nb.cells.pop()
    cpu, peak = "".join(o.get("text", "") for o in probe.outputs).split()  # may come in pieces
    return float(cpu), float(peak)


def run_twice_in_a_row(path: Path) -> Run:
    """Execute every code cell, then the same cell again, in one kernel."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}
    )
    run, repeated = Run(), 0.0
    with client.setup_kernel():
        for index, cell in enumerate(list(notebook.cells)):
            start = time.perf_counter()
            client.execute_cell(cell, index)
            run.wall += time.perf_counter() - start
            if cell.cell_type == "code":
                run.verdicts |= verdicts(cell.outputs)
                before = usage(client)[0]
                client.execute_cell(cell, index)
                repeated += usage(client)[0] - before
        total, run.peak = usage(client)
    run.cpu = total - repeated
    return run


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS, (
        f"no notebook found under {ROOT / 'notebooks'}: a run that checks nothing is red"
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_cells_run_twice_within_budget(path: Path, record_property: pytest.FixtureRequest) -> None:
    run = run_twice_in_a_row(path)
    size = path.stat().st_size / 1000
    record_property(
        "notebook cost", (f"{path.parent.name}/{path.stem}", run.wall, run.cpu, run.peak, size)
    )
    assert run.verdicts == committed_verdicts(path), "a rerun changed a verdict"
    assert run.cpu <= MAX_SECONDS, (
        f"{path.name} takes {run.cpu:.0f} CPU seconds; the budget is {MAX_SECONDS}"
    )
    assert run.peak <= MAX_MEGABYTES, (
        f"{path.name} needs {run.peak:.0f} MB; the budget is {MAX_MEGABYTES}"
    )
    assert size <= MAX_FILE_KB, f"{path.name} is {size:.0f} kB; the budget is {MAX_FILE_KB}"


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
