"""The convolution chapter's exercises refuse empty, wrong and fabricated answers and take right ones."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.signal import convolve2d, correlate2d
from torch import nn

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/convolution")
SOLUTIONS = solutions("models/convolution")
LIAR = AlwaysEqual(np.zeros((5, 5)))
torch.set_num_threads(1)
ALL = [
    checks.size,
    checks.strided,
    checks.kernel_gradient,
    checks.detector,
    checks.small_network,
]
TEMPLATE = np.zeros((5, 5))
TEMPLATE[1:4, 1:4] = checks.CROSS
STAR = np.array(
    [
        [-1, 0, -3, 0, -1],
        [0, -1, 2, -1, 0],
        [-3, 2, 2, 2, -3],
        [0, -1, 2, -1, 0],
        [-1, 0, -3, 0, -1],
    ]
)


def turned(x, w, stride):
    return convolve2d(x, w, "valid")[::stride, ::stride]


def transposed(x, w, stride):
    return correlate2d(x, w.T, "valid")[::stride, ::stride]


def offset(x, w, stride):
    return np.roll(correlate2d(x, w, "valid"), 1)[::stride, ::stride]


def zeros(x, w, stride):
    return 0 * correlate2d(x, w, "valid")[::stride, ::stride]


def sliced(x, w, stride):
    return correlate2d(x, w, mode="valid")[::stride, ::stride]


def torch_strided(x, w, stride):
    return F.conv2d(torch.tensor(x)[None, None], torch.tensor(w)[None, None], stride=stride)[0, 0]


def in_single_precision(x, w, stride):
    return torch_strided(x.astype("f"), w.astype("f"), stride)


def by_loops(d, x):
    k = x.shape[0] - d.shape[0] + 1
    rows, columns = d.shape
    return [[(d * x[u : u + rows, v : v + columns]).sum() for v in range(k)] for u in range(k)]


class Learning(nn.Module):
    """Looks every digit up in scikit-learn's copy and learns only which name goes with which score."""

    def __init__(self):
        super().__init__()
        self.cheat, self.last = Cheat(), nn.Linear(10, 10)

    def forward(self, x):
        return self.last(self.cheat(x))


class NoGradient(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(16, 10)

    def forward(self, x):
        return self.last(F.avg_pool2d(x, 4).flatten(1)).detach()


class Cheat(nn.Module):
    """Looks every digit up in scikit-learn's copy."""

    def __init__(self):
        super().__init__()
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        self.known, self.labels = torch.tensor(pixels / 16).float(), torch.tensor(labels)
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        crops = F.unfold(x, 8).transpose(1, 2)  # (n, 81, 64)
        at = crops.sum(2).argmax(1)
        digit = crops[torch.arange(len(x)), at]
        nearest = torch.cdist(digit, self.known).argmin(1)
        return F.one_hot(self.labels[nearest], 10).float() + self.unused


class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 13, 3)
        self.last = nn.Linear(13, 10)

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.first(x)), 2)
        return self.last(F.relu(self.second(h)).amax((2, 3)))


def lazy():
    return nn.Sequential(nn.LazyConv2d(5, 3), nn.ReLU(), nn.MaxPool2d(2), nn.LazyConv2d(15, 3), nn.ReLU(),
                         nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.LazyLinear(10))  # fmt: skip


def large():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(32, 30), nn.Linear(30, 10))  # fmt: skip


GAPS = [("size", (..., ...)), ("size", (112, ...))]

WRONG = [
    ("size", (109, 9472), "no padding", "padding"),
    ("size", (110, 9472), "padding at one end", "both ends"),
    ("size", (111, 9472), "one place too few", "+ 1"),
    ("size", (224, 9472), "no stride", "stride"),
    ("size", (112, 9408), "no biases", "biases"),
    ("size", (112, 3200), "one colour", "colours"),
    ("size", (112, 118013952), "a kernel at every place", "one kernel"),
    ("size", (112.5, 9472), "half a place", "whole"),
    ("size", 112, "one number", "shape"),
    ("size", "112", "a text", "numbers"),
    ("size", LIAR, "an object that lies", "numbers"),
    ("strided", turned, "turned", "turned"),
    ("strided", transposed, "transposed", "swapped"),
    ("strided", lambda x, w, stride: correlate2d(x, w, "valid"), "no stride", "expected shape"),
    ("strided", lambda x, w, stride: correlate2d(x, w, "same")[::stride, ::stride], "same size", "shape"),
    ("strided", offset, "offset", "differs"),
    ("strided", zeros, "zeros", "differs"),
    ("strided", lambda x, w, stride: LIAR, "an object that lies"),
    ("kernel_gradient", lambda d, x: convolve2d(x, d, mode="valid"), "turned", "180"),
    ("kernel_gradient", lambda d, x: correlate2d(x, d, mode="valid").T, "transposed", "transposed"),
    ("kernel_gradient", lambda d, x: correlate2d(x, d, mode="valid") / d.size, "a mean", "mean"),
    ("kernel_gradient", lambda d, x: correlate2d(x, d, mode="full"), "full size", "shape"),
    ("kernel_gradient", lambda d, x: -correlate2d(x, d, mode="valid"), "the sign", "differs"),
    ("kernel_gradient", lambda d, x: LIAR, "an object that lies"),
    ("detector", TEMPLATE, "template"),
    ("detector", TEMPLATE - TEMPLATE.mean(), "zero mean"),
    ("detector", np.ones((5, 5)), "ones"),
    ("detector", np.zeros((5, 5)), "zeros"),
    ("detector", -TEMPLATE, "negative"),
    ("detector", LIAR, "an object that lies"),
    ("small_network", large, "too large", "are allowed"),
    ("small_network", lambda: nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 13), nn.ReLU(), nn.Linear(13, 10)), "dense", "share"),
    ("small_network", lambda: nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16, 9)), "nine classes", "shape"),
    ("small_network", lambda: nn.Flatten(), "nothing to learn", "can learn"),
    ("small_network", lambda: F.relu, "no module", "torch module"),
    ("small_network", Cheat, "looked up", "besides"),
    ("small_network", Learning, "looked up and learned", "besides"),
    ("small_network", lambda: nn.Sequential(nn.Flatten(), nn.Linear(10, 10)), "shapes", "calling your answer with a tensor"),
    ("small_network", lambda: nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16, 10)).double(), "double", "dtype"),
    ("small_network", NoGradient, "no gradient", "training your network"),
]  # fmt: skip

RIGHT = [
    ("size", [112, 9472]),
    ("size", np.array([112.0, 9472.0])),
    ("strided", sliced),
    ("strided", torch_strided),
    ("strided", in_single_precision),
    ("kernel_gradient", by_loops),
    ("detector", (STAR / 7).tolist()),
    ("small_network", Mine),
    ("small_network", lazy),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_wrong_numbers_come_with_a_picture():
    assert checks.strided.check(zeros).figure is not None


def test_a_replaced_library_function_is_refused_and_put_back():
    true_abs = np.abs

    def replaces(d, x):
        np.abs = lambda z: np.zeros(1)
        return np.zeros([n - m + 1 for n, m in zip(x.shape, d.shape, strict=True)])

    card = checks.kernel_gradient.check(replaces)
    assert card.status == "not yet"
    assert "numpy.abs" in card.text
    assert np.abs is true_abs


def test_a_detector_that_misses_is_shown_a_picture():
    assert checks.detector.check(TEMPLATE).figure is not None
    assert "shape" in checks.detector.check(np.ones((3, 3))).text


def test_examples_are_what_they_say():
    for picture, (i, j) in checks.examples(20):
        around = picture[i - 1 : i + 2, j - 1 : j + 2]
        assert np.abs(around - checks.CROSS).max() < 1
        assert around[checks.CROSS == 1].mean() > 0.7 > 0.3 > around[checks.CROSS == 0].mean()


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_hints_and_task(exercise):
    assert len(exercise.hints) == 3
    assert exercise.id.startswith("convolution-")
