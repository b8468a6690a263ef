"""The checks of the recurrent chapter have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import torch

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/rnn")
SOLUTIONS = solutions("models/rnn")


def walk(x, w, v, *, last_term=False, new_state=False, no_slope=False):
    h, dw, dv = 0.0, 0.0, 0.0
    for x_t in x:
        new = math.tanh(w * h + v * x_t)
        slope = 1.0 if no_slope else 1 - new**2
        keep = 0.0 if last_term else w
        dw, dv = slope * ((new if new_state else h) + keep * dw), slope * (x_t + keep * dv)
        h = new
    return h, dw, dv


def with_autograd(x, w, v):
    w, v = (torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in (w, v))
    h = torch.zeros((), dtype=torch.float64)
    for x_t in x:
        h = torch.tanh(w * h + v * float(x_t))
    return [h.item(), *(g.item() for g in torch.autograd.grad(h, (w, v)))]


def by_differences(x, w, v, step=1e-5):
    h, _, _ = walk(x, w, v)
    up, down = walk(x, w + step, v)[0], walk(x, w - step, v)[0]
    more, less = walk(x, w, v + step)[0], walk(x, w, v - step)[0]
    return h, (up - down) / (2 * step), (more - less) / (2 * step)


def fold(tree, W, U, b, *, order="children first", swap=False, linear=False):
    """Values of the branches below a node; its own comes last, or first."""
    if not isinstance(tree, tuple):
        return [], tree
    (one, left), (two, right) = (
        fold(child, W, U, b, order=order, swap=swap, linear=linear) for child in tree
    )
    z = (right @ U + left @ W if swap else left @ U + right @ W) + b
    value = z if linear else np.tanh(z)
    return ([value, *one, *two] if order == "root first" else [*one, *two, value]), value


def branches(**style):
    return lambda tree, W, U, b: np.array(fold(tree, W, U, b, **style)[0])


def only_the_root(tree, W, U, b):
    return np.array(fold(tree, W, U, b)[0])[-1:]


SHIFT = {"W": np.eye(4)[:1], "U": np.eye(4, k=1), "V": np.eye(4)[3:].T}

GAPS = [("latch", (2.0, ...)), ("delay", {"W": ..., "U": ..., "V": ...})]

WRONG = [
    ("latch", (0.9, 2.0), "no wells: it forgets"),
    ("latch", (1.3, 2.0), "wells, but shallower than the noise"),
    ("latch", (3.0, 0.0), "never sees the bit"),
    ("latch", (3.0, -2.0), "keeps the wrong sign"),
    ("latch", (-3.0, -2.0), "flips at every step, from the wrong side"),
    ("latch", (-1.3, 2.0), "flips, and is lost when the noise flips with it"),
    ("latch", (2.0, 0.3), "does not reach the well"),
    ("latch", 2.0, "one number"),
    ("latch", (float("nan"), 2.0), "not a number"),
    ("latch", AlwaysEqual([2.0, 2.0]), "an object that lies"),
    ("delay", {**SHIFT, "U": np.eye(4, k=-1)}, "the row runs backwards"),
    ("delay", {**SHIFT, "V": np.eye(4)[2:3].T}, "a delay of two"),
    ("delay", {"W": [[1]], "U": [[1]], "V": [[1]]}, "a running sum"),
    (
        "delay",
        {"W": np.eye(6)[:1], "U": np.eye(6, k=1), "V": np.eye(6)[3:4].T},
        "six units",
    ),
    ("delay", {**SHIFT, "U": np.roll(np.eye(4), 1, 1)}, "a ring"),
    ("delay", {**SHIFT, "U": 1e200 * np.eye(4)}, "blows up"),
    ("delay", AlwaysEqual([1.0]), "an object that lies"),
    ("forward_gradient", lambda x, w, v: walk(x, w, v, last_term=True), "the last step only"),
    ("forward_gradient", lambda x, w, v: walk(x, w, v, new_state=True), "the new state"),
    ("forward_gradient", lambda x, w, v: walk(x, w, v, no_slope=True), "forgets the tanh"),
    ("forward_gradient", by_differences, "a difference quotient"),
    ("forward_gradient", lambda x, w, v: walk(x, w, v)[::-1], "in the wrong order"),
    ("forward_gradient", lambda x, w, v: walk(x, w, v)[0], "the state alone"),
    ("forward_gradient", lambda x, w, v: AlwaysEqual([1.0]), "an object that lies"),
    ("branches", only_the_root, "the root alone"),
    ("branches", branches(order="root first"), "parents before children"),
    ("branches", branches(swap=True), "left and right exchanged"),
    ("branches", branches(linear=True), "forgets the tanh"),
    ("branches", lambda tree, W, U, b: AlwaysEqual([1.0]), "an object that lies"),
]

RIGHT = [
    ("latch", [5, 3]),
    ("latch", np.array([50.0, 1.0])),
    ("latch", (2.0, 0.5)),  # too small if noise came with the bit; it comes after it
    ("latch", (-3.0, 2.0)),  # 300 flips are an even number
    (
        "delay",
        {"W": [[0, 0, 0, 2]], "U": np.eye(4, k=-1).tolist(), "V": [[0.5], [0], [0], [0]]},
    ),
    (
        "delay",
        {
            "W": np.eye(5)[:1],
            "U": np.roll(np.eye(5), 1, 1) * [0, 1, 1, 1, 1],
            "V": np.eye(5)[3:4].T,
        },
    ),
    ("forward_gradient", with_autograd),
    ("forward_gradient", lambda x, w, v: np.array(walk(x, w, v))),
    ("branches", branches()),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_a_remembered_answer_is_refused() -> None:
    """Right once, then repeated: the check draws fresh data every time."""
    memory: list[tuple] = []

    def remembers(x, w, v):
        if not memory:
            memory.append(walk(x, w, v))
        return memory[0]

    assert checks.forward_gradient.check(remembers).status == "not yet"
