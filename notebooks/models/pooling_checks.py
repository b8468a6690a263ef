"""The checks of the pooling chapter's exercises; the notebook imports this file as `exercises`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import imshow, panel, scene

# --- 1. the receptive field by hand -----------------------------------------------------------
STACK = ((3, 1), (3, 1), (2, 2), (3, 1), (3, 2), (5, 1))  # (side, stride), input first
NAMES = ("conv 3×3", "conv 3×3", "pool 2×2", "conv 3×3", "pool 3×3", "conv 5×5")


def _touched(layers: tuple[tuple[int, int], ...], units: int = 1) -> int:
    """How many input pixels of a line reach `units` neighbouring units: walk back, layer by layer."""
    reached = set(range(units))
    for side, stride in reversed(layers):
        reached = {u * stride + i for u in reached for i in range(side)}
    return len(reached)


def _growth_picture() -> dict:
    """The squares of the first three layers on a piece of the input."""
    z = np.zeros((12, 12))
    for value, depth in zip((1, 2, 3), (3, 2, 1), strict=True):
        side = _touched(STACK[:depth])
        z[:side, :side] = 4 - value
    title = "seen after layer 1 (brightest), 2 and 3"
    z[z > 0] = 4 - z[z > 0]
    return scene(panel(imshow(z, lim=(0, 3)), title=title, size=(300, 300)))


def _check_field(answer: Any) -> str:
    side, jump = require.array(answer, "(side, jump)", shape=(2,), kind="integer")
    want_jump = int(np.prod([stride for _, stride in STACK]))
    if jump != want_jump:
        raise Wrong(
            f"the jump came as {jump}. It starts at 1 and only strides change it: multiply the strides "
            "of all six layers.",
            _growth_picture(),
        )
    if side != _touched(STACK):
        small = "too small" if side < _touched(STACK) else "too large"
        raise Wrong(
            f"the jump is right, but a side of {side} is {small}. Go layer by layer: the first three give "
            "3, 5 and 6 pixels; each further layer adds (k − 1) times the jump *before* it.",
            _growth_picture(),
        )
    return (
        f"one unit sees {side} × {side} pixels, and its neighbour looks {jump} pixels further on."
    )


field = Exercise(
    "pooling-field",
    "Give (side, jump) of the receptive field after the six layers",
    check=_check_field,
    hints=(
        "Keep two numbers, r = 1 and j = 1, and update both at every layer.",
        "A layer does r ← r + (k − 1) j first, with the old j, and then j ← j s.",
        "After the first pooling you have r = 6 and j = 2; the next convolution adds 2 · 2.",
    ),
    answer="value",
)


# --- 2. max pooling with a border -------------------------------------------------------------
def _torch_pool(
    x: np.ndarray, grad: np.ndarray, k: int, s: int, padding: int
) -> tuple[np.ndarray, np.ndarray]:
    t = torch.tensor(x[None, None], requires_grad=True)
    y = F.max_pool2d(t, k, s, padding)
    (back,) = torch.autograd.grad(y, t, torch.tensor(grad[None, None]))
    return y.detach().numpy()[0, 0], back.numpy()[0, 0]


def _difference(came: np.ndarray, want: np.ndarray, what: str) -> dict:
    top = max(float(np.abs(want).max()), float(np.abs(came).max()), 1e-6)
    shown = (("yours", came), ("PyTorch", want), ("difference", came - want))
    panels = [
        panel(
            imshow(z, lim=(-top, top), cmap="diverging"), title=f"{name}: {what}", size=(230, 230)
        )
        for name, z in shown
    ]
    return scene(*panels)


def _case(rng: np.random.Generator, kind: str) -> tuple:
    k, s, padding = [(3, 2, 1), (2, 2, 1), (4, 3, 2), (3, 1, 1)][rng.integers(4)]
    height, width = rng.integers(7, 12, 2)
    x = (
        rng.integers(0, 3, (height, width)).astype(float)
        if kind == "ties"
        else rng.normal(size=(height, width))
    )
    if kind == "negative":
        x = -(np.abs(x) + 1) * 10.0 ** rng.integers(0, 13)  # no finite border is low enough
    shape = [(n + 2 * padding - k) // s + 1 for n in (height, width)]
    return x, rng.normal(size=shape), k, s, padding


def _advice(what: str, kind: str, size: float) -> str:
    if what == "y" and kind == "negative":
        return f"All inputs were negative here, down to {-size:.0e}. Which number in the border never wins?"
    if what == "y":
        return "Look at the border in the pictures: what does it contain, and where does a window begin?"
    overlap = "Where windows overlap, one pixel can win several times: add its gradients up."
    if kind == "ties":
        first = "This map is full of equal numbers: let the first in reading order win, and only that one."
        return f"{first} {overlap}"
    return overlap


def _equal(came: np.ndarray, want: np.ndarray) -> bool:
    """Equal up to the rounding of float32, in which an answer may be computed."""
    return bool(np.abs(came - want).max() <= 1e-5 * max(1.0, np.abs(want).max()))


def _check_padded(fn: Callable) -> str:
    rng = require.rng()
    for kind in ("random", "negative", "ties") * 4:
        args = _case(rng, kind)
        answer = require.call(fn, *args)
        if type(answer) not in (tuple, list) or len(answer) != 2:
            raise Wrong("expected a pair (y, grad_x); return both, separated by a comma.")
        want = _torch_pool(*args)
        for what, came, right in zip(("y", "grad_x"), answer, want, strict=True):
            came = require.array(came, what, shape=right.shape, finite=False)
            if not _equal(came, right):
                figure = _difference(np.nan_to_num(came, posinf=0, neginf=0), right, what)
                k, s, padding = args[2:]
                raise Wrong(
                    f"{what} differs from PyTorch's for k = {k}, s = {s}, padding = {padding}. "
                    + _advice(what, kind, float(np.abs(args[0]).max())),
                    figure,
                )
    return "twelve maps, with ties and with negative numbers: forward and backward equal PyTorch's."


padded = Exercise(
    "pooling-padded",
    "Write max pooling with padding and its backward pass, (y, grad_x)",
    check=_check_padded,
    hints=(
        "Pad the map first, then pool as in the chapter. Only the filling of the border needs thought.",
        "The border must never win, so fill it with −np.inf. For the gradient, keep a map as large as the padded one.",
        "Loop over (r, c): window = wide[r*s:r*s+k, c*s:c*s+k]; find the winner with argmax; "
        "add grad[r, c] at its place; at the end cut the border off.",
    ),
)


# --- 3. consistency ---------------------------------------------------------------------------
def _moved(images: np.ndarray, right: int) -> np.ndarray:
    width = images.shape[2]
    columns = np.arange(width) - right
    inside = (columns >= 0) & (columns < width)
    return np.where(inside, images[:, :, columns.clip(0, width - 1)], 0)


def _two_rows(images: np.ndarray, right: int) -> dict:
    pairs = (("an image", images[0]), (f"moved by {right:+d} px", _moved(images, right)[0]))
    return scene(*(panel(imshow(z), title=name, axes=False, size=(200, 200)) for name, z in pairs))


def _check_consistent(fn: Callable) -> str:
    rng = require.rng()
    for right in (1, -1, 3, 0, -4, 2):
        images = rng.random((rng.integers(20, 60), 6, 9))
        weights = rng.normal(size=(54, 3))

        def predict(batch: np.ndarray, weights: np.ndarray = weights) -> np.ndarray:
            return (np.asarray(batch).reshape(len(batch), -1) @ weights).argmax(1)

        came = require.number(require.call(fn, predict, images, right), "the share")
        want = float(np.mean(predict(images) == predict(_moved(images, right))))
        if abs(came - want) > 1e-9:
            hint = _diagnosis(came, want, predict, images, right)
            raise Wrong(
                f"for a move by {right:+d} pixels expected {want:.3f}, came {came:.3f}. {hint}",
                _two_rows(images, right),
            )
    return "right for moves to both sides, and for no move at all."


def _diagnosis(came: float, want: float, predict: Callable, images: np.ndarray, right: int) -> str:
    others = {
        "Your image wraps around: what leaves on one side comes back on the other. Fill with 0.": np.roll(
            images, right, 2
        ),
        "You moved it the other way; right means towards larger columns.": _moved(images, -right),
        "You moved it up or down; columns are the last axis.": _moved(
            images.transpose(0, 2, 1), right
        ).transpose(0, 2, 1),
    }
    for sentence, moved in others.items():
        if abs(came - float(np.mean(predict(images) == predict(moved)))) < 1e-9:
            return sentence
    if abs(came - 100 * want) < 1e-6:
        return "Give a share from 0 to 1, not per cent."
    return "Compare predict(images) with predict(moved images) and take the mean."


consistent = Exercise(
    "pooling-consistency",
    "Measure the share of images whose predicted class survives a shift",
    check=_check_consistent,
    hints=(
        "Make an array of zeros like `images` and copy the part that stays visible into it.",
        "For right > 0: moved[:, :, right:] = images[:, :, :-right]. Think about right = 0 and right < 0 too.",
        "The answer is np.mean(predict(images) == predict(moved)).",
    ),
)


# --- 4. exact invariance ----------------------------------------------------------------------
def _reference(x: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    wrapped = F.pad(torch.tensor(x)[:, None], (1, 1, 1, 1), mode="circular")
    return F.conv2d(wrapped, torch.tensor(kernels)[:, None]).relu().mean((2, 3)).numpy()


def _bars(came: np.ndarray, want: np.ndarray, title: str) -> dict:
    top = max(float(np.abs(came).max()), float(np.abs(want).max()), 1e-6)
    shown = ((f"yours: {title}", came), ("expected", want))
    return scene(
        *(
            panel(
                imshow(z, lim=(-top, top), cmap="diverging"),
                title=name,
                xlabel="feature",
                ylabel="image",
                size=(230, 260),
            )
            for name, z in shown
        )
    )


def _check_invariant(fn: Callable) -> str:
    rng = require.rng()
    for _ in range(4):
        x = rng.normal(size=(5, *rng.integers(6, 10, 2)))
        kernels = rng.normal(size=(rng.integers(2, 6), 3, 3))
        shape = (len(x), len(kernels))
        came = require.array(require.call(fn, x, kernels), "the features", shape=shape)
        down, right = rng.integers(1, 5, 2)
        moved = np.roll(x, (down, right), (1, 2))
        after = require.array(require.call(fn, moved, kernels), "the features", shape=shape)
        gap = np.abs(after - came).max()
        if not _equal(after, came):
            raise Wrong(
                f"after a shift by {down} down and {right} right (wrapped around) the features changed by up to {gap:.3g}. "
                "Is the border of the correlation wrapped, and the mean taken over the whole map?",
                _bars(after, came, "after the shift"),
            )
        want = _reference(x, kernels)
        if not _equal(came, want):
            raise Wrong(
                f"invariant, but not the features asked for. {_which(came, x, kernels)}",
                _bars(came, want, "features"),
            )
    return "the features are those of PyTorch, and no shift changes them."


def _which(came: np.ndarray, x: np.ndarray, kernels: np.ndarray) -> str:
    if _equal(came, _reference(x, kernels[:, ::-1, ::-1].copy())):
        return "Your kernels are flipped: correlate as torch.nn.Conv2d does, without turning them round."
    if (came < -1e-12).any():
        return "Some are negative, so the ReLU is missing or comes after the mean; it belongs before the pooling."
    return "Correlate with each kernel, apply ReLU, and average over all places, in this order."


invariant = Exercise(
    "pooling-invariant",
    "Features of a wrapped-around image that no shift can change",
    check=_check_invariant,
    hints=(
        "np.roll moves an image with wrap-around. Nine rolled copies, weighted by the nine entries, make a correlation.",
        "Output (r, c) needs input (r + i − 1, c + j − 1): roll x by (1 − i, 1 − j).",
        "maps += kernels[None, :, i, j, None, None] * np.roll(x, (1 - i, 1 - j), axis=(1, 2))[:, None]; "
        "then np.maximum(maps, 0).mean((2, 3)).",
    ),
)
