"""The checks of the tour have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import torch
from torch import nn

from dlcourse import data
from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("start/tour")
SOLUTIONS = solutions("start/tour")


class LooksUp(nn.Module):
    """Cheats: no weights worth the name; it remembers the whole data set."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        split = data.digits(size=8, flat=True)
        self.known = np.concatenate([split.x_train, split.x_test])
        self.answers = np.concatenate([split.y_train, split.y_test])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        nearest = ((x.numpy()[:, None] - self.known[None]) ** 2).sum(2).argmin(1)
        return self.scale * nn.functional.one_hot(torch.tensor(self.answers[nearest]), 10).float()


class Learning(LooksUp):
    """Looks the digit up and learns only which score belongs to it."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(10, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(super().forward(x))


class Pair(nn.Linear):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, int]:
        return super().forward(x), 0


class NoGradient(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).detach()


def linear_without_bias() -> nn.Module:
    return nn.Linear(64, 10, bias=False)


WRONG = [
    ("first_loss", 1 / 26, "a probability"),
    ("first_loss", math.log2(26), "bits"),
    ("first_loss", -math.log(26), "wrong sign"),
    ("first_loss", math.log(10), "digits"),
    ("first_loss", AlwaysEqual(math.log(26)), "an object that lies"),
    ("first_loss", "3.26", "a text"),
    ("accuracy", lambda s, y: (s.argmax(axis=1) == y).sum(), "a count"),
    ("accuracy", lambda s, y: (s.argmax(axis=1) != y).mean(), "the error"),
    ("accuracy", lambda s, y: (s.max(axis=1) == y).mean(), "the score itself"),
    ("accuracy", lambda s, y: (s.argmax() == y).mean(), "the highest of all"),
    ("accuracy", lambda s, y: AlwaysEqual(math.log(26)), "an object that lies"),
    (
        "small_net",
        lambda: nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)),
        "too large",
    ),
    ("small_net", lambda: nn.Linear(10, 64), "wrong shape"),
    ("small_net", lambda: nn.Sequential(nn.Linear(64, 2), nn.Linear(2, 10)), "too narrow to learn"),
    ("small_net", lambda: "a net", "not a module"),
    ("small_net", LooksUp, "remembers the data"),
    ("small_net", Learning, "remembers the data and learns the names"),
    ("small_net", lambda: Pair(64, 10), "returns a pair"),
    ("small_net", lambda: NoGradient(64, 10), "cannot learn"),
    ("small_net", lambda: nn.Sequential(nn.Flatten(2), nn.Linear(64, 10)), "fails in the library"),
    ("small_net", nn.Linear(64, 10), "a network instead of a function"),
]

RIGHT = [
    ("first_loss", 3.26),
    (
        "accuracy",
        lambda s, y: sum(int(np.argmax(r)) == k for r, k in zip(s, y, strict=True)) / len(y),
    ),
    ("small_net", linear_without_bias),
    ("small_net", lambda: nn.LazyLinear(10)),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right = WRONG, RIGHT
