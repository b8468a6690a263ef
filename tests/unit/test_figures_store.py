"""Marks, quantised arrays and stores: what is drawn is what was given, within a fraction of a pixel."""

import base64
import gzip
import io
import json
import struct
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dlcourse.figures import bar, fill_between, imshow, panel, plot, quiver, scatter, scene, text
from dlcourse.figures.still import scene_png, shrink
from dlcourse.figures.store import Store, quantise


def decoded(meta: dict[str, Any], raw: bytes) -> np.ndarray:
    """Decode as figure.js does."""
    codes = np.frombuffer(raw, "<u2" if meta["d"] == "u2" else "u1")
    top = 65534 if meta["d"] == "u2" else 254
    values = meta["lo"] + codes * (meta["hi"] - meta["lo"]) / top
    return np.where(codes > top, np.nan, 10**values if meta.get("log") else values)


def unpacked(store: Store) -> tuple[dict[str, Any], bytes]:
    data = gzip.decompress(base64.b64decode(store.text()))
    n = struct.unpack("<I", data[:4])[0]
    return json.loads(data[4 : 4 + n]), data[4 + n :]


def restored(head: dict[str, Any], blob: bytes, reference: dict[str, int]) -> np.ndarray:
    meta = head["arrays"][reference["$"]]
    return decoded(meta, blob[meta["o"] : meta["o"] + meta["n"]])[: reference.get("n")]


@pytest.mark.parametrize("seed", range(3))
def test_rounding_costs_less_than_a_tenth_of_a_pixel(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=200)
    error = np.abs(decoded(*quantise(values, (-10, 10))) - values).max()
    assert error < 0.1 * 20 / 400  # a plot of 400 pixels shows a range of 20


def test_nan_stays_nan_and_far_values_are_cut() -> None:
    back = decoded(*quantise(np.array([0.0, np.nan, np.inf, -np.inf, 1.0]), (-1, 2)))
    assert np.isnan(back[1])
    np.testing.assert_allclose(back[[0, 2, 3, 4]], [0, 2, -1, 1], atol=1e-4)


def test_nothing_but_nan_is_no_problem() -> None:
    assert np.isnan(decoded(*quantise(np.full(3, np.nan), (0, 1)))).all()
    assert decoded(*quantise(np.zeros(0), (0, 1))).size == 0


def test_a_log_axis_keeps_small_numbers() -> None:
    values = np.array([1e-9, 1e-3, 1.0, 50.0, -1.0])
    back = decoded(*quantise(values, (-14, 7), log=True))
    np.testing.assert_allclose(back[:4], values[:4], rtol=1e-3)
    assert np.isnan(back[4])


def test_a_growing_curve_is_stored_once() -> None:
    store = Store({}, [])
    y = np.random.default_rng(0).random(100)
    for k in (10, 50, 100):
        store.add(scene(panel(plot(range(k), y[:k]), xlim=(0, 100), ylim=(0, 1))))
    head, blob = unpacked(store)
    assert len(head["arrays"]) == 2
    for frame, k in zip(head["frames"], (10, 50, 100), strict=True):
        back = restored(head, blob, frame["panels"][0]["marks"][0]["y"])
        np.testing.assert_allclose(back, y[:k], atol=1e-4)


@pytest.mark.parametrize("heights", [(10, 1000), (1000, 10)])
def test_zooming_does_not_cut_the_wide_view(heights: tuple[int, int]) -> None:
    store = Store({}, [])
    y = np.linspace(0, 1000, 50)
    for high in heights:
        store.add(scene(panel(plot(y, y), xlim=(0, 1000), ylim=(0, high))))
    head, blob = unpacked(store)
    wide = head["frames"][heights.index(1000)]["panels"][0]["marks"][0]["y"]
    np.testing.assert_allclose(restored(head, blob, wide), y, atol=0.05)


def test_images_keep_256_levels_and_colours() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (4, 5, 3)).astype(np.uint8)
    store = Store({}, [])
    store.add(scene(panel(imshow(rgb)), panel(imshow(np.arange(20.0).reshape(4, 5)))))
    head, blob = unpacked(store)
    marks = [p["marks"][0] for p in head["frames"][0]["panels"]]
    np.testing.assert_allclose(restored(head, blob, marks[0]["z"]), rgb.ravel() / 255, atol=1 / 254)
    np.testing.assert_allclose(restored(head, blob, marks[1]["z"]), np.arange(20), atol=19 / 254)
    assert marks[0]["shape"] == [4, 5]


def test_marks_take_tensors_with_gradients() -> None:
    x = torch.linspace(0, 1, 5, requires_grad=True)
    assert plot(x, x**2)["y"].dtype == float
    assert scene_png(scene(panel(plot(x, x**2))))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: plot([1, 2], [1]), r"plot\(\) needs arrays of one length, got {'x': 2, 'y': 1}"),
        (lambda: scatter([1], [1], marker="*"), "marker must be one of"),
        (lambda: imshow(np.zeros(3)), r"needs an array \(H, W\) or \(H, W, 3\), got shape \(3,\)"),
        (lambda: imshow(np.zeros((2, 2)), cmap="jet"), "cmap must be one of"),
        (lambda: text(0, 0, "a", anchor="left"), "anchor must be"),
    ],
)
def test_marks_say_what_they_expected(make: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()


def test_a_scene_of_marks_without_a_panel_is_refused() -> None:
    with pytest.raises(TypeError, match=r"takes panels made by panel\(\), got dict"):
        scene(plot([0], [0]))


def test_images_stand_upright_as_in_matplotlib() -> None:
    p = panel(imshow(np.zeros((4, 6))))
    assert p["xlim"] == [-0.5, 5.5]
    assert p["ylim"] == [3.5, -0.5]
    assert p["equal"]
    lower = panel(imshow(np.arange(4.0).reshape(2, 2), (0, 1, 0, 1), origin="lower"))
    assert lower["marks"][0]["z"].tolist() == [[2, 3], [0, 1]]
    assert lower["ylim"] == [0, 1]


def test_limits_show_every_finite_value() -> None:
    p = panel(plot([0, 1, 2], [1, np.nan, 5]), bar([4], [9]), fill_between([0, 1], -3, [1, 2]))
    assert p["ylim"][0] < -3 < 9 < p["ylim"][1]
    assert p["xlim"][0] < 0 < 4.4 < p["xlim"][1]
    empty = panel(plot([], []))
    assert empty["xlim"][0] < empty["xlim"][1]
    log = panel(plot([1, 2], [0, 10]), ylog=True)
    assert 0 < log["ylim"][0] < 10 < log["ylim"][1]
    assert panel(quiver([0], [0], [3], [4]))["ylim"][1] > 4


def test_the_still_shows_each_mark() -> None:
    marks = {
        "plot": plot([0, 1], [0, 1], width=9),
        "scatter": scatter([0.5], [0.5], size=20),
        "bar": bar([0.5], [1]),
        "fill_between": fill_between([0, 1], 0, 1, alpha=1),
        "quiver": quiver([0], [0], [1], [1], "c1"),
        "imshow": imshow(np.ones((2, 2)), (0, 1, 0, 1), lim=(0, 1)),
        "text": text(0, 0.5, "words", color="c1"),
    }
    blank = _pixels(panel(xlim=(0, 1), ylim=(0, 1)))
    for name, mark in marks.items():
        assert (_pixels(panel(mark, xlim=(0, 1), ylim=(0, 1))) != blank).any(), name


def _pixels(p: dict[str, Any]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(scene_png(scene(p)))).convert("RGB"))


def test_a_photograph_keeps_its_colours_a_chart_gets_a_palette() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    chart = np.zeros((64, 64, 3), np.uint8)
    assert Image.open(io.BytesIO(shrink(_png(noise)))).mode == "RGB"
    assert Image.open(io.BytesIO(shrink(_png(chart)))).mode == "P"


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="png")
    return out.getvalue()
