"""The tour in JupyterLab: Run all, no error, the figures live, an exercise answers, verdicts as committed."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Lab, Notebook, serve

START = Path(__file__).parents[2] / "notebooks" / "start"
TRAINING, SHIFT = "Train on real digits", "Move a digit"


@pytest.fixture(scope="module")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("tour") / "start"
    shutil.copytree(START, folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    with serve(folder) as server:
        yield server


@pytest.fixture(scope="module")
def tour(lab: Lab, open_page: Callable[..., Any]) -> Notebook:
    """The tour, run from top to bottom; a tall window, so that Lab draws every cell."""
    notebook = lab.open(open_page(viewport={"width": 1300, "height": 9000}), "tour.ipynb")
    notebook.run_all()
    for label in (TRAINING, SHIFT):
        notebook.drawn(label)
    return notebook


def test_run_all_leaves_no_error(tour: Notebook) -> None:
    errors = tour.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
    assert errors.all_inner_texts() == []
    assert "of the unseen digits right" in tour.readout(TRAINING)
    assert tour.readout(TRAINING).startswith("step 300:")


def test_a_slider_asks_the_kernel(tour: Notebook) -> None:
    before = tour.readout(SHIFT)
    tour.figure(SHIFT).locator("input[type=range]").first.focus()
    tour.page.keyboard.press("ArrowRight")
    tour.page.wait_for_timeout(1500)
    assert "moved by (1, 0)" in tour.readout(SHIFT) != before


def test_training_resets_and_steps(tour: Notebook) -> None:
    tour.press(TRAINING, "Reset")
    tour.page.wait_for_timeout(1000)
    tour.press(TRAINING, "Step")
    tour.page.wait_for_timeout(1500)
    assert tour.readout(TRAINING).startswith("step 2:")


def test_the_exercises_say_not_attempted(tour: Notebook) -> None:
    cards = tour.page.locator(".dlc-card-head").all_inner_texts()
    assert sum("Not attempted yet" in c for c in cards) == 3


def test_the_verdict_is_shown(tour: Notebook) -> None:
    assert tour.page.get_by_text("Does not hold here").count() == 1
