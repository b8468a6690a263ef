"""The checks of the tour's exercises; the notebook imports this file as `exercises`."""

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from dlcourse import data
from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, imshow, panel, plot, scene
from dlcourse.training import fit


# --- 1. what should it say at the start? ----------------------------------------------------------
def _loss_picture(came: float) -> dict:
    classes = np.arange(2, 40)
    curve = plot(classes, np.log(classes), color="c1", label="loss of a network that knows nothing")
    yours = plot([2, 39], [came, came], color="c2", dash="4 3", label="your answer")
    return scene(panel(curve, yours, xlabel="number of classes", ylabel="loss", ylim=(0, 6)))


def _check_first_loss(answer: Any) -> str:
    came = require.number(answer, "the loss")
    if abs(came - math.log(26)) > 0.011:
        raise Wrong(
            f"expected the loss of a network that gives all 26 letters the same probability, came {came:g}. "
            "Which probability does the right letter get, and what is minus its natural logarithm?",
            _loss_picture(came),
        )
    return "minus the logarithm of 1/26."


first_loss = Exercise(
    "tour-first-loss",
    "Give the loss that you expect from an untrained network with 26 classes",
    check=_check_first_loss,
    hints=(
        "A network that knows nothing spreads its belief evenly.",
        "Each of 26 letters gets the probability 1/26.",
        "The loss is −log(1/26), with the natural logarithm: np.log(26).",
    ),
    answer="value",
)


# --- 2. count what is right -----------------------------------------------------------------------
def _accuracy_reference(scores: np.ndarray, labels: np.ndarray) -> float:
    hits = [
        max(range(len(row)), key=row.__getitem__) == k
        for row, k in zip(scores, labels, strict=True)
    ]
    return sum(hits) / len(hits)


def _accuracy_picture(scores: np.ndarray, labels: np.ndarray) -> dict:
    best = scores.argmax(1)
    first = int(np.argmax(best != labels)) if (best != labels).any() else 0
    marks = bar(np.arange(scores.shape[1]), scores[first])
    title = f"row {first}: highest at {best[first]}, label {labels[first]}"
    return scene(panel(marks, title=title, xlabel="class", ylabel="score"))


def _check_accuracy(accuracy: Any) -> str:
    for _ in range(20):
        rng = require.rng()
        n, k = int(rng.integers(5, 40)), int(rng.integers(2, 6))
        scores, labels = rng.normal(size=(n, k)), rng.integers(0, k, n)
        came = require.number(require.call(accuracy, scores, labels), "the accuracy")
        require.close(
            came,
            _accuracy_reference(scores, labels),
            what=f"the accuracy for {n} images and {k} classes",
            do="Compare the position of each row's highest score (axis 1) with its label, and average.",
            figure=_accuracy_picture(scores, labels),
        )
    return "it agrees on 20 random tables of scores."


accuracy = Exercise(
    "tour-accuracy",
    "Return the share of rows whose highest score stands at the right class",
    check=_check_accuracy,
    hints=(
        "Which class does a row vote for? Not its highest score, but where that score stands.",
        "scores.argmax(axis=1) gives one class for each row.",
        "Compare with labels; the mean of True and False is the share of True.",
    ),
)


# --- 3. less is enough ----------------------------------------------------------------------------
MAX_WEIGHTS, MIN_RIGHT, EPOCHS, STARTS = 1000, 0.90, 30, 3


def _weights(net: nn.Module) -> int:
    return sum(w.numel() for w in (*net.parameters(), *net.buffers()))


def _trained(build: Any, seed: int, split: data.Split) -> tuple[nn.Module, torch.Tensor]:
    """A network from the learner's function, trained here, and its answers on the test set."""
    torch.manual_seed(seed)
    net = require.call(build)
    _inspect(net)
    x, y = torch.tensor(split.x_train), torch.tensor(split.y_train)
    if (before := float((_answers(net, x) == y).float().mean())) > 0.5:
        raise Wrong(
            f"expected an untrained network, came one that already reads {before:.0%} of the digits."
        )
    with require.running("training your network"):
        fit(net.train(), x, y, epochs=EPOCHS, lr=0.01, seed=seed, progress=False)
    return net, _answers(net, torch.tensor(split.x_test))


def _answers(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The classes (N,) of x (N, 64); refuses a network that looks its answers up."""
    scores, looked_up = require.scores(net.eval(), x)
    if _weights(net) + looked_up > MAX_WEIGHTS:
        raise Wrong(
            f"expected at most {MAX_WEIGHTS} weights, came {_weights(net)} and {looked_up} numbers besides. "
            "Let the network learn what it needs to know."
        )
    return require.tensor(scores, "the scores", shape=(len(x), 10)).argmax(1)


def _inspect(net: Any) -> None:
    """Refuse what is not a module, is too large, or has another shape."""
    if not isinstance(net, nn.Module):
        raise Wrong(f"expected an nn.Module, came an object of type {type(net).__name__}.")
    scores = require.call(net, torch.zeros(7, 64))
    require.tensor(scores, "the scores of 7 images", shape=(7, 10))
    if _weights(net) > MAX_WEIGHTS:
        raise Wrong(
            f"expected at most {MAX_WEIGHTS} weights, came {_weights(net)}. Where are most of them?"
        )


def _mistakes_picture(split: data.Split, guess: torch.Tensor) -> dict:
    wrong = np.flatnonzero(guess.numpy() != split.y_test)[:12]
    tiles = np.zeros((2, 6, 8, 8), np.float32)
    tiles.reshape(12, 8, 8)[: len(wrong)] = split.x_test[wrong].reshape(-1, 8, 8)
    mosaic = tiles.transpose(0, 2, 1, 3).reshape(16, 48)
    title = "read wrongly as " + " ".join(str(int(g)) for g in guess[wrong])
    return scene(
        panel(imshow(1 - mosaic, lim=(0, 1), cmap="gray"), title=title, axes=False, aspect="equal")
    )


def _check_small_net(build: Any) -> str:
    split = data.digits(size=8, flat=True, seed=int(require.rng().integers(1000)))  # a fresh split
    shares = []
    for seed in range(STARTS):
        net, guess = _trained(build, seed, split)
        shares.append(float((guess.numpy() == split.y_test).mean()))
        if shares[-1] < MIN_RIGHT:
            raise Wrong(
                f"start {seed + 1} of {STARTS} reads {shares[-1]:.1%} of the unseen digits; expected {MIN_RIGHT:.0%}. "
                "Spend the weights where they see most.",
                _mistakes_picture(split, guess),
            )
    return f"{_weights(net)} weights, and {min(shares):.1%} right in the worst of {STARTS} starts."


small_net = Exercise(
    "tour-small-net",
    f"Return an untrained network with at most {MAX_WEIGHTS} weights that learns to read {MIN_RIGHT:.0%} of the digits",
    check=_check_small_net,
    hints=(
        "A layer from a inputs to b outputs has a·b + b weights. Where did the 2 410 go?",
        "With H hidden units the network has 64H + H + 10H + 10 = 75H + 10 weights.",
        "H = 12 gives 910. No hidden layer at all gives 650; does that suffice?",
    ),
    time_limit=90.0,
    repeats=1,
)
