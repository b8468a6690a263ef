"""The checks of the chapter on gates have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/lstm_gru")
SOLUTIONS = solutions("models/lstm_gru")

IN, KEEP, NEW, OUT = [0, 20, -10], [0, -20, 10], [5, 0, 0], [0, 0, 10]


def coupled(
    x, h, c, W, U, b, *, order="fao", added=False, old=False, squash=True, swap=False, show=np.tanh
):
    parts = dict(zip(order, np.split(x @ W + h @ U + b, 3, axis=-1), strict=True))
    f, o = (1 / (1 + np.exp(-parts[k])) for k in "fo")
    a = np.tanh(parts["a"]) if squash else parts["a"]
    f = 1 - f if swap else f
    new = f * c + (a if added else (1 - f) * a)
    return o * show(c if old else new), new


def interleaved(x, h, c, W, U, b):
    f, a, o = (np.arange(k, 3 * h.shape[1], 3) for k in range(3))
    order = np.concatenate([f, a, o])
    return coupled(x, h, c, W[:, order], U[:, order], b[order])


def coupled_with_torch(x, h, c, W, U, b):
    x, h, c, W, U, b = (torch.tensor(v) for v in (x, h, c, W, U, b))
    f, a, o = (x @ W + h @ U + b).chunk(3, -1)
    c = torch.lerp(torch.tanh(a), c, torch.sigmoid(f))
    return [torch.sigmoid(o) * torch.tanh(c), c]


def counted(D, H):
    size = lambda kind, n: sum(p.numel() for p in kind(D, n).parameters())  # noqa: E731
    low, high = 1, 2 * H + 1
    while high - low > 1:
        middle = (low + high) // 2
        if size(nn.GRU, middle) <= size(nn.LSTM, H):
            low = middle
        else:
            high = middle
    return low


def quadratic(D, H, biases=2):
    p = D + biases
    return math.floor(-p / 2 + math.sqrt(p * p / 4 + 4 * H * (D + H + biases) / 3))


def below(D, H):
    """Fewer parameters, where as many are allowed."""
    G = quadratic(D, H)
    return G - (3 * G * (D + G + 2) == 4 * H * (D + H + 2))


def one_by_one(D, H):
    """Slow but right: builds every network."""
    size = lambda network: sum(p.numel() for p in network.parameters())  # noqa: E731
    allowed, G = size(nn.LSTM(D, H)), H
    while size(nn.GRU(D, G + 1)) <= allowed:
        G += 1
    return G


GAPS = [("keep_bit", [IN, KEEP, NEW, ...])]

WRONG = [
    ("keep_bit", [IN, [0, 0, 10], NEW, OUT], "never forgets"),
    ("keep_bit", [[0, 0, 10], KEEP, NEW, OUT], "writes at every step"),
    ("keep_bit", [[0, 4, -2], [0, -4, 2], NEW, OUT], "gates too blunt for 100 steps"),
    ("keep_bit", [IN, KEEP, [-5, 0, 0], OUT], "the other bit"),
    ("keep_bit", [IN, KEEP, NEW, [0, 0, -10]], "the output gate is shut"),
    ("keep_bit", [IN, KEEP, [0.3, 0, 0], OUT], "too small"),
    ("keep_bit", np.transpose([IN, KEEP, NEW]), "three rows"),
    ("keep_bit", AlwaysEqual([1.0]), "an object that lies"),
    ("half_life_bias", lambda lag: math.log(lag), "chrono: time constant instead of half-life"),
    ("half_life_bias", lambda lag: 0.5 ** (1 / lag), "the share, no bias"),
    ("half_life_bias", lambda lag: math.log(lag / math.log(2)), "nearly: only for long lags"),
    ("half_life_bias", lambda lag: 1.0, "a bias of one for all"),
    ("half_life_bias", lambda lag: AlwaysEqual([1.0]), "an object that lies"),
    ("same_size", lambda D, H: H * 4 // 3, "four thirds: forgets the square"),
    ("same_size", lambda D, H: H, "equal units"),
    ("same_size", lambda D, H: quadratic(D, H) + 1, "one too many"),
    ("same_size", lambda D, H: quadratic(D, H) - 1, "one too few"),
    ("same_size", lambda D, H: AlwaysEqual([118]), "an object that lies"),
    ("coupled_step", lambda *s: coupled(*s, added=True), "input gate always open"),
    ("coupled_step", lambda *s: coupled(*s, old=True), "shows the old state"),
    ("coupled_step", lambda *s: coupled(*s, order="afo"), "parts exchanged"),
    ("coupled_step", lambda *s: coupled(*s, squash=False), "forgets the tanh"),
    ("coupled_step", lambda *s: coupled(*s)[::-1], "c before h"),
    ("coupled_step", lambda *s: AlwaysEqual([1.0]), "an object that lies"),
    ("keep_bit", [IN, [0, -20, 5], NEW, OUT], "half is gone before 200 steps"),
    ("keep_bit", [[0, 20, -5], KEEP, NEW, OUT], "other bits leak in"),
    ("keep_bit", [IN, KEEP, [0.62, 0, 0], OUT], "too small from the start"),
    ("keep_bit", [IN, KEEP, NEW, IN], "shows it only at a mark"),
    ("keep_bit", [[1e308, 1e308, -1.7e308]] * 4, "sums overflow"),
    ("half_life_bias", lambda lag: math.log(2 ** (1 / lag) - 1), "the sign"),
    ("half_life_bias", lambda lag: 1e308, "a huge bias"),
    (
        "half_life_bias",
        lambda lag: math.log(lag / math.log(2)) - math.log(2) / 2 / lag,
        "two terms of the series",
    ),
    ("same_size", lambda D, H: quadratic(D, H, biases=1), "one bias forgotten"),
    ("same_size", lambda D, H: quadratic(D, H, biases=0), "both biases forgotten"),
    ("same_size", below, "an exact fit refused"),
    ("same_size", lambda D, H: 1e300, "a huge size"),
    ("same_size", lambda D, H: -5, "the other root"),
    ("coupled_step", lambda *s: coupled(*s, swap=True), "f and 1 - f exchanged"),
    ("coupled_step", lambda *s: coupled(*s, show=lambda c: c), "h without tanh"),
    ("coupled_step", lambda *s: coupled(*s[:5], 0 * s[5]), "no biases"),
    ("coupled_step", interleaved, "gates of a unit side by side"),
]

RIGHT = [
    ("keep_bit", np.array([[0, 60, -30], [0, -60, 30], [3, 2, -2], [0, 5, 50]])),
    ("keep_bit", torch.tensor([IN, KEEP, NEW, OUT])),
    ("half_life_bias", lambda lag: -math.log(2 ** (1 / lag) - 1)),
    ("half_life_bias", lambda lag: np.float64(-math.log(math.expm1(math.log(2) / lag)))),
    ("same_size", counted),
    ("half_life_bias", lambda lag: torch.logit(torch.tensor(0.5) ** (1 / lag))),
    ("same_size", quadratic),
    ("same_size", one_by_one),
    ("same_size", lambda D, H: float(quadratic(D, H))),
    ("coupled_step", coupled_with_torch),
    ("coupled_step", coupled),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_a_remembered_answer_is_refused() -> None:
    """Right once, then repeated: the check draws fresh data every time."""
    memory: list[tuple] = []

    def remembers(*step):
        if not memory:
            memory.append(coupled(*step))
        return memory[0]

    assert checks.coupled_step.check(remembers).status == "not yet"


@pytest.mark.parametrize(
    ("name", "why", "words"),
    [
        ("half_life_bias", "the sign", "sign is turned"),
        ("half_life_bias", "the share, no bias", "share kept in one step"),
        ("same_size", "an exact fit refused", "exact fit counts"),
        ("coupled_step", "c before h", "the order is h, c"),
        ("coupled_step", "f and 1 - f exchanged", "f keeps the old state"),
        ("coupled_step", "h without tanh", "tanh of the state"),
        ("coupled_step", "no biases", "biases are missing"),
    ],
)
def test_a_known_mistake_is_named(name: str, why: str, words: str) -> None:
    answer = next(answer for n, answer, w in WRONG if (n, w) == (name, why))
    assert words in getattr(checks, name).check(answer).text


@pytest.mark.parametrize("name", ["keep_bit", "half_life_bias", "coupled_step"])
def test_a_wrong_answer_comes_with_a_picture(name: str) -> None:
    card = getattr(checks, name).check(next(answer for n, answer, _ in WRONG if n == name))
    assert card.figure["panels"]
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]
