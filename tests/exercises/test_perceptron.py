"""The checks of the perceptron chapter have been seen failing, and accept right answers in any style."""

import numpy as np

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/perceptron")
SOLUTIONS = solutions("models/perceptron")


def unnormalised_margin(X, y, w, b):
    return (y * (X @ w + b)).min()


def unsigned_margin(X, y, w, b):
    return np.abs(X @ w + b).min() / np.linalg.norm(w)


def margin_in_the_plane(X, y, w, b):
    lengths = [t * (w[0] * p + w[1] * q + b) for (p, q), t in zip(X, y, strict=True)]
    return min(lengths) / np.hypot(w[0], w[1])


def replaces_dot(X, y, w, b):
    np.dot = lambda *args: 0.0
    return 0.0


def no_return(X, y, w, b):
    _ = (y * (X @ w + b)).min() / np.linalg.norm(w)


def mean_margin(X, y, w, b):
    return (y * (X @ w + b)).mean() / np.linalg.norm(w)


def walk(X, y, epochs, *, on_mistake_only=False, last=False, strict=False):
    w, b, sums, count = np.zeros(X.shape[1]), 0.0, np.zeros(X.shape[1] + 1), 0
    for x_i, y_i in list(zip(X, y, strict=True)) * epochs:
        score = y_i * (w @ x_i + b)
        wrong = score < 0 if strict else score <= 0
        if wrong:
            w, b = w + y_i * x_i, b + y_i
        if wrong or not on_mistake_only:
            sums, count = sums + np.r_[w, b], count + 1
    mean = np.r_[w, b] if last else sums / max(count, 1)
    return mean[:-1], mean[-1]


def vectorised_average(X, y, epochs):
    w1, trace = np.zeros(X.shape[1] + 1), []
    for _ in range(epochs):
        for x in np.c_[X, np.ones(len(X))] * y[:, None]:
            w1 = w1 + (w1 @ x <= 0) * x
            trace.append(w1)
    return np.mean(trace, axis=0)[:-1], float(np.mean(trace, axis=0)[-1])


ONE_PER_CASE = np.array([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]])
SUM_PARITY = {"W": np.ones((3, 3)), "c": np.array([2.0, 0.0, -2.0])}

GAPS = [
    ("nand", (-1, -1, ...)),
    ("parity", {"W": [[1, 1, 1], [1, 1, ...]], "c": [0], "v": [1], "d": 0}),
    ("parity", {"W": ..., "c": ..., "v": ..., "d": ...}),
]

WRONG = [
    ("nand", (1, 1, -1), "AND"),
    ("nand", (1, 1, 1), "OR"),
    ("nand", (-1, -1, -1), "NOR"),
    ("nand", (0, 0, 1), "always true"),
    ("nand", (-1, -1), "no bias"),
    ("nand", (-1, -1, 0), "a case on the boundary"),
    ("nand", AlwaysEqual([-1.0, -1.0, 1.0]), "an object that lies"),
    ("nand", "(-1, -1, 1)", "a text"),
    ("nand", (float("nan"), -1, 1), "not a number"),
    ("margin", unnormalised_margin, "forgets the length of w"),
    ("margin", unsigned_margin, "forgets the sign"),
    ("margin", mean_margin, "mean instead of minimum"),
    ("margin", lambda X, y, w, b: AlwaysEqual([-1.0, -1.0, 1.0]), "an object that lies"),
    ("margin", lambda X, y, w: 0.1, "wrong arguments"),
    ("margin", no_return, "no return"),
    ("margin", replaces_dot, "replaces the library's function"),
    ("averaged", lambda X, y, e: walk(X, y, e, last=True), "the last weights"),
    ("averaged", lambda X, y, e: walk(X, y, e, on_mistake_only=True), "averages over mistakes"),
    ("averaged", lambda X, y, e: walk(X, y, 1), "ignores the epochs"),
    (
        "averaged",
        lambda X, y, e: walk(X, y, e, strict=True),
        "undecided counts as right: never starts",
    ),
    ("averaged", lambda X, y, e: AlwaysEqual([-1.0, -1.0, 1.0]), "an object that lies"),
    ("parity", {**SUM_PARITY, "v": [1, 1, 1], "d": 0.0}, "majority"),
    ("parity", {**SUM_PARITY, "v": [1, -1, 0], "d": 0.0}, "forgets all three"),
    (
        "parity",
        {"W": np.eye(3), "c": np.zeros(3), "v": [1, 1, 1], "d": 0.0},
        "a single layer in disguise",
    ),
    (
        "parity",
        {"W": ONE_PER_CASE, "c": -2 * np.ones(4), "v": np.ones(4), "d": 3.0},
        "four hidden units",
    ),
    ("parity", AlwaysEqual([-1.0, -1.0, 1.0]), "an object that lies"),
]

RIGHT = [
    ("nand", [-2, -3, 4]),
    (
        "margin",
        lambda X, y, w, b: min(y[i] * (X[i] @ w + b) for i in range(len(y))) / (w @ w) ** 0.5,
    ),
    ("margin", margin_in_the_plane),
    ("averaged", vectorised_average),
    (
        "parity",
        {"W": (-np.ones((3, 3))).tolist(), "c": [-2, 0, 2], "v": [-2, 2, -2], "d": 0},
    ),
]

NAMED = {"averaged": "averaged_perceptron_solution"}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps, named = WRONG, RIGHT, GAPS, NAMED


def test_a_remembered_answer_is_refused() -> None:
    """Right once, then repeated: the check draws fresh data every time."""
    memory: list[float] = []

    def remembers(X, y, w, b):
        if not memory:
            memory.append((y * (X @ w + b)).min() / np.linalg.norm(w))
        return memory[0]

    assert checks.margin.check(remembers).status == "not yet"
