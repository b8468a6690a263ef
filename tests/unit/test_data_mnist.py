"""The real MNIST, when it is on this machine; `DLCOURSE_TEST_MNIST` names another folder."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dlcourse import data
from dlcourse.training import accuracy, fit

FOLDER = Path(
    os.environ.get(
        "DLCOURSE_TEST_MNIST", Path(__file__).parents[2].parent / "shared" / "data" / "mnist"
    )
)
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no MNIST files in {FOLDER}; DLCOURSE_TEST_MNIST names a folder"
)


@pytest.fixture(scope="module")
def split():
    return data.mnist(FOLDER)


def test_it_is_the_original(split):
    assert split.x_train.shape == (60_000, 1, 28, 28)
    assert split.x_test.shape == (10_000, 1, 28, 28)
    assert split.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert 255 * split.x_train.mean(dtype=float) == pytest.approx(33.32, abs=0.005)
    assert np.bincount(split.y_train).sum() == 60_000


def lenet():
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),  # (n, 6, 14, 14)
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),  # (n, 400)
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def test_lenet_learns_it_from_ten_thousand_pictures_within_two_minutes(split):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = lenet()
    assert sum(p.numel() for p in model.parameters()) == 61_706
    optimizer = torch.optim.Adam(model.parameters())
    # rate and epochs were chosen on training pictures 50 000 to 60 000, not on the test set
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=8 * 157)
    start = time.process_time()
    fit(
        model, split.x_train[:10_000], split.y_train[:10_000],
        optimizer=optimizer, epochs=8, on_step=lambda *_: plan.step(),
    )  # fmt: skip
    seconds, share = time.process_time() - start, accuracy(model, split.x_test, split.y_test)
    print(f"LeNet on 10 000 MNIST pictures: {share:.2%} after {seconds:.0f} s of one core")
    assert share >= 0.98
    assert seconds < 120
