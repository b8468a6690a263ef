"""The convolution chapter's exercises refuse empty, wrong and fabricated answers and take right ones."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.signal import convolve2d, correlate2d
from torch import nn

from tests.exercises.chapter import AlwaysEqual, load_checks, solutions

exercises = load_checks("models/convolution")
SOLUTIONS = solutions("models/convolution")
LIAR = AlwaysEqual(np.zeros((5, 5)))
torch.set_num_threads(1)
ALL = [
    exercises.size,
    exercises.strided,
    exercises.kernel_gradient,
    exercises.detector,
    exercises.small_network,
]


def stub(*arguments):
    return ...


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_the_empty_answer_is_not_attempted(exercise):
    assert exercise.check(...).status == "not attempted"
    assert exercise.check().status == "not attempted"
    if exercise.answer == "function":
        assert exercise.check(stub).status == "not attempted"


def test_a_pair_with_blanks_is_not_attempted():
    assert exercises.size.check((..., ...)).status == "not attempted"
    assert exercises.size.check((112, ...)).status == "not attempted"


NAMES = ["size", "strided", "kernel_gradient", "detector", "small_network"]


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_is_right(name):
    card = getattr(exercises, name).check(SOLUTIONS[f"{name}_solution"])
    assert card.status == "right", card


# --- size ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ((109, 9472), "padding"),
        ((110, 9472), "both ends"),
        ((111, 9472), "+ 1"),
        ((224, 9472), "stride"),
        ((112, 9408), "biases"),
        ((112, 3200), "colours"),
        ((112, 118013952), "one kernel"),
        ((112.5, 9472), "whole"),
        (112, "shape"),
        ("112", "numbers"),
        (LIAR, "numbers"),
    ],
)
def test_wrong_sizes(answer, word):
    card = exercises.size.check(answer)
    assert card.status == "not yet"
    assert word in card.text


def test_a_list_or_array_is_as_good_as_a_pair():
    assert exercises.size.check([112, 9472]).status == "right"
    assert exercises.size.check(np.array([112.0, 9472.0])).status == "right"


# --- stride ---------------------------------------------------------------------------------------
def torch_strided(x, w, stride):
    return F.conv2d(torch.tensor(x)[None, None], torch.tensor(w)[None, None], stride=stride)[0, 0]


WRONG_STRIDED = {
    "turned": (lambda x, w, stride: convolve2d(x, w, "valid")[::stride, ::stride], "turned"),
    "transposed": (
        lambda x, w, stride: correlate2d(x, w.T, "valid")[::stride, ::stride],
        "swapped",
    ),
    "no stride": (lambda x, w, stride: correlate2d(x, w, "valid"), "expected shape"),
    "same size": (lambda x, w, stride: correlate2d(x, w, "same")[::stride, ::stride], "shape"),
    "offset": (
        lambda x, w, stride: np.roll(correlate2d(x, w, "valid"), 1)[::stride, ::stride],
        "differs",
    ),
    "zeros": (lambda x, w, stride: 0 * correlate2d(x, w, "valid")[::stride, ::stride], "differs"),
}


@pytest.mark.parametrize("name", WRONG_STRIDED)
def test_wrong_strides(name):
    answer, word = WRONG_STRIDED[name]
    card = exercises.strided.check(answer)
    assert card.status == "not yet"
    assert word in card.text


def test_wrong_numbers_come_with_a_picture():
    assert exercises.strided.check(WRONG_STRIDED["zeros"][0]).figure is not None


def test_strided_in_another_style():
    sliced = lambda x, w, stride: correlate2d(x, w, mode="valid")[::stride, ::stride]  # noqa: E731
    assert exercises.strided.check(sliced).status == "right"
    assert exercises.strided.check(torch_strided).status == "right"


def test_float32_is_precise_enough():
    def single(x, w, stride):
        return torch_strided(x.astype("f"), w.astype("f"), stride)

    assert exercises.strided.check(single).status == "right"


def test_a_replaced_library_function_is_refused_and_put_back():
    true_abs = np.abs

    def replaces(d, x):
        np.abs = lambda z: np.zeros(1)
        return np.zeros([n - m + 1 for n, m in zip(x.shape, d.shape, strict=True)])

    card = exercises.kernel_gradient.check(replaces)
    assert card.status == "not yet"
    assert "numpy.abs" in card.text
    assert np.abs is true_abs


def test_a_fabricated_result_is_refused():
    assert exercises.strided.check(lambda x, w, stride: LIAR).status == "not yet"
    assert exercises.kernel_gradient.check(lambda d, x: LIAR).status == "not yet"


# --- gradient of the kernel ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda d, x: convolve2d(x, d, mode="valid"), "180"),
        (lambda d, x: correlate2d(x, d, mode="valid").T, "transposed"),
        (lambda d, x: correlate2d(x, d, mode="valid") / d.size, "mean"),
        (lambda d, x: correlate2d(x, d, mode="full"), "shape"),
        (lambda d, x: -correlate2d(x, d, mode="valid"), "differs"),
    ],
)
def test_wrong_gradients(answer, word):
    card = exercises.kernel_gradient.check(answer)
    assert card.status == "not yet"
    assert word in card.text


def test_gradient_in_another_style():
    def by_loops(d, x):
        k = x.shape[0] - d.shape[0] + 1
        rows, columns = d.shape
        return [[(d * x[u : u + rows, v : v + columns]).sum() for v in range(k)] for u in range(k)]

    assert exercises.kernel_gradient.check(by_loops).status == "right"


# --- detector -------------------------------------------------------------------------------------
TEMPLATE = np.zeros((5, 5))
TEMPLATE[1:4, 1:4] = exercises.CROSS


@pytest.mark.parametrize(
    "kernel",
    [
        TEMPLATE,
        TEMPLATE - TEMPLATE.mean(),
        np.ones((5, 5)),
        np.zeros((5, 5)),
        -TEMPLATE,
        LIAR,
    ],
    ids=["template", "zero mean", "ones", "zeros", "negative", "fabricated"],
)
def test_wrong_detectors(kernel):
    assert exercises.detector.check(kernel).status == "not yet"


def test_a_detector_that_misses_is_shown_a_picture():
    assert exercises.detector.check(TEMPLATE).figure is not None
    assert "shape" in exercises.detector.check(np.ones((3, 3))).text


def test_another_detector_is_right():
    kernel = np.array(
        [
            [-1, 0, -3, 0, -1],
            [0, -1, 2, -1, 0],
            [-3, 2, 2, 2, -3],
            [0, -1, 2, -1, 0],
            [-1, 0, -3, 0, -1],
        ]
    )
    assert exercises.detector.check((kernel / 7).tolist()).status == "right"


def test_examples_are_what_they_say():
    for picture, (i, j) in exercises.examples(20):
        around = picture[i - 1 : i + 2, j - 1 : j + 2]
        assert np.abs(around - exercises.CROSS).max() < 1
        assert around[exercises.CROSS == 1].mean() > 0.7 > 0.3 > around[exercises.CROSS == 0].mean()


# --- a thousand parameters -----------------------------------------------------------------------
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


def large():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(32, 30), nn.Linear(30, 10))  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (large, "are allowed"),
        (lambda: nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(64, 13), nn.ReLU(), nn.Linear(13, 10)), "share"),
        (lambda: nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16, 9)), "shape"),
        (lambda: nn.Flatten(), "can learn"),
        (lambda: F.relu, "torch module"),
        (Cheat, "besides"),
        (Learning, "besides"),
        (lambda: nn.Sequential(nn.Flatten(), nn.Linear(10, 10)), "calling your answer with a tensor"),
        (lambda: nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(16, 10)).double(), "dtype"),
        (NoGradient, "training your network"),
    ],
    ids=["too large", "dense", "nine classes", "nothing to learn", "no module", "looked up", "looked up and learned", "shapes", "double", "no gradient"],
)  # fmt: skip
def test_wrong_networks(answer, word):
    card = exercises.small_network.check(answer)
    assert card.status == "not yet"
    assert word.lower() in card.text.lower()
    assert "our fault" not in card.text


def test_another_network_is_right():
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 6, 3), nn.Conv2d(6, 13, 3)
            self.last = nn.Linear(13, 10)

        def forward(self, x):
            h = F.max_pool2d(F.relu(self.first(x)), 2)
            return self.last(F.relu(self.second(h)).amax((2, 3)))

    card = exercises.small_network.check(Mine)
    assert card.status == "right", card


def test_a_network_of_lazy_layers_is_right():
    def lazy():
        return nn.Sequential(nn.LazyConv2d(5, 3), nn.ReLU(), nn.MaxPool2d(2), nn.LazyConv2d(15, 3), nn.ReLU(),
                             nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.LazyLinear(10))  # fmt: skip

    card = exercises.small_network.check(lazy)
    assert card.status == "right", card


@pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.id)
def test_hints_and_task(exercise):
    assert len(exercise.hints) == 3
    assert exercise.id.startswith("convolution-")
