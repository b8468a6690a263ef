"""Figures: what they refuse, what they record, and that they record the same twice."""

import json
import math
import os
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from dlcourse import figures
from dlcourse.figures import (
    Choice,
    Explorer,
    LiveTraining,
    Slider,
    panel,
    picture,
    plot,
    scene,
    show,
)


def line(x: float) -> dict[str, Any]:
    return scene(panel(plot([0, 1], [0, x])), text=f"x = {x}")


def explorer(**options: Any) -> Explorer:
    return Explorer(line, alt="A line.", x=Slider(range(5), 2), **options)


class Walk:
    """A random walk that counts how often it is set up."""

    def __init__(self) -> None:
        self.setups = 0

    def setup(self, scale: float = 1.0) -> dict[str, Any]:
        self.setups += 1
        return {"random": torch.Generator().manual_seed(3), "scale": scale, "path": [0.0]}

    def step(self, state: dict[str, Any]) -> None:
        move = state["scale"] * torch.randn((), generator=state["random"]).item()
        state["path"].append(state["path"][-1] + move)

    def view(self, state: dict[str, Any], k: int) -> dict[str, Any]:
        return scene(
            panel(plot(range(k + 1), state["path"]), xlim=(0, 20), ylim=(-9, 9)), text=f"step {k}"
        )

    def figure(self, **options: Any) -> LiveTraining:
        options = {"max_steps": 20, "record_every": 6, "scale": Choice([1.0, 2.0, 3.0])} | options
        return LiveTraining(self.setup, self.step, self.view, alt="A walk.", **options)


@pytest.mark.parametrize("alt", ["", "   ", None, 3])
@pytest.mark.parametrize(
    "make",
    [
        lambda alt: Explorer(line, alt=alt, x=Slider([1])),
        lambda alt: show(line(1), alt=alt),
        lambda alt: picture(_matplotlib(), alt=alt),
        lambda alt: (
            Walk().figure() and LiveTraining(Walk().setup, Walk().step, Walk().view, alt=alt)
        ),
    ],
)
def test_no_figure_without_alt_text(make: Any, alt: Any) -> None:
    with pytest.raises(TypeError, match="alt must say in words"):
        make(alt)


def _matplotlib() -> Any:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(4, 3))
    fig.subplots().plot([1, 3, 2])
    return fig


def test_a_control_that_is_none_is_named() -> None:
    with pytest.raises(TypeError, match="x= must be a Slider or a Choice, got list"):
        Explorer(line, alt="A line.", x=[1, 2])


def test_pick_must_name_two_numeric_controls() -> None:
    with pytest.raises(ValueError, match="pick must name two controls"):
        Explorer(
            lambda x, y: line(x), alt="A line.", pick=("x", "y"), x=Slider([1, 2]), y=Choice(["a"])
        )


def test_a_mistake_in_compute_shows_when_the_figure_is_made() -> None:
    with pytest.raises(ZeroDivisionError):
        Explorer(lambda x: 1 / 0, alt="Nothing.", x=Slider([1]))


def test_outputs_are_page_picture_and_words_without_a_memory_address() -> None:
    data, about = explorer(caption="See <it>.", name="fig-line")._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html", "image/png"}
    assert data["text/plain"] == "Explorer: A line."
    assert about == {
        "image/png": {"alt": "A line."},
        "dlcourse": {"name": "fig-line", "caption": "See <it>."},
    }
    assert '<figcaption class="dlc-caption">See &lt;it&gt;.</figcaption>' in data["text/html"]
    json.dumps([data, about])


def test_nothing_is_fetched_from_elsewhere() -> None:
    page = explorer()._repr_mimebundle_()[0]["text/html"]
    addresses = [a for a in page.split('"') if a.startswith(("http:", "https:", "//"))]
    assert addresses == []
    js, css = figures.host.sources()
    assert "import(" not in js
    assert "fetch(" not in js
    assert "url(" not in css


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert explorer()._repr_mimebundle_() == explorer()._repr_mimebundle_()
    assert Walk().figure()._repr_mimebundle_() == Walk().figure()._repr_mimebundle_()
    once, twice = (picture(_matplotlib(), alt="A line.").png for _ in range(2))
    assert once == twice


def test_showing_a_figure_twice_records_once() -> None:
    calls = []
    figure = Explorer(lambda x: calls.append(x) or line(x), alt="A line.", x=Slider(range(3)))
    assert figure._repr_mimebundle_() == figure._repr_mimebundle_()
    assert len(calls) == 4  # one when made, three recorded


def test_a_figure_over_the_budget_says_what_to_lower() -> None:
    random = np.random.default_rng(0)
    noise = Explorer(
        lambda x: scene(panel(plot(range(9000), random.random(9000)))),
        alt="Noise.",
        x=Slider(range(20), static=20),
    )
    with pytest.warns(UserWarning, match=r"takes \d+ kB of at most 300 kB: lower static="):
        noise._repr_mimebundle_()


def test_a_training_of_usual_size_stays_within_the_budget() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = Walk().figure(max_steps=400)._repr_mimebundle_()[0]["text/html"]
    assert len(page) < 100_000


def test_finish_returns_the_recorded_run_and_never_trains_twice() -> None:
    walk = Walk()
    figure = walk.figure()
    figure._repr_mimebundle_()
    assert walk.setups == 3  # one per recorded combination
    assert figure.k == 20
    state = figure.finish()
    assert walk.setups == 3
    assert state is figure.state is figure.finish()
    assert len(state["path"]) == 21


def test_finish_gives_the_same_state_shown_or_not() -> None:
    shown, hidden = Walk().figure(), Walk().figure()
    shown._repr_mimebundle_()
    assert shown.finish()["path"] == hidden.finish()["path"]


def test_showing_after_finish_leaves_the_trained_state_alone() -> None:
    early, late = Walk().figure(), Walk().figure()
    path = list(early.finish()["path"])
    assert early._repr_mimebundle_() == late._repr_mimebundle_()
    assert early.state["path"] == path


def test_the_initial_control_value_is_what_finish_trains() -> None:
    figure = Walk().figure(scale=Choice([1.0, 2.0], init=2.0))
    figure._repr_mimebundle_()
    assert figure.finish()["scale"] == 2.0


def test_the_last_step_is_always_recorded() -> None:
    store, still = Walk().figure()._record()
    assert store.dims[-1]["labels"] == ["0", "6", "12", "18", "20"]
    assert len(store.scenes) == 15
    assert still["text"] == "step 20"


def test_a_step_that_raises_is_raised_by_finish_and_keeps_the_count() -> None:
    def step(state: dict[str, Any]) -> None:
        raise RuntimeError("weights lost")

    figure = LiveTraining(Walk().setup, step, Walk().view, alt="A walk.")
    with pytest.raises(RuntimeError, match="weights lost"):
        figure.finish()
    assert figure.k == 0


def test_a_readout_with_nan_says_that_there_is_a_gap() -> None:
    text = figures.training.warned(scene(text="loss nan"))["text"]
    assert text == "loss nan (not a finite number: the drawing has a gap there)"
    assert (
        figures.training.warned(scene(text="financial information"))["text"]
        == "financial information"
    )


def test_headless_is_decided_by_the_environment_if_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DLCOURSE_HEADLESS", raising=False)
    assert figures.host.headless()
    monkeypatch.setenv("DLCOURSE_HEADLESS", "0")
    assert not figures.host.headless()
    monkeypatch.setenv("DLCOURSE_HEADLESS", "1")
    assert figures.host.headless()


def test_importing_figures_loads_no_torch_and_no_widgets() -> None:
    code = "import sys, dlcourse.figures; print([m for m in ('torch', 'ipywidgets', 'anywidget') if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True
    )
    assert out.stdout.strip() == "[]"


def test_slider_values_that_are_recorded_include_ends_and_start() -> None:
    slider = Slider(np.linspace(0, 1, 41), 0.3, static=5)
    kept = slider.recorded()
    assert {0, 40, slider.start} <= set(kept)
    assert len(kept) == 5
    assert math.isclose(slider.values[slider.start], 0.3)


def test_a_slider_refuses_an_initial_value_outside() -> None:
    with pytest.raises(ValueError, match="init=7 is not among the values"):
        Slider([1, 2, 3], 7)
    with pytest.raises(ValueError, match="needs at least one value"):
        Choice([])


def test_a_picture_closes_its_figure_and_keeps_few_bytes() -> None:
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots()
    ax.plot([1, 2, 3])
    shown = picture(fig, alt="A line.")
    assert not plt.fignum_exists(fig.number)
    assert len(shown.png) < 30_000
    page = shown._repr_mimebundle_()[0]["text/html"]
    assert 'class="dlc-picture" alt="A line."' in page


@pytest.mark.parametrize(
    "make", [explorer, lambda: Walk().figure(), lambda: show(line(2), alt="A line.")]
)
def test_a_live_output_waits_for_no_recording(monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    monkeypatch.setenv("DLCOURSE_HEADLESS", "0")
    data, _ = make()._repr_mimebundle_()
    assert "image/png" not in data
    assert len(data["text/html"]) < 30_000


def test_curves_tell_lines_apart_and_draw_the_range_over_seeds():
    one, other = np.arange(3.0), np.array([[0.0, 2.0, 4.0], [2.0, 2.0, 8.0]])  # (2 seeds, 3 points)
    marks = figures.curves([1, 2, 4], {"one": one, "other": other})
    assert [m["type"] for m in marks] == ["plot", "scatter", "fill_between", "plot", "scatter"]
    np.testing.assert_array_equal(marks[3]["y"], [1, 2, 6])
    np.testing.assert_array_equal(marks[2]["y2"], [2, 2, 8])
    looks = [(m["color"], m["dash"]) for m in marks if m["type"] == "plot"]
    assert looks == [("c1", None), ("c2", "6 4")] and marks[0]["label"] == "one"
    assert [m["marker"] for m in marks if m["type"] == "scatter"] == ["o", "s"]
    (line,) = figures.curves([1, 2, 4], {"later": one}, markers=False, first=7)
    assert (line["color"], line["dash"]) == ("c2", "6 4")
