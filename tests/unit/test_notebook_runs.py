"""notebooks/conftest.py, seen failing: a cell that works once, a verdict that changes, a bare pass."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from dlcourse.claims import MIME

ROOT = Path(__file__).parents[2]
SAY = f'display({{"{MIME}": {{"id": "c-x", "verdict": word}}}}, raw=True)'


def nbval(folder: Path, *cells: nbformat.NotebookNode) -> str:
    """What pytest prints about a notebook of these cells."""
    kernel = {"name": "python3", "display_name": "Python 3"}
    path = folder / "trial.ipynb"
    nbformat.write(new_notebook(cells=list(cells), metadata={"kernelspec": kernel}), path)
    command = f"-m pytest -p notebooks.conftest --nbval-lax -o cache_dir={folder}/cache {path}"
    done = subprocess.run(
        [sys.executable, *command.split()], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    return done.stdout


def said(verdict: str) -> nbformat.NotebookNode:
    record = {MIME: {"id": "c-x", "verdict": verdict}}
    return new_code_cell(SAY, outputs=[new_output("display_data", record)], execution_count=2)


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ([new_code_cell("x = 1"), new_code_cell("del x")], "run a second time"),
        ([new_code_cell("word = 'holds'"), said("does not hold here")], "the first run says"),
        ([new_code_cell("word, n = 'holds', 0"), said("holds")], "3 passed"),
    ],
    ids=["works once", "other verdict", "as it should be"],
)
def test_a_second_run_is_made(tmp_path: Path, cells: list, sentence: str) -> None:
    assert sentence in nbval(tmp_path, *cells)


def test_a_verdict_that_changes_when_run_again_is_red(tmp_path: Path) -> None:
    words = new_code_cell("words = iter(['holds', 'does not hold here'])")
    cell = said("holds")
    cell.source = "word = next(words)\n" + SAY
    assert "the second run says" in nbval(tmp_path, words, cell)


def test_the_first_run_is_what_is_counted(tmp_path: Path) -> None:
    slow = "import time; end = time.process_time() + 3\nwhile time.process_time() < end: pass"
    nbval(tmp_path, new_code_cell(slow))
    record = json.loads((tmp_path / "cache" / "v" / "notebooks" / "trial").read_text())
    assert 3 <= record["cost"]["cpu"] < 5.5  # s, the start of the kernel with it, not 6
