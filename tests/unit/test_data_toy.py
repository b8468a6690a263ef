import numpy as np
import pytest

from dlcourse import data

NAMES = ["moons", "circles", "blobs", "xor", "spiral", "linear"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1, 7, 200])
def test_shapes_balance_and_seed(name, n):
    x, y = data.toy(name, n)
    assert x.shape == (n, 2) and x.dtype == np.float32
    assert y.shape == (n,) and y.dtype == np.int64
    counts = np.bincount(y, minlength=2)
    assert counts.max() - counts.min() <= 1
    again = data.toy(name, n)
    np.testing.assert_array_equal(x, again[0])
    np.testing.assert_array_equal(y, again[1])
    assert not np.array_equal(x, data.toy(name, n, seed=1)[0])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("margin", [0.0, 0.05, 0.3, 0.5])
def test_linear_keeps_its_margin(seed, margin):
    x, y = data.toy("linear", 300, seed=seed, margin=margin)
    w, b = data.separator(seed)
    distance = (2 * y - 1) * (x.astype(float) @ w + b)
    assert distance.min() >= margin
    assert np.hypot(*w) == pytest.approx(1)
    assert abs(b) <= 0.2 and abs(x).max() <= 1


def test_without_noise_the_shapes_are_exact():
    x, y = data.toy("circles", noise=0)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 1, 0.5), atol=1e-6)
    x, y = data.toy("xor", noise=0)
    assert set(map(tuple, x)) == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    np.testing.assert_array_equal(y, x.prod(1) < 0)
    x, y = data.toy("moons", noise=0)
    lower = x[y == 1] - (1, 0.5)
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1, atol=1e-6)
    np.testing.assert_allclose(np.hypot(*lower.T), 1, atol=1e-6)


def test_noise_is_a_standard_deviation():
    x, _y = data.toy("xor", 40_000, noise=0.3)
    residual = x - np.sign(x)  # a corner is 3.3 standard deviations from the axes
    assert residual.std() == pytest.approx(0.3, rel=0.02)


def test_no_line_separates_xor_moons_circles_or_spiral():
    from sklearn.linear_model import LogisticRegression

    for name, most in [("xor", 0.8), ("moons", 0.95), ("circles", 0.8), ("spiral", 0.8)]:
        x, y = data.toy(name, 400)
        assert LogisticRegression().fit(x, y).score(x, y) < most
    x, y = data.toy("linear", 400)
    assert LogisticRegression(C=1e4).fit(x, y).score(x, y) == 1


@pytest.mark.parametrize("name", ["blobs", "spiral"])
def test_any_number_of_classes(name):
    _, y = data.toy(name, 90, classes=5)
    np.testing.assert_array_equal(np.bincount(y), 18)


@pytest.mark.parametrize(
    "bad", [{"name": "moon"}, {"n": 0}, {"noise": -1}, {"classes": 1}, {"margin": 0.9}]
)
def test_bad_arguments_are_named(bad):
    with pytest.raises(ValueError, match=r"choose from moons|toy needs"):
        data.toy(**({"name": "moons"} | bad))
