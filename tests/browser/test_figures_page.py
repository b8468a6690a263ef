"""Figures on a page without a kernel: they move, follow the theme, and remain without JavaScript."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcourse.figures import (
    Choice,
    Explorer,
    LiveTraining,
    Slider,
    imshow,
    panel,
    picture,
    plot,
    quiver,
    scatter,
    scene,
    show,
    text,
)

GRID = np.linspace(-2, 2, 40)


def bowl(x: float, y: float) -> dict[str, Any]:
    gx, gy = np.meshgrid(GRID, GRID)
    z = (gx - x) ** 2 + 3 * (gy - y) ** 2
    surface = imshow(z, (-2, 2, -2, 2), lim=(-20, 20), cmap="diverging", origin="lower")
    left = panel(
        surface, scatter([x], [y], "fg", size=5), quiver([x], [y], [0.5], [0.5]), title="Bowl"
    )
    right = panel(
        plot(GRID, (GRID - x) ** 2, label="section"), xlabel="x", ylabel="height", ylim=(0, 16)
    )
    return scene(left, right, text=f"minimum at ({x:.2f}, {y:.2f})")


def falling(state: dict[str, Any], k: int) -> dict[str, Any]:
    losses = plot(range(k), state["losses"], label="loss")
    curve = panel(losses, xlim=(0, 30), ylim=(0, 1), xlabel="step", ylabel="loss")
    return scene(curve, text=f"step {k}")


def descend(state: dict[str, Any]) -> None:
    state["losses"].append(state["rate"] ** len(state["losses"]))


def figures() -> list[Any]:
    from matplotlib.figure import Figure

    sliders = {n: Slider(np.linspace(-2, 2, 21), 0.4, static=6) for n in "xy"}
    explorer = Explorer(
        bowl,
        alt="A bowl and its section.",
        label="Bowl",
        caption="Two views.",
        pick=("x", "y"),
        **sliders,
    )
    training = LiveTraining(
        lambda rate: {"losses": [], "rate": rate}, descend, falling,
        alt="The loss falls.", max_steps=30, record_every=3, rate=Choice([0.9, 0.5]),
    )  # fmt: skip
    digit = panel(imshow(np.eye(8), cmap="gray"), text(1, 6, "one"), axes=False, title="Digit")
    fig = Figure(figsize=(4, 3))
    fig.subplots().plot([1, 2, 4])
    return [
        explorer,
        training,
        show(scene(digit), alt="A diagonal."),
        picture(fig, alt="A rising line."),
    ]


@pytest.fixture(scope="module")
def html() -> str:
    parts = [f._repr_mimebundle_()[0]["text/html"] for f in figures()]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Figures</title>'
    body = f"<main><h1>Figures</h1>{''.join(parts)}</main>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


@pytest.fixture(scope="module")
def address(html: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "figures.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


def opened(page: Any, address: str) -> Any:
    page.goto(address)
    page.wait_for_function("() => document.querySelectorAll('.dlc[data-drawn]').length === 3")
    return page


def drawing(figure: Any) -> str:
    return figure.locator("svg[role=img]").first.inner_html()


def colours(page: Any) -> list[int]:
    """Return the first pixel of the first canvas and the background behind the figure."""
    read = "c => [...c.getContext('2d').getImageData(20, 20, 1, 1).data]"
    return page.locator("canvas").first.evaluate(read)


def test_moving_a_slider_changes_drawing_and_readout(page: Any, address: str) -> None:
    figure = opened(page, address).locator(".dlc").first
    before = drawing(figure), figure.locator(".dlc-read").inner_text()
    figure.locator("input").first.focus()
    page.keyboard.press("ArrowRight")
    after = drawing(figure), figure.locator(".dlc-read").inner_text()
    assert before[0] != after[0]
    assert before[1] == "minimum at (0.40, 0.40)" != after[1]
    assert not page.problems
    assert not page.outside


def test_the_sliders_reach_both_ends(page: Any, address: str) -> None:
    figure = opened(page, address).locator(".dlc").first
    for key, shown in (("End", "2.00"), ("Home", "-2.00")):
        for slider in figure.locator("input").all():
            slider.focus()
            page.keyboard.press(key)
        assert figure.locator(".dlc-read").inner_text() == f"minimum at ({shown}, {shown})"


def test_a_click_in_the_first_panel_sets_both_sliders(page: Any, address: str) -> None:
    figure = opened(page, address).locator(".dlc").first
    target = figure.locator("svg[role=img]").first
    box = target.bounding_box()
    target.click(position={"x": 0.2 * box["width"], "y": 0.2 * box["height"]})
    x, y = map(float, re.findall(r"-?\d+\.\d+", figure.locator(".dlc-read").inner_text()))
    assert x < -1
    assert y > 0.8
    assert [figure.locator("output").nth(i).inner_text() for i in (0, 1)] == [
        f"{x:.3g}",
        f"{y:.3g}",
    ]


def test_a_recorded_training_shows_its_end_and_plays_pauses_steps_resets(
    page: Any, address: str
) -> None:
    figure = opened(page, address).get_by_role("group", name="Training")
    readout, button = (
        figure.locator(".dlc-read"),
        lambda name: figure.get_by_role("button", name=name),
    )
    assert readout.inner_text() == "step 30"
    button("Reset").click()
    assert readout.inner_text() == "step 0"
    button("Step").click()
    assert readout.inner_text() == "step 3"
    button("Play").click()
    page.wait_for_function(
        "t => document.querySelectorAll('.dlc-read')[1].innerText > t", arg="step 3"
    )
    button("Pause").click()
    paused = readout.inner_text()
    page.wait_for_timeout(400)
    assert readout.inner_text() == paused
    button("Play").click()
    page.wait_for_function(
        "() => document.querySelectorAll('.dlc-read')[1].innerText === 'step 30'"
    )
    assert button("Play").is_visible()
    before = drawing(figure)
    figure.get_by_label("rate").select_option("0.5")
    assert drawing(figure) != before


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_in_both_themes(open_page: Any, address: str, axe: Any, theme: str) -> None:
    page = opened(open_page(color_scheme=theme, viewport={"width": 1100, "height": 900}), address)
    assert axe(page) == []
    assert not page.problems


def test_changing_the_theme_redraws_the_canvas(page: Any, address: str) -> None:
    opened(page, address)
    light = colours(page)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.evaluate("document.body.style.setProperty('--pst-color-background', '#101418')")
    page.wait_for_timeout(600)
    assert sum(colours(page)[:3]) < sum(light[:3]) - 200


def test_every_plot_has_words_and_every_slider_a_label(page: Any, address: str) -> None:
    opened(page, address)
    for drawn in page.locator("svg[role=img]").all():
        assert drawn.get_attribute("aria-label")
    assert page.get_by_role("slider", name="x", exact=True).get_attribute("aria-valuetext") == "0.4"
    assert page.locator("[role=status]").count() == 3


def test_focus_is_visible(page: Any, address: str) -> None:
    opened(page, address).locator(".dlc input").first.focus()
    page.keyboard.press("Tab")
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "3px"


def test_nothing_moves_by_itself(open_page: Any, address: str) -> None:
    page = opened(open_page(reduced_motion="reduce"), address)
    counts = "() => [...document.querySelectorAll('.dlc')].map(f => f.dataset.drawn)"
    before = page.evaluate(counts)
    page.wait_for_timeout(500)
    assert page.evaluate(counts) == before


def test_a_phone_shows_everything_without_scrolling_sideways(open_page: Any, address: str) -> None:
    page = opened(open_page(viewport={"width": 390, "height": 844}, device_scale_factor=2), address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    size = "t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getScreenCTM().a"
    sizes = [t.evaluate(size) for t in page.locator("svg[role=img] text").all()]
    assert min(sizes) >= 9


def test_without_javascript_the_still_remains(open_page: Any, address: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(address)
    stills = page.locator("img").all()
    assert [s.get_attribute("alt") for s in stills] == [
        "A bowl and its section.", "The loss falls.", "A diagonal.", "A rising line.",
    ]  # fmt: skip
    assert all(s.bounding_box()["width"] > 100 for s in stills)


def test_a_sanitised_output_still_shows_the_still(page: Any, html: str, tmp_path: Path) -> None:
    path = tmp_path / "clean.html"
    path.write_text(re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL), encoding="utf-8")
    page.goto(path.as_uri())
    assert all(i.bounding_box()["width"] > 100 for i in page.locator("img").all())


def test_print_keeps_the_drawing_and_drops_the_controls(page: Any, address: str) -> None:
    opened(page, address).emulate_media(media="print")
    assert page.locator(".dlc svg[role=img]").first.is_visible()
    assert not page.locator(".dlc-controls").first.is_visible()
