"""The checks of the convolution chapter's exercises; the notebook imports this file as `exercises`."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import data
from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import imshow, panel, plot, scatter, scene, text

SMALL = {"axes": False, "size": (230, 230)}


# --- 1. count -----------------------------------------------------------------------------------
SIDE, PARAMETERS = 112, 9472  # (224 + 2·3 − 7)//2 + 1 and 64·(3·7·7 + 1)
SLIPS = {
    109: "that is the side without the rim of 3 on both ends; add the padding.",
    110: "the rim is added on both ends: 224 + 2·3.",
    111: "count the window that starts at place 0 as well: + 1.",
    218: "that is one end only, or stride 1; divide by the stride.",
    224: "that would be stride 1; the window moves two pixels at a time.",
}
COUNTS = {
    9408: "64 biases are missing.",
    3136: "a kernel has a slice for each of the three colours, and each map a bias.",
    3200: "a kernel has a slice for each of the three colours.",
    9600: "one bias for each output map, not for each colour of it.",
}


def _window_picture(side: int) -> dict:
    """Windows of 7 on a line of 224 pixels with a rim of 3: the first three and the last."""
    marks = [
        plot([0, 224], [0, 0], width=6, color="c1", label="224 pixels"),
        plot([-3, 0, np.nan, 224, 227], [0, 0, np.nan, 0, 0], width=6, color="muted", label="rim"),
    ]
    for n, start in enumerate((-3, -1, 1, 219)):
        marks.append(plot([start, start + 7], [n + 1, n + 1], width=4, color="c2"))
        marks.append(text(start + 9 if n < 3 else start - 2, n + 1, ("first", "second", "third", "last")[n],
                          anchor="start" if n < 3 else "end"))  # fmt: skip
    title = f"how many windows fit? (you said {side})"
    return scene(
        panel(*marks, title=title, xlabel="pixel", ylim=(-0.6, 4.8), yticks={}, size=(560, 220))
    )


def _check_size(answer: Any) -> str:
    side, count = (int(v) for v in require.array(answer, "your pair", shape=(2,), kind="integer"))
    if side != SIDE:
        slip = SLIPS.get(side, "use eq-conv-side with n = 224, k = 7, s = 2, p = 3.")
        raise Wrong(f"the side: came {side}; {slip}", _window_picture(side))
    if count != PARAMETERS:
        slip = COUNTS.get(
            count, "count the weights of one kernel, add its bias, multiply by the number of maps."
        )
        raise Wrong(
            f"the side is right. The parameters: came {count}; {slip}", _window_picture(side)
        )
    return "right: 112 and 9 472. GoogLeNet begins so; ResNet usually drops the biases."


size = Exercise(
    "convolution-size",
    "give (side, parameters) of a 7 × 7 convolution, stride 2, padding 3, from 3 to 64 maps, on 224 × 224",
    check=_check_size,
    hints=(
        "Use eq-conv-side for the side. The image size plays no part in the second number.",
        "One kernel reads a patch of 3 · 7 · 7 numbers and adds a bias.",
        "(224 + 6 - 7) // 2 + 1, and 64 times (147 + 1).",
    ),
    answer="value",
)


# --- 2. stride, 3. gradient of the kernel ----------------------------------------------------------
def _difference(came: np.ndarray, wanted: np.ndarray) -> dict:
    top = max(float(np.abs(wanted).max()), float(np.abs(came).max()), 1e-9)
    pictures = (("yours", came), ("expected", wanted), ("difference", came - wanted))
    return scene(
        *(
            panel(imshow(z, lim=(-top, top), cmap="diverging"), title=t, **SMALL)
            for t, z in pictures
        )
    )


def _compare(
    came: Any, wanted: np.ndarray, what: str, slips: Iterator[tuple[str, np.ndarray]]
) -> None:
    """Refuse a result that differs from `wanted`, with a picture, and name the slip if it is a known one."""
    z = require.array(came, what)
    if z.shape != wanted.shape:
        raise Wrong(
            f"{what}: expected shape {wanted.shape}, came {z.shape}; where does the last window fit?"
        )
    rounding = 1e-5 * max(1.0, np.abs(wanted).max())  # an answer may be computed in float32
    if np.abs(z - wanted).max() <= rounding:
        return
    known = (s for s, w in slips if w.shape == z.shape and np.abs(z - w).max() <= rounding)
    slip = next(known, "compare the two pictures, place by place.")
    raise Wrong(
        f"{what} differs by up to {np.abs(z - wanted).max():.3g}; {slip}", _difference(z, wanted)
    )


def _torch_correlation(x: np.ndarray, w: np.ndarray, stride: int = 1) -> np.ndarray:
    return F.conv2d(torch.tensor(x)[None, None], torch.tensor(w)[None, None], stride=stride)[
        0, 0
    ].numpy()


def _check_strided(answer: Any) -> str:
    rng = require.rng()
    for stride in (1, 2, 3, int(rng.integers(2, 5))):
        k = int(rng.integers(2, 5))
        x, w = rng.normal(size=rng.integers(10, 17, 2)), rng.normal(size=(k, k))
        came = require.call(answer, x, w, stride)
        wanted = _torch_correlation(x, w, stride)
        slips = [
            (
                "you turned the kernel: that is convolution in the mathematician's sense.",
                w[::-1, ::-1],
            ),
            ("rows and columns of the kernel are swapped.", w.T),
        ]
        _compare(
            came,
            wanted,
            f"stride {stride}",
            ((s, _torch_correlation(x, v.copy(), stride)) for s, v in slips),
        )
    return "equal to torch.nn.functional.conv2d on four random images, kernels and strides."


strided = Exercise(
    "convolution-stride",
    "correlate an image (H, W) with a kernel (k, k), moving by `stride`",
    check=_check_strided,
    hints=(
        "How many windows fit along a side? eq-conv-side with p = 0.",
        "Start from `correlate` of the chapter; the window of output (i, j) begins at (stride·i, stride·j).",
        "z[i, j] = (w * x[stride * i : stride * i + k, stride * j : stride * j + k]).sum()",
    ),
)


def _check_gradient(answer: Any) -> str:
    rng = require.rng()
    for _ in range(4):
        k, shape = int(rng.integers(2, 5)), rng.integers(9, 14, 2)
        x, d = rng.normal(size=shape), rng.normal(size=shape - k + 1)
        came = require.call(answer, d, x)
        w = torch.zeros(1, 1, k, k, dtype=torch.float64, requires_grad=True)
        F.conv2d(torch.tensor(x)[None, None], w).backward(torch.tensor(d)[None, None])
        wanted = w.grad[0, 0].numpy()
        slips = [
            ("it is turned by 180°.", wanted[::-1, ::-1]),
            (
                "d is turned by 180° in it: correlate x with d, do not convolve.",
                _torch_correlation(x, d[::-1, ::-1].copy()),
            ),
            ("it is transposed.", wanted.T),
            ("it is the mean over the places; the weight collects the sum.", wanted / d.size),
        ]
        _compare(came, wanted, "the gradient", iter(slips))
    return "equal to autograd. The gradient of a correlation is again a correlation."


kernel_gradient = Exercise(
    "convolution-kernel-gradient",
    "return ∂L/∂w of a k × k kernel from d = ∂L/∂z and the image x",
    check=_check_gradient,
    hints=(
        "Weight (u, v) met pixel (i + u, j + v) at every place (i, j).",
        "Its gradient is the sum over i, j of d[i, j] · x[i + u, j + v].",
        "That is eq-correlation with d in the part of the kernel: correlate2d(x, d, mode='valid').",
    ),
)


# --- 4. a detector ----------------------------------------------------------------------------------
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], float)


def _picture(rng: np.random.Generator, side: int = 24) -> tuple[np.ndarray, tuple[int, int]]:
    """Noise, three bars, one block, and a cross that touches none of them; where its centre is."""
    x = np.zeros((side, side))
    for _ in range(3):
        i, j = rng.integers(2, side - 9, 2)
        bar = np.s_[i, j : j + 7] if rng.random() < 0.5 else np.s_[i : i + 7, j]
        x[bar] = 1.6
    i, j = rng.integers(2, side - 6, 2)
    x[i : i + 4, j : j + 4] = 1.6
    free = sliding_max(x, 9)  # nothing within four pixels of the centre
    places = np.argwhere(free == 0) + 4
    if not len(places):
        return _picture(rng, side)
    i, j = places[rng.integers(len(places))]
    x[i - 1 : i + 2, j - 1 : j + 2] += CROSS
    return x + 0.15 * rng.normal(size=x.shape), (int(i), int(j))


def sliding_max(x: np.ndarray, k: int) -> np.ndarray:
    """The largest value of every k × k window of x (H, W): (H−k+1, W−k+1)."""
    return np.lib.stride_tricks.sliding_window_view(x, (k, k)).max((2, 3))


def examples(n: int, seed: int = 0) -> list[tuple[np.ndarray, tuple[int, int]]]:
    """Return n pictures (24, 24) of the fourth exercise, each with (row, column) of its cross."""
    rng = np.random.default_rng(seed)
    return [_picture(rng) for _ in range(n)]


def _missed(x: np.ndarray, z: np.ndarray, at: tuple[int, int], said: tuple[int, int]) -> dict:
    def seen(image: np.ndarray, title: str, shift: int) -> dict:
        marks = [
            scatter(
                [at[1] - shift], [at[0] - shift], color="c2", size=9, marker="o", label="cross"
            ),
            scatter(
                [said[1] - shift],
                [said[0] - shift],
                color="c1",
                size=9,
                marker="x",
                label="your strongest",
            ),
        ]
        return panel(imshow(image, cmap="gray"), *marks, title=title, size=(300, 300))

    return scene(seen(x, "picture", 0), seen(z, "your responses", 2))


def _check_detector(answer: Any) -> str:
    w = require.array(answer, "your kernel", shape=(5, 5))
    rng, found, miss = require.rng(), 0, None
    for _ in range(100):
        x, at = _picture(rng)
        z = _torch_correlation(x, w)
        i, j = np.unravel_index(z.argmax(), z.shape)
        said = (int(i) + 2, int(j) + 2)
        hit = said == at and z.max() > z.min()
        found += hit
        miss = miss if hit or miss is not None else (x, z, at, said)
    if found < 95:
        why = (
            "all weights are positive or zero, so brightness alone wins: punish light where the cross has none."
            if w.min() >= 0
            else "look where it fires in the picture: which of your weights likes that, and which could object? "
            "Look just beyond the ends of its arms."
        )
        raise Wrong(f"it found {found} of 100 crosses, 95 are wanted; {why}", _missed(*miss))
    return f"it found {found} of 100 crosses in new pictures."


detector = Exercise(
    "convolution-detector",
    "design a 5 × 5 kernel that answers most strongly on the centre of the hidden cross",
    check=_check_detector,
    hints=(
        "Positive weights where the cross is bright. What would a bright block do to such a kernel?",
        "Make the weights add up to zero or less, so that an even surface, however bright, gives nothing.",
        "Try 2 on the five pixels of the cross, -1 between its arms, and more than that against light beyond their ends.",
    ),
    answer="value",
)


# --- 5. a thousand parameters -------------------------------------------------------------------------
LIMIT, WANTED, STEPS = 1000, 75.0, 500


def _dropped(x: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """Digits (n, 1, 8, 8) at random places of a field (n, 1, 16, 16)."""
    field = np.zeros((len(x), 1, 16, 16), np.float32)
    for one, digit, i, j in zip(field, x, *rng.integers(0, 9, (2, len(x))), strict=True):
        one[:, i : i + 8, j : j + 8] = digit
    return torch.tensor(field)


def _train(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with require.running("training your network"):
        for _ in range(STEPS):
            rows = torch.randint(len(x), (64,))
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()


def _weights(model: nn.Module) -> int:
    """How many numbers the network keeps; called after a first forward pass, for lazy layers."""
    kept = [*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())]
    return sum(p.numel() for p in kept)


def _scores(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The scores (n, 10) of x (n, 1, 16, 16); refuses a network that looks its answers up."""
    scores, looked_up = require.scores(model, x)
    if looked_up + _weights(model) > LIMIT and looked_up:
        raise Wrong(
            f"it has {_weights(model)} parameters and uses {looked_up} numbers besides, {LIMIT} are allowed in all; "
            "let it learn what it needs to know."
        )
    return require.tensor(scores, "the scores", shape=(len(x), 10))


def _confusion(said: np.ndarray, y: np.ndarray, score: float) -> dict:
    table = np.zeros((10, 10))
    np.add.at(table, (y, said), 1)
    ticks = {k: str(k) for k in range(10)}
    grid = panel(
        imshow(table),
        title=f"{score:.1f} % right",
        xlabel="read as",
        ylabel="is",
        xticks=ticks,
        yticks=ticks,
    )
    return scene(grid)


def _check_small(answer: Any) -> str:
    model = require.call(answer)
    if not isinstance(model, nn.Module):
        raise Wrong(
            f"expected a torch module, came {type(model).__name__}; return nn.Sequential(…), for instance."
        )
    some = torch.rand(5, 1, 16, 16)
    require.call(model, some)  # lazy layers get their weights
    if (count := _weights(model)) > LIMIT:
        raise Wrong(
            f"it has {count} parameters, {LIMIT} are allowed; share more, or use fewer maps."
        )
    if not any(p.requires_grad for p in model.parameters()):
        raise Wrong(
            "it has no parameter that can learn; a network that knows the answer already is not one."
        )
    _scores(model, some)
    rng = require.rng()
    split, names = data.digits(8, seed=int(rng.integers(1_000_000))), rng.permutation(10)
    x, y = (
        _dropped(split.x_train, rng),
        torch.tensor(names[split.y_train]),
    )  # every check renames the classes
    _train(model.train(), x, y)
    scores = _scores(model.eval(), _dropped(split.x_test, rng))
    back = np.argsort(names)
    said = back[scores.argmax(1).numpy()]
    score = 100 * float((said == split.y_test).mean())
    if score < WANTED:
        raise Wrong(
            f"{count} parameters, {score:.1f} % right on new digits, {WANTED:.0f} % are wanted; "
            "a digit may be anywhere: share kernels over all places and ask at the end only whether they fired.",
            _confusion(said, split.y_test, score),
        )
    return f"{count} parameters, {score:.1f} % of the new digits right."


small_network = Exercise(
    "convolution-thousand",
    "write a network with at most 1 000 parameters that reads 75 % of 8 × 8 digits dropped into 16 × 16",
    check=_check_small,
    hints=(
        "A dense layer from 256 pixels to 10 scores costs 2 570. A 3 × 3 kernel with its bias costs 10.",
        "Where the digit lies does not matter: after the convolutions, take the largest value of each whole map.",
        "Conv 1→5, ReLU, 2 × 2 pooling, Conv 5→15, ReLU, nn.AdaptiveMaxPool2d(1), Flatten, Linear 15→10.",
    ),
    repeats=1,
    time_limit=60.0,
)
