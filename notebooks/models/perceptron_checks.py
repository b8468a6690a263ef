"""The checks of the perceptron chapter's exercises; the notebook imports this file as `exercises`."""

from itertools import product
from typing import Any

import numpy as np
from perceptron_figures import boundary, decision_map, points

from dlcourse import data
from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, scene

SQUARE = {
    "xlabel": "x₁",
    "ylabel": "x₂",
    "xlim": (-1.8, 1.8),
    "ylim": (-1.8, 1.8),
    "aspect": "equal",
}
CORNERS = np.array(list(product((-1, 1), repeat=2)), float)  # (4, 2)
CUBE = np.array(list(product((-1, 1), repeat=3)), float)  # (8, 3)


def _case(x: np.ndarray) -> str:
    return "(" + ", ".join("true" if v > 0 else "false" for v in x) + ")"


# --- 1. a gate by hand --------------------------------------------------------------------------
NAND = np.where((CORNERS > 0).all(1), -1, 1)  # (4,)


def _gate_picture(w: np.ndarray, b: float) -> dict:
    half_planes = decision_map(lambda P: np.where(P @ w + b > 0, 1, -1))
    marks = [*half_planes, *points(CORNERS, NAND, size=8), *boundary(w, b)]
    return scene(panel(*marks, title="circles must lie in the blue half", **SQUARE))


def _check_nand(answer: Any) -> str:
    w1, w2, b = require.array(answer, "three plain numbers (w1, w2, b)", shape=(3,))
    w = np.array([w1, w2])
    wrong = NAND * (CORNERS @ w + b) <= 0
    if wrong.any():
        i = int(np.argmax(wrong))
        score = CORNERS[i] @ w + b
        want = "above 0" if NAND[i] > 0 else "below 0"
        raise Wrong(
            f"for the inputs {_case(CORNERS[i])} the score is {score:g}, but NAND needs it {want} "
            f"({wrong.sum()} of 4 cases are wrong). Which way must the line move?",
            _gate_picture(w, b),
        )
    return "all four cases are on the right side of your line."


nand = Exercise(
    "perceptron-nand",
    "Give three numbers (w1, w2, b) with which one unit computes NAND",
    check=_check_nand,
    hints=(
        "NAND is true almost always. Which sign should the bias have, so that the unit says true by itself?",
        "Each true input must pull the score down, and only both together may pull it below zero.",
        "Take w1 = w2 = −1. The score is then b − 2, b, b and b + 2 in the four cases.",
    ),
    answer="value",
)


# --- 2. the safest line -------------------------------------------------------------------------
def _margin_reference(X: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> float:
    return min(
        float(y_i * (np.dot(w, x_i) + b) / np.sqrt(np.dot(w, w)))
        for x_i, y_i in zip(X, y, strict=True)
    )


def _margin_inputs(rng: np.random.Generator) -> tuple:
    n = rng.integers(4, 12)
    return (
        rng.normal(size=(n, 2)),
        rng.choice([-1, 1], n),
        rng.normal(size=2) * rng.uniform(0.5, 5),
        float(rng.normal()),
    )


def _margin_picture(X: np.ndarray, y: np.ndarray, w: np.ndarray, b: float) -> dict:
    nearest = int(np.argmin(y * (X @ w + b)))
    marks = [*points(X, y), *boundary(w, b, arrow=True)]
    title = f"the smallest signed distance is that of point {nearest}"
    return scene(panel(*marks, title=title, **SQUARE))


def _check_margin(margin: Any) -> str:
    for _ in range(20):
        args = _margin_inputs(require.rng())
        came = require.number(require.call(margin, *args), "the margin")
        wanted = _margin_reference(*args)
        require.close(
            came,
            wanted,
            what=f"the margin of {len(args[0])} points",
            do="It is a distance: divide by the length of w alone, keep the sign, take the smallest.",
            figure=_margin_picture(*args),
        )
    return "it agrees on 20 random sets of points."


margin = Exercise(
    "perceptron-margin",
    "Return the smallest signed distance of the points from the line",
    check=_check_margin,
    hints=(
        "The score of a point is w·x + b. When does its sign agree with the label?",
        "Multiply the scores by the labels; negative numbers are now mistakes. Scaling w and b must not change the answer.",
        "Divide by np.linalg.norm(w) and take the minimum over the points.",
    ),
)


# --- 3. the averaged perceptron -----------------------------------------------------------------
def _averaged_reference(X: np.ndarray, y: np.ndarray, epochs: int) -> tuple[np.ndarray, float]:
    """The mean over all visits, by the telescoped sum: a correction at visit t counts in all later ones."""
    X1, visits = np.c_[X, np.ones(len(X))], epochs * len(X)
    w, mean = np.zeros(X1.shape[1]), np.zeros(X1.shape[1])
    for t in range(visits):
        x, label = X1[t % len(X)], y[t % len(X)]
        if label * (w @ x) <= 0:
            w = w + label * x
            mean = mean + label * x * (visits - t) / visits
    return mean[:-1], float(mean[-1])


def _averaged_inputs(rng: np.random.Generator) -> tuple:
    n, dimensions = int(rng.integers(5, 15)), int(rng.integers(2, 5))
    return rng.normal(size=(n, dimensions)), rng.choice([-1, 1], n), int(rng.integers(1, 5))


def _averaged_picture(came: np.ndarray, bias: float) -> dict:
    X, labels = data.toy("linear", n=40, margin=0.1, seed=0)
    marks = [*points(X, np.where(labels == 1, 1, -1)), *boundary(came, bias)]
    return scene(panel(*marks, title="your line on separable points", **SQUARE))


def _averaged_advice(w: np.ndarray) -> str:
    if not w.any():
        return "With zero weights every score is 0: is undecided a mistake?"
    return (
        "Average over every example visited, right or wrong, over all epochs, after its update. "
        "If your sum looks right: += on an array changes what you stored before."
    )


def _check_averaged(averaged: Any) -> str:
    for _ in range(10):
        X, y, epochs = _averaged_inputs(require.rng())
        came = require.call(averaged, X, y, epochs)
        if type(came) not in (tuple, list) or len(came) != 2:
            raise Wrong("expected two things, the mean weights and the mean bias: return w, b.")
        w = require.array(came[0], "the mean weights", shape=(X.shape[1],))
        bias = require.number(came[1], "the mean bias")
        wanted_w, wanted_b = _averaged_reference(X, y, epochs)
        picture = _averaged_picture(w, bias) if X.shape[1] == 2 else None
        do = _averaged_advice(w)
        require.close(w, wanted_w, what="the mean weights", do=do, figure=picture)
        require.close(bias, wanted_b, what="the mean bias", do=do, figure=picture)
    return "weights and bias agree on ten random problems."


averaged = Exercise(
    "perceptron-averaged",
    "Write the averaged perceptron",
    check=_check_averaged,
    hints=(
        "Keep two pairs: the weights that learn, and a running sum of them.",
        "The sum grows after every example, also after those that were classified correctly.",
        "Divide both sums by epochs * len(X). Write sum_w = sum_w + w, not sum_w = w, and do not add in place to X.",
    ),
)


# --- 4. parity of three -------------------------------------------------------------------------
PARITY = np.where((CUBE > 0).sum(1) % 2 == 1, 1, -1)  # (8,)


def _network(x: np.ndarray, W: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.where(x @ W.T + c > 0, 1.0, -1.0)  # (8, H)


def _parity_parts(answer: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    if type(answer) is not dict or set(answer) != {"W", "c", "v", "d"}:
        raise Wrong('expected a dictionary with the four keys "W", "c", "v" and "d".')
    W = require.array(answer["W"], "W", shape=(None, 3))
    units = len(W)
    if not 1 <= units <= 3:
        raise Wrong(f"W: expected one to three hidden units (rows), came {units}.")
    c = require.array(answer["c"], "c", shape=(units,))
    return W, c, require.array(answer["v"], "v", shape=(units,)), require.number(answer["d"], "d")


def _parity_picture(scores: np.ndarray) -> dict:
    count = (CUBE > 0).sum(1)
    marks = points(np.c_[count, scores], PARITY, size=6)
    span = max(1.0, float(np.abs(scores).max())) * 1.2
    return scene(
        panel(
            *marks,
            title="circles must lie above 0, squares below",
            xlabel="number of true inputs",
            ylabel="score of the output unit",
            xlim=(-0.3, 3.3),
            ylim=(-span, span),
        )
    )


def _check_parity(answer: Any) -> str:
    W, c, v, d = _parity_parts(answer)
    scores = _network(CUBE, W, c) @ v + d  # (8,)
    wrong = PARITY * scores <= 0
    if wrong.any():
        i = int(np.argmax(wrong))
        side = "above 0" if PARITY[i] > 0 else "below 0"
        raise Wrong(
            f"for the inputs {_case(CUBE[i])} the output unit scores {scores[i]:g}; parity needs it {side} "
            f"({wrong.sum()} of 8 cases are wrong).",
            _parity_picture(scores),
        )
    return f"all eight cases are right with {len(W)} hidden units."


parity = Exercise(
    "perceptron-parity",
    "Give W, c, v and d of a threshold network that computes the parity of three inputs",
    check=_check_parity,
    hints=(
        "Only the number of true inputs matters. Which direction in the cube counts it?",
        "Give all hidden units the weights (1, 1, 1). Their biases can mark at least one, at least two, all three.",
        "Parity is: at least one, minus at least two, plus all three. The output unit can add and subtract.",
    ),
    answer="value",
)
