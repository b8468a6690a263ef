"""The checks of the exercises on AlexNet and its heirs; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, imshow, panel, plot, scatter, scene


# --- 1. the field of view -----------------------------------------------------------------------
def _touched(layers: list[tuple[int, int]]) -> int:
    """Which pixels reach unit 0 of the last layer, by walking down window by window."""
    units = {0}
    for k, s in reversed(layers):
        units = {s * u + v for u in units for v in range(k)}
    return max(units) - min(units) + 1


def _some_layers(rng: np.random.Generator) -> list[tuple[int, int]]:
    """Two to five layers; no stride is longer than its window, so that no pixel is skipped."""
    windows = [int(k) for k in rng.integers(1, 8, int(rng.integers(2, 6)))]
    return [(k, int(rng.integers(1, min(k, 3) + 1))) for k in windows]


COUNT = "Count in whole numbers with //."


def _field_advice(came: int, layers: list[tuple[int, int]]) -> str:
    if came == _touched(layers[::-1]):
        return "That is right for the layers in reverse order: the list starts at the picture."
    if came == 1 + sum(k - 1 for k, _ in layers):
        return "A step of a later layer is as long as all strides below it together."
    return "Each window adds k − 1 steps, as long as the product of the strides below it."


def _field_picture(came: int, layers: list[tuple[int, int]]) -> dict:
    n = np.arange(len(layers) + 1)
    return scene(
        panel(
            plot(n, [_touched(layers[:i]) for i in n], color="c1", label="expected"),
            scatter(n[-1:], [came], color="c2", marker="x", size=6, label="yours"),
            xlabel="layers",
            ylabel="pixels seen",
        )
    )


def _check_field(answer: Any) -> str:
    known = [(3, 1)], [(3, 2), (4, 3)], [(11, 4), (3, 2), (5, 1)]
    for layers in (*known, *(_some_layers(require.rng()) for _ in range(15))):
        came = require.integer(require.call(answer, list(layers)), "the field of view", COUNT)
        if came != _touched(layers):
            raise Wrong(
                f"for (k, s) = {layers} expected {_touched(layers)} pixels, came {came}. "
                + _field_advice(came, layers),
                _field_picture(came, layers),
            )
    return "it agrees with a walk down through the windows of 18 networks."


field = Exercise(
    "lineage-field",
    "Return how many pixels one unit of the last layer sees",
    check=_check_field,
    hints=(
        "Keep two numbers on the way up: what one unit sees, and how far apart two neighbours stand, in pixels.",
        "A window of k units reaches k − 1 neighbour distances further than one unit.",
        "sees += (k - 1) * jump first, then jump *= s.",
    ),
)


# --- 2. when the shrink pays --------------------------------------------------------------------
def _cost(c: int, m: int, k: int, r: int) -> int:
    return c * r + r * m * k * k  # MACs per place: 1 × 1 to r channels, then k × k to m


def _best_shrink(c: int, m: int, k: int) -> int:
    r = 0
    while _cost(c, m, k, r + 1) < c * m * k * k:
        r += 1
    return r


def _shrink_picture(c: int, m: int, k: int, came: int) -> dict:
    r = np.arange(0, max(2, int(1.3 * _best_shrink(c, m, k)), min(came, 4 * c)) + 1)
    return scene(
        panel(
            plot(r, [_cost(c, m, k, int(v)) for v in r], label="with the shrink"),
            plot(r[[0, -1]], [c * m * k * k] * 2, color="c2", dash=True, label="without"),
            plot([came, came], [0, c * m * k * k], color="fg", width=1, label="your answer"),
            xlabel="channels after the shrink",
            ylabel="MACs per place",
        )
    )


def _check_shrink(answer: Any) -> str:
    rng = require.rng()
    draws = [
        (int(rng.integers(1, 200)), int(rng.integers(1, 200)), int(rng.choice([1, 3, 5, 7])))
        for _ in range(20)
    ]
    for c, m, k in [(1, 1, 1), (2, 2, 1), (2, 2, 3), (64, 64, 3), *draws]:
        came = require.integer(require.call(answer, c, m, k), "the number of channels", COUNT)
        wanted = _best_shrink(c, m, k)
        if came != wanted:
            raise Wrong(
                f"for c = {c}, m = {m}, k = {k} expected {wanted}, came {came}. Compare c·r + r·m·k² with c·m·k², "
                "strictly smaller, and return a whole number.",
                _shrink_picture(c, m, k, came),
            )
    return "it agrees with counting upwards on 24 layers; the side of the maps does not matter."


shrink = Exercise(
    "lineage-shrink",
    "Return the largest number of channels for which the 1 × 1 shrink saves MACs",
    check=_check_shrink,
    hints=(
        "Both ways run at every place, so n² cancels.",
        "The first way costs c·m·k² at each place, the second c·r + r·m·k².",
        "r must stay strictly below c·m·k² / (c + m·k²): subtract 1 before the whole division.",
    ),
)


# --- 3. a residual block ------------------------------------------------------------------------
def _conv(x: np.ndarray, w: np.ndarray, stride: int = 1) -> np.ndarray:
    """A 3 × 3 convolution with padding 1, window by window."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,mcij->nmhw", windows, w)


def _block_reference(
    x: np.ndarray, w1: np.ndarray, w2: np.ndarray, w0: np.ndarray, without: str = ""
) -> np.ndarray:
    """The block in NumPy; `without` leaves one part out, to recognise what an answer forgot."""
    f = _conv(x, w1, stride=2)
    f = _conv(f if without == "inner" else np.maximum(f, 0), w2)
    side = np.einsum("nchw,mc->nmhw", x[:, :, ::2, ::2], w0[:, :, 0, 0])
    z = f if without == "shortcut" else f + side
    return z if without == "outer" else np.maximum(z, 0)


def _block_inputs(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    c, m = int(rng.integers(1, 5)), int(rng.integers(2, 6))
    sides = tuple(int(v) for v in rng.integers(5, 10, 2))  # even and odd
    shapes = ((3, c, *sides), (m, c, 3, 3), (m, m, 3, 3), (m, c, 1, 1))
    return tuple(rng.normal(size=shape) for shape in shapes)


FORGOTTEN = {
    "inner": "The ReLU between the two convolutions is missing.",
    "shortcut": "The shortcut is missing: add the 1 × 1 convolution of x before the last ReLU.",
    "outer": "The last ReLU is missing; it comes after the sum.",
}


def _block_advice(came: np.ndarray, args: tuple[np.ndarray, ...]) -> str:
    for part, advice in FORGOTTEN.items():
        if np.allclose(came, _block_reference(*args, without=part), rtol=1e-4, atol=1e-4):
            return advice
    return (
        "One ReLU between the two convolutions, none on the shortcut, one after the sum; "
        "the shortcut has stride 2 as well."
    )


def _block_picture(came: np.ndarray, wanted: np.ndarray) -> dict:
    lim = (float(min(came.min(), wanted.min())), float(max(came.max(), wanted.max())) + 1e-9)
    return scene(
        panel(imshow(wanted, lim=lim), title="expected", aspect="equal"),
        panel(imshow(came, lim=lim), title="yours", aspect="equal"),
        text="The first map of the first picture.",
    )


def _check_block(answer: Any) -> str:
    for _ in range(6):
        args = _block_inputs(require.rng())
        came = require.call(answer, *(torch.tensor(a) for a in args))
        wanted = _block_reference(*args)
        came = require.array(came, "the block's output", shape=wanted.shape)
        require.close(
            came,
            wanted,
            atol=1e-4,  # a learner may work in float32
            rtol=1e-4,
            what="the block's output",
            do=_block_advice(came, args),
            figure=_block_picture(came[0, 0], wanted[0, 0]),
        )
    return "six random blocks agree with the same block in NumPy."


block = Exercise(
    "lineage-block",
    "Return relu(shortcut(x) + f(x)) for a block that halves the side",
    check=_check_block,
    hints=(
        "f is two convolutions with one ReLU between them; F.conv2d takes stride and padding.",
        "The shortcut must have the shape of f(x): a 1 × 1 convolution with stride 2 and no padding.",
        "F.relu(F.conv2d(x, w0, stride=2) + F.conv2d(F.relu(F.conv2d(x, w1, stride=2, padding=1)), w2, padding=1)).",
    ),
)


# --- 4. a network within limits -----------------------------------------------------------------
def _layer(entry: Any, number: int) -> tuple[int, int, int, int]:
    what = f"layer {number}"
    values = require.array(entry, f"{what}: (m, k, stride, padding)", shape=(4,))
    m, k, s, p = (require.integer(v, what, COUNT) for v in values)
    if min(m, k, s) < 1 or p < 0 or p >= k:
        raise Wrong(f"{what}: expected m, k, stride ≥ 1 and 0 ≤ padding < k, came {(m, k, s, p)}.")
    return m, k, s, p


def _measure(layers: list[tuple[int, int, int, int]]) -> tuple[int, list[int], int, int]:
    """Channels at the end, the sides from the picture on, parameters, MACs."""
    c, sides, parameters, macs = 1, [32], 0, 0
    for number, (m, k, s, p) in enumerate(layers, 1):
        side = (sides[-1] + 2 * p - k) // s + 1
        if side < 1:
            raise Wrong(
                f"layer {number}: its window of {k} does not fit into the maps below; shrink it or the strides."
            )
        parameters, macs, c = parameters + m * (c * k * k + 1), macs + side**2 * m * c * k * k, m
        sides.append(side)
    return c, sides, parameters, macs


def _seen(layers: list[tuple[int, int, int, int]], sides: list[int]) -> int:
    """How many pixels of one row reach the last unit; nothing passes through padding."""
    units = {0}
    for (_, k, s, p), side in zip(layers[::-1], sides[-2::-1], strict=True):
        reach = [(max(0, s * u - p), min(side, s * u - p + k)) for u in units]
        units = {v for first, end in reach for v in range(first, end)}
    return len(units)


LIMITS = {"parameters": 10_000, "MACs": 500_000}


def _design_picture(parameters: int, macs: int) -> dict:
    share = [
        min(2.0, n / limit) for n, limit in zip((parameters, macs), LIMITS.values(), strict=True)
    ]
    return scene(
        panel(
            bar([0, 1], share, color="c1", label="yours"),
            plot([-0.5, 1.5], [1, 1], color="c2", dash=True, label="the limit"),
            xticks=dict(enumerate(LIMITS)),
            ylabel="share of the limit",
            ylim=(0, 2),
        )
    )


def _check_design(answer: Any) -> str:
    answer = answer.tolist() if type(answer) is np.ndarray else answer
    if type(answer) not in (list, tuple) or not 1 <= len(answer) <= 50:
        raise Wrong("expected a list of 1 to 50 layers, each (m, k, stride, padding).")
    layers = [_layer(entry, i) for i, entry in enumerate(answer, 1)]
    c, sides, parameters, macs = _measure(layers)
    told = f"It ends with {c} maps of {sides[-1]} × {sides[-1]}, has {parameters} parameters and {macs} MACs"
    for broken, do in (
        ((c, sides[-1]) != (10, 1), "it must end with 10 maps of 1 × 1: mend the last layers"),
        (
            parameters > LIMITS["parameters"],
            "at most 10 000 parameters: use fewer channels or smaller windows",
        ),
        (
            macs > LIMITS["MACs"],
            "at most 500 000 MACs: use a stride early, where the maps are large",
        ),
    ):
        if broken:
            raise Wrong(f"{told}; {do}.", _design_picture(parameters, macs))
    told += f", and a unit sees {_seen(layers, sides)} of 32 columns"
    if _seen(layers, sides) < 32:
        raise Wrong(
            f"{told}; it must see the whole picture: let no stride skip pixels or leave a rim, and let the windows grow."
        )
    return f"{told}."


design = Exercise(
    "lineage-design",
    "Give a list of (m, k, stride, padding) within the limits",
    check=_check_design,
    hints=(
        "Strides of 2 make everything after them four times cheaper, and the field of view grows twice as fast.",
        "Three layers with k = 3, stride 2 and padding 1 take 32 to 4. What window finishes?",
        "End with (10, 4, 1, 0). Eight to sixteen channels in between are within the limits.",
    ),
    answer="value",
)
