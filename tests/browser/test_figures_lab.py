"""Figures in JupyterLab: controls reach the kernel, training obeys its buttons, the keyboard is shared."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lab import Lab, Notebook, serve

SETUP = """
import time
from dlcourse.figures import Choice, Explorer, LiveTraining, Slider, panel, plot, scene, show

def curve(values, text):
    return scene(panel(plot(range(len(values)), values), xlim=(0, 400), ylim=(0, 400)), text=text)

def compute(x):
    if x == 5: raise ValueError("five is right out")
    return curve([x, 2 * x], f"x is {x}")

def begin(rate): return {"values": [], "rate": rate}
def step(state): state["values"].append(state["rate"] * len(state["values"]))
def view(state, k): return curve(state["values"], f"step {k}")
def broken(state):
    if len(state["values"]) == 12: raise RuntimeError("weights lost")
    step(state)
def diverging(state): state["values"].append(float("nan") if len(state["values"]) > 4 else 1.0)
def losses(state, k): return curve(state["values"], f"loss {(state['values'] or [0])[-1]:.1f}")
""".strip()
EXPLORER = (
    'Explorer(compute, alt="A line.", label="Line", caption="It follows x.", x=Slider(range(9), 2))'
)
SLOW = 'slow = LiveTraining(begin, step, view, alt="Growth.", label="Slow", pace=40, rate=Choice([1, 2]))\nslow'
BROKEN = 'LiveTraining(begin, broken, view, alt="Broken.", label="Broken", rate=Choice([1]))'
DIVERGING = 'LiveTraining(begin, diverging, losses, alt="NaN.", label="NaN", max_steps=20, rate=Choice([1]))'
QUICK = (
    'quick = LiveTraining(begin, step, view, alt="Quick.", label="Quick", rate=Choice([1]))\nquick'
)
CELLS = {
    name: i
    for i, name in enumerate(
        ("setup", "explorer", "slow", "broken", "diverging", "quick", "finish", "look")
    )
}
LOOK = 'print("alive", slow.k == len(slow.state["values"]), slow.running)'
STILL = 'show(curve([1, 2], "a still"), alt="Two values.")'
FINISH = 'print("trained", len(quick.finish()["values"]))'


@pytest.fixture(scope="module")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    folder.mkdir()
    with serve(folder) as server:
        yield server


@pytest.fixture(scope="module")
def book(lab: Lab, open_page: Callable[..., Any]) -> Notebook:
    """One notebook, run from top to bottom as by *Run all*."""
    lab.write("figures.ipynb", SETUP, EXPLORER, SLOW, BROKEN, DIVERGING, QUICK, FINISH, LOOK, STILL)
    notebook = lab.open(open_page(viewport={"width": 1300, "height": 1100}), "figures.ipynb")
    notebook.run_all()
    for label in ("Line", "Slow", "Broken", "NaN", "Quick", "Figure"):
        notebook.drawn(label)
    return notebook


def number(readout: str) -> int:
    return int(re.search(r"-?\d+", readout).group())


def test_run_all_shows_step_zero_and_finish_shows_the_end(book: Notebook) -> None:
    assert book.readout("Line") == "x is 2"
    assert book.readout("Slow") == "step 0"
    assert book.readout("Quick") == "step 400"
    assert "trained 400" in book.output(CELLS["finish"])
    assert "alive True False" in book.output(CELLS["look"])
    assert "It follows x." in book.output(CELLS["explorer"])


def test_arrow_keys_move_the_slider_and_leave_the_cells_alone(book: Notebook) -> None:
    book.select(CELLS["explorer"])
    book.figure("Line").locator("input").focus()
    book.page.keyboard.press("ArrowDown")
    book.expect("Line", "x is 1")
    book.page.keyboard.press("ArrowRight")
    book.page.keyboard.press("ArrowUp")
    book.expect("Line", "x is 3")
    assert book.active() == CELLS["explorer"]


def test_the_sliders_ends_are_fine(book: Notebook) -> None:
    book.figure("Line").locator("input").focus()
    for key, shown in (("End", "x is 8"), ("Home", "x is 0")):
        book.page.keyboard.press(key)
        book.expect("Line", shown)


def test_a_compute_that_raises_says_so_and_recovers(book: Notebook) -> None:
    slider = book.figure("Line").locator("input")
    slider.fill("5")
    book.page.wait_for_function(
        "() => document.querySelector('.dlc-err')?.innerText.includes('five')"
    )
    assert book.figure("Line").locator(".dlc-err").inner_text() == "ValueError: five is right out"
    slider.fill("6")
    book.expect("Line", "x is 6")
    assert not book.figure("Line").locator(".dlc-err").is_visible()


def test_start_lets_the_next_cell_run_then_pause_step_reset(book: Notebook) -> None:
    book.press("Slow", "Start")
    book.beyond("Slow", 5)
    book.run_cell(CELLS["look"])
    assert "alive True True" in book.output(CELLS["look"])
    book.press("Slow", "Pause")
    book.button("Slow", "Start").wait_for()
    paused = book.settled("Slow")
    book.press("Slow", "Step")
    book.expect("Slow", f"step {number(paused) + 5}")
    book.press("Slow", "Reset")
    book.expect("Slow", "step 0")


def test_the_history_can_be_scrubbed_while_training(book: Notebook) -> None:
    book.press("Slow", "Start")
    book.beyond("Slow", 20)
    book.figure("Slow").get_by_role("slider").fill("0")
    book.expect("Slow", "step 0")
    book.press("Slow", "Pause")
    book.button("Slow", "Start").wait_for()
    assert book.readout("Slow") == "step 0"
    book.figure("Slow").get_by_role("slider").focus()
    book.page.keyboard.press("End")
    assert number(book.readout("Slow")) >= 20


def test_the_interrupt_button_stops_training_and_keeps_the_model(book: Notebook) -> None:
    book.press("Slow", "Reset")
    book.press("Slow", "Start")
    book.beyond("Slow", 10)
    book.command("notebook:interrupt-kernel")
    book.button("Slow", "Start").wait_for()
    stopped = book.settled("Slow")
    book.run_cell(CELLS["look"])
    assert "alive True False" in book.output(CELLS["look"])
    book.press("Slow", "Start")
    book.beyond("Slow", number(stopped))
    book.press("Slow", "Pause")


def test_running_the_cell_again_replaces_the_old_training(book: Notebook) -> None:
    book.press("Slow", "Start")
    book.beyond("Slow", 5)
    book.run_cell(CELLS["setup"])
    book.run_cell(CELLS["slow"])
    book.expect("Slow", "step 0")
    book.page.wait_for_timeout(600)
    assert book.readout("Slow") == "step 0"
    assert book.figure("Slow").count() == 1


def test_a_step_that_raises_keeps_the_picture_and_the_kernel(book: Notebook) -> None:
    book.press("Broken", "Start")
    problem = book.figure("Broken").locator(".dlc-err")
    problem.wait_for()
    assert problem.inner_text() == "Stopped after step 12. RuntimeError: weights lost"
    assert book.figure("Broken").locator("svg[role=img]").is_visible()
    book.button("Broken", "Start").wait_for()
    book.run_cell(CELLS["look"])
    assert "alive" in book.output(CELLS["look"])


def test_losses_that_are_no_numbers_are_gaps_and_the_readout_says_so(book: Notebook) -> None:
    book.press("NaN", "Start")
    book.expect("NaN", "loss nan (not a finite number: the drawing has a gap there)")
    path = book.figure("NaN").locator("svg[role=img] path").last.get_attribute("d")
    assert path.count("L") == 4
    assert "NaN" not in path


def test_switching_lab_to_dark_keeps_it_accessible(book: Notebook, axe: Any) -> None:
    assert axe(book.page, ".dlc") == []
    book.page.evaluate(
        "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    book.page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    book.page.wait_for_timeout(800)
    assert axe(book.page, ".dlc") == []


def test_no_errors_and_no_request_to_the_outside(book: Notebook) -> None:
    ours = [p for p in book.page.problems if "dlc" in p or "figure" in p or "widget" in p.lower()]
    assert ours == []
    assert book.page.outside == []


def test_a_committed_notebook_shows_its_recorded_figures(
    lab: Lab, open_page: Callable[..., Any]
) -> None:
    """Executed headless, opened for the first time (not trusted): at least the still is there."""
    import nbformat
    from nbclient import NotebookClient

    lab.write("committed.ipynb", SETUP, EXPLORER.replace("range(9)", "range(5)"))
    path = lab.folder / "committed.ipynb"
    executed = nbformat.read(path, 4)
    NotebookClient(executed, record_timing=False, kernel_name="python3").execute()
    nbformat.write(executed, path)
    notebook = lab.open(open_page(viewport={"width": 1300, "height": 900}), "committed.ipynb")
    still = notebook.page.locator("img[alt='A line.']")
    still.wait_for()
    assert still.bounding_box()["width"] > 100
