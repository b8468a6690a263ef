import time

import numpy as np
import pytest

from dlcourse import data


def test_shapes_types_range_and_balance():
    x, y, info = data.glyphs(205, size=32)
    assert x.shape == (205, 1, 32, 32) and x.dtype == np.float32
    assert y.shape == (205,) and y.dtype == np.int64
    assert x.min() == 0 and x.max() == 1
    counts = np.bincount(y, minlength=10)
    assert counts.max() - counts.min() == 1
    assert {len(values) for values in info.values()} == {205}
    assert {"angle", "dx", "dy", "scale", "shear", "weight", "font"} <= set(info)


def test_same_seed_same_pictures_other_seed_others():
    for kind in ({}, {"clutter": 0.5}):
        a, b = data.glyphs(600, **kind)[0], data.glyphs(600, **kind)[0]
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, data.glyphs(600, seed=1, **kind)[0])


def test_upright_characters_are_centred_and_as_high_as_in_mnist():
    x, _y, info = data.glyphs(300, jitter=0)
    for k, values in info.items():
        if k != "font":
            np.testing.assert_allclose(values, 1 if k in ("scale", "sharpness") else 0)
    ink = x[:, 0] > 0.5
    for side in (1, 2):
        lines = ink.any(side)
        first, last = lines.argmax(1), 27 - lines[:, ::-1].argmax(1)
        np.testing.assert_allclose((first + last) / 2, 13.5, atol=1)
    height = ink.any(2).sum(1)
    assert height.min() >= 18 and height.max() <= 22


def moments(x):
    """Centre of the ink: right, down, in pixels from the middle."""
    grid = np.arange(28) - 13.5
    mass = x.sum((1, 2, 3))
    return (x * grid).sum((1, 2, 3)) / mass, (x * grid[:, None]).sum((1, 2, 3)) / mass


def test_info_tells_the_true_shift():
    one_font = {"characters": "0", "fonts": ("DejaVuSans",)}
    x, _, info = data.glyphs(300, **one_font)
    right, down = moments(x)
    np.testing.assert_allclose(right, info["dx"], atol=0.25)
    np.testing.assert_allclose(down, info["dy"], atol=0.25)


def test_info_tells_the_true_angle_counter_clockwise():
    x, _, info = data.glyphs(200, characters="_", fonts=("DejaVuSans",))
    gx, gy = np.meshgrid(np.arange(28.0), np.arange(28.0))
    for image, angle in zip(x[:, 0], info["angle"], strict=True):
        mass = image.sum()
        dx, dy = gx - (image * gx).sum() / mass, gy - (image * gy).sum() / mass
        xx, xy, yy = ((image * p).sum() for p in (dx * dx, dx * dy, dy * dy))
        seen = -np.degrees(0.5 * np.arctan2(2 * xy, xx - yy))  # rows run down
        assert seen == pytest.approx(angle, abs=3)


def test_weight_thickens_the_strokes():
    x, _, info = data.glyphs(400, characters="I", fonts=("DejaVuSans",))
    ink = x.sum((1, 2, 3)) / info["scale"] ** 2
    assert np.corrcoef(ink, info["weight"])[0, 1] > 0.8


def test_empty_places_stay_black_without_clutter():
    x, _, _ = data.glyphs(500)
    border = np.concatenate([x[:, 0, 0], x[:, 0, -1], x[:, 0, :, 0], x[:, 0, :, -1]], 1)
    assert (border == 0).mean() > 0.95


def test_clutter_adds_strays_and_noise_and_keeps_the_range():
    plain, _, _ = data.glyphs(100)
    busy, _, _ = data.glyphs(100, clutter=1.0)
    assert busy.min() >= 0 and busy.max() <= 1
    assert busy.mean() > plain.mean() + 0.05


def test_every_font_draws_every_printable_ascii_character_differently():
    import string

    characters = string.ascii_letters + string.digits + "@#&%$!?"
    x, y, _ = data.glyphs(len(characters), characters, jitter=0, fonts=("DejaVuSans",))
    x = x[np.argsort(y)].reshape(len(characters), -1)
    assert x.sum(1).min() > 5
    assert len(np.unique(x, axis=0)) == len(characters)
    for font in data.FONTS:
        assert data.glyphs(10, jitter=0, fonts=(font,))[0].sum((1, 2, 3)).min() > 20


def test_it_separates_models():
    """A convolution network makes at most half the errors of a linear classifier."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from torch import nn

    from dlcourse.training import accuracy, fit

    x, y, _ = data.glyphs(3000, seed=0)
    xt, yt, _ = data.glyphs(1000, seed=1)
    linear = LogisticRegression(max_iter=60, tol=1e-2).fit(x.reshape(len(x), -1), y)
    linear_errors = 1 - linear.score(xt.reshape(len(xt), -1), yt)
    torch.manual_seed(0)
    convolution = nn.Sequential(
        *(nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(16 * 5 * 5, 64), nn.ReLU(), nn.Linear(64, 10)),
    )
    fit(convolution, x, y, lr=2e-3, epochs=8)
    errors = 1 - accuracy(convolution, xt, yt)
    assert linear_errors > 0.05
    assert errors < linear_errors / 2


def test_two_thousand_pictures_a_second():
    data.glyphs(10)
    pace = []
    for seed in range(3):
        start = time.process_time()
        data.glyphs(2000, seed=seed)
        pace.append(2000 / (time.process_time() - start))
    assert max(pace) >= 2000


def test_none_is_an_empty_answer():
    x, y, info = data.glyphs(0)
    assert x.shape == (0, 1, 28, 28) and y.shape == (0,) and info["angle"].shape == (0,)


@pytest.mark.parametrize(
    "bad",
    [
        {"size": 16},
        {"n": -1},
        {"jitter": -1},
        {"clutter": 2},
        {"characters": ""},
        {"characters": "aa"},
        {"characters": "a b"},
        {"characters": "a漢"},
        {"fonts": ("Arial",)},
        {"fonts": ()},
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(bad):
    with pytest.raises(ValueError, match=r"(got|pass|leave)"):
        data.glyphs(**({"n": 5} | bad))
