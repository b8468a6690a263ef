import numpy as np
import pytest
from sklearn.datasets import load_digits

from dlcourse import data


@pytest.mark.parametrize("size", [8, 16, 32])
def test_shapes_types_and_range(size):
    split = data.digits(size)
    assert split.x_train.shape == (len(split.y_train), 1, size, size)
    assert split.x_test.shape == (len(split.y_test), 1, size, size)
    assert split.x_train.dtype == np.float32
    assert split.y_train.dtype == np.int64
    assert split.x_train.min() >= 0 and 0.99 < split.x_train.max() <= 1
    assert split.names == tuple("0123456789")


def test_every_original_appears_once_with_its_label():
    split = data.digits(8, seed=3, flat=True)
    pixels, labels = load_digits(return_X_y=True)
    ours = np.c_[np.r_[split.x_train, split.x_test] * 16, np.r_[split.y_train, split.y_test]]
    theirs = np.c_[pixels, labels]
    assert len(ours) == 1797
    assert sorted(map(tuple, ours)) == sorted(map(tuple, theirs))


def test_each_class_gives_its_share():
    split = data.digits(test=0.25)
    every = np.bincount(split.y_train) + np.bincount(split.y_test)
    np.testing.assert_allclose(np.bincount(split.y_test) / every, 0.25, atol=0.005)


def test_the_seed_decides_the_split_and_nothing_else_does():
    a, b, other = data.digits(seed=1), data.digits(seed=1), data.digits(seed=2)
    np.testing.assert_array_equal(a.x_train, b.x_train)
    assert not np.array_equal(a.y_train, other.y_train)
    np.testing.assert_array_equal(a.y_test, data.digits(32, seed=1).y_test)


def test_an_enlarged_digit_averages_back_to_the_original():
    small, large = data.digits(8).x_train, data.digits(32).x_train
    back = large.reshape(-1, 1, 8, 4, 8, 4).mean((3, 5))
    assert np.corrcoef(small.ravel(), back.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("size", [16, 32])
def test_enlarging_agrees_with_scipy_image_by_image(size):
    from scipy.ndimage import zoom

    small, large = data.digits(8), data.digits(size)
    for i in range(20):
        image = small.x_train[i, 0].astype(float)
        expected = zoom(image, size / 8, order=3, mode="nearest", grid_mode=True).clip(0, 1)
        np.testing.assert_allclose(large.x_train[i, 0], expected, atol=1e-6)


def test_spoiling_the_answer_leaves_the_next_one_whole():
    first = data.digits()
    first.x_train[:] = 7
    assert data.digits().x_train.max() <= 1


def test_flat_is_the_same_picture_in_a_row():
    split, flat = data.digits(16), data.digits(16, flat=True)
    np.testing.assert_array_equal(split.x_train.reshape(-1, 256), flat.x_train)


@pytest.mark.parametrize("bad", [{"size": 28}, {"test": 0}, {"test": 1.0}])
def test_bad_arguments_say_what_to_do(bad):
    with pytest.raises(ValueError, match=r"pass one of|try 0\.25"):
        data.digits(**bad)


def test_the_short_form_shows_shapes_only():
    assert repr(data.digits()).startswith("Split(x_train (1347, 1, 8, 8)")
