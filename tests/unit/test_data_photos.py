import importlib
import subprocess
import sys

import numpy as np
import pytest
from skimage import data as shipped
from sklearn.datasets import load_sample_image

from dlcourse import data

module = importlib.import_module("dlcourse.data.photos")  # the name `photos` is the function


def test_two_groups_of_photographs_that_share_none():
    train, unseen = data.photos()
    assert len(train) == 6 and len(unseen) == 8 and not set(train) & set(unseen)
    pixels = [p.pixels for group in (train, unseen) for p in group.values()]
    assert len({p.tobytes() for p in pixels}) == 14
    assert sum(p.ndim == 2 for p in pixels) == 6


@pytest.mark.parametrize("group", [0, 1])
def test_each_tells_its_name_origin_licence_and_is_a_photograph(group):
    for name, photo in data.photos()[group].items():
        assert photo.name == name and photo.origin and photo.licence
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.shape[2:] in ((), (3,))
        assert all(300 <= side <= 1000 for side in photo.pixels.shape[:2])
        assert len(np.unique(photo.pixels)) > 100 and "pixels" not in repr(photo)


def test_the_pixels_are_those_of_the_libraries_own_readers():
    train, unseen = data.photos()
    np.testing.assert_array_equal(train["china"].pixels, load_sample_image("china.jpg"))
    for name in ("astronaut", "camera", "coins", "rocket"):
        np.testing.assert_array_equal(unseen[name].pixels, getattr(shipped, name)())
    np.testing.assert_array_equal(train["motorcycle"].pixels, shipped.stereo_motorcycle()[0])


def test_every_file_is_in_the_wheel_and_none_is_fetched():
    from importlib.metadata import files

    wheels = {str(f) for name in ("scikit-learn", "scikit-image") for f in files(name)}
    for package, file, *_ in {**module.TRAIN, **module.UNSEEN}.values():
        assert f"{package.replace('.', '/')}/{file}" in wheels


def test_spoiling_a_picture_leaves_the_next_one_whole():
    data.photos()[0]["brick"].pixels[:] = 0
    assert data.photos()[0]["brick"].pixels.max() > 0


def test_a_missing_picture_is_one_clear_sentence(monkeypatch):
    monkeypatch.setitem(module.TRAIN, "china", ("sklearn.datasets.images", "none.jpg", "", ""))
    with pytest.raises(
        data.MissingData, match=r"none\.jpg is not in sklearn.* install that package anew"
    ):
        data.photos()


def test_importing_the_data_package_stays_light():
    code = "import sys, dlcourse.data; print([m for m in ('PIL', 'skimage', 'sklearn') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
