"""The checks of the super-resolution chapter's exercises; the notebook imports this file as `exercises`."""

from functools import cache
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import correlate

from dlcourse import data
from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import imshow, panel, scene

# --- 1. decibels --------------------------------------------------------------------------------


def _check_decibels(answer: Any) -> str:
    off, half = require.array(answer, "two numbers (a, b) in decibels", shape=(2,))
    for name, came, wanted, do in (
        (
            "(a)",
            off,
            20 * np.log10(255 / 5),
            "The error is 5/255 of the range; square it, then take −10 times the logarithm to base 10.",
        ),
        (
            "(b)",
            half,
            10 * np.log10(2),
            "The PSNR depends on the logarithm of the squared error; what is the logarithm of 2?",
        ),
    ):
        if not abs(came - wanted) <= 0.1:
            raise Wrong(
                f"expected a different number of decibels for {name}, came {came:.2f}. {do}"
            )
    return "and (b) holds for every picture: half the squared error is always three decibels."


decibels = Exercise(
    "sr-decibels",
    "Give two numbers: the PSNR of an error of 5 grey values, and the gain when the squared error halves",
    check=_check_decibels,
    hints=(
        "Scale the pixels to [0, 1] first: how large is the error then, and its square?",
        "PSNR = −10 log₁₀(mean squared error). If the error is the same everywhere, the mean is its square.",
        "(a) −10 log₁₀((5/255)²). (b) 10 log₁₀ 2.",
    ),
    answer="value",
)

# --- 2. one step of ISTA ------------------------------------------------------------------------


def _ista_reference(x: np.ndarray, z: np.ndarray, atoms: np.ndarray, lam: float) -> np.ndarray:
    """Coordinate by coordinate: a step of length 1/L downhill, then towards zero by lam/L."""
    lipschitz = float(np.linalg.eigvalsh(atoms.T @ atoms).max())
    down = z - np.einsum("pm,np->nm", atoms, np.einsum("pm,nm->np", atoms, z) - x) / lipschitz
    return np.where(
        down > lam / lipschitz,
        down - lam / lipschitz,
        np.where(down < -lam / lipschitz, down + lam / lipschitz, 0.0),
    )


def _check_ista(step: Any) -> str:
    for _ in range(12):
        rng = require.rng()
        n, p, m = (int(rng.integers(low, high)) for low, high in ((1, 6), (3, 9), (4, 14)))
        x, z, atoms = rng.normal(size=(n, p)), rng.normal(size=(n, m)), rng.normal(size=(p, m))
        lam = float(rng.uniform(0.1, 2))
        came = require.array(require.call(step, x, z, atoms, lam), "the next codes", shape=(n, m))
        require.close(
            came,
            _ista_reference(x, z, atoms, lam),
            what=f"the codes of {n} patches for {m} atoms",
            do="Go downhill by 1/L times the gradient, L the largest eigenvalue of DᵀD, then shrink by λ/L, not by λ, from both sides of zero.",
        )
    return "it agrees on 12 random problems."


ista_step = Exercise(
    "sr-ista-step",
    "Return the codes after one step of ISTA",
    check=_check_ista,
    hints=(
        "The gradient of ½‖x − Dz‖² with respect to z is Dᵀ(Dz − x). With patches as rows: (z Dᵀ − x) D.",
        "L is the square of the largest singular value of D: np.linalg.norm(atoms, 2) ** 2.",
        "u = z − gradient / L; then sign(u) times the larger of |u| − λ/L and 0.",
    ),
)

# --- 3. a fair gain -----------------------------------------------------------------------------


def _gain_inputs(rng: np.random.Generator, border: int) -> tuple:
    h, w = rng.integers(12, 24, 2)
    y = rng.uniform(size=(h, w)).round()  # many pixels at 0 and 1, so that clipping matters
    guesses = [y + rng.normal(scale=s, size=y.shape) for s in rng.uniform(0.05, 0.3, 2)]
    guesses[0][:2], guesses[1][:, -2:] = 3.0, -2.0  # wild at the rim
    return *guesses, y, border


def _gain_reference(a: np.ndarray, b: np.ndarray, y: np.ndarray, border: int) -> float:
    errors = []
    for guess in (a, b):
        squares = [
            (min(max(guess[i, j], 0.0), 1.0) - y[i, j]) ** 2
            for i in range(border, y.shape[0] - border)
            for j in range(border, y.shape[1] - border)
        ]
        errors.append(sum(squares) / len(squares))
    return float(10 * np.log10(errors[1] / errors[0]))


def _check_gain(gain: Any) -> str:
    for border in (0, 2, 3, 1, 0, 4):
        args = _gain_inputs(require.rng(), border)
        came = require.number(require.call(gain, *args), f"the gain with a border of {border}")
        require.close(
            came,
            _gain_reference(*args),
            what=f"the gain with a border of {border}",
            do="Clip both guesses to [0, 1], cut the border from all three pictures (with border 0 the slice 0:-0 is empty), "
            "and subtract bicubic's decibels from the network's.",
        )
    return "it agrees on random pictures, with and without a border."


fair_gain = Exercise(
    "sr-fair-gain",
    "Return the decibels by which the first guess is better than the second",
    check=_check_gain,
    hints=(
        "PSNR(network) − PSNR(bicubic). Which constants cancel?",
        "10 · log₁₀(error of bicubic / error of network), errors after clipping, inside the border.",
        "Slice with border : h − border, so that border 0 keeps the whole picture.",
    ),
)

# --- 4. beat bicubic by hand --------------------------------------------------------------------
NEEDED = 0.4  # dB


@cache
def pieces() -> list[tuple[np.ndarray, np.ndarray]]:
    """Bicubic picture (Pillow's, ×2) and original, 120 × 120 from the middle of each unseen photograph."""
    made = []
    for photo in data.photos()[1].values():
        p = photo.pixels / 255
        y = (p if p.ndim == 2 else p @ [0.299, 0.587, 0.114]).astype(np.float32)
        i, j = ((side - 120) // 12 * 6 for side in y.shape)
        y = y[i : i + 120, j : j + 120]
        small = Image.fromarray(y).resize((60, 60), Image.Resampling.BICUBIC)
        made.append((np.array(small.resize((120, 120), Image.Resampling.BICUBIC)), y))
    return made


def _gain_of(kernel: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    inside = np.s_[8:-8, 8:-8]
    guess = correlate(x.astype(float), kernel, mode="nearest")
    before, after = (((g.clip(0, 1) - y)[inside] ** 2).mean() for g in (x, guess))
    return float(10 * np.log10(before / after))


def _check_kernel(answer: Any) -> str:
    kernel = require.array(answer, "an array (k, k) of plain numbers")
    if (
        kernel.ndim != 2
        or kernel.shape[0] != kernel.shape[1]
        or kernel.shape[0] % 2 == 0
        or kernel.shape[0] > 13
    ):
        raise Wrong(
            f"expected a square of odd side at most 13, came the shape {kernel.shape}. Change its size."
        )
    gains = [_gain_of(kernel, x, y) for x, y in pieces()]
    mean = float(np.mean(gains))
    if not mean >= NEEDED:
        x, y = pieces()[0]
        shown = correlate(x.astype(float), kernel, mode="nearest")[30:90, 30:90]
        pictures = {"bicubic": x[30:90, 30:90], "yours": shown, "original": y[30:90, 30:90]}
        panels = [
            panel(imshow(z, lim=(0, 1), cmap="gray"), title=t, axes=False, size=(170, 170))
            for t, z in pictures.items()
        ]
        bright = (
            f" Its weights add up to {kernel.sum():.3g}; at 1 the brightness stays."
            if abs(kernel.sum() - 1) > 0.02
            else ""
        )
        raise Wrong(
            f"expected at least {NEEDED} dB over bicubic on average, came {mean:+.2f} dB.{bright} Sharpen a little more, or a little less.",
            scene(*panels),
        )
    return f"it gains {mean:.2f} dB on average over eight photographs; the smallest gain is {min(gains):+.2f} dB."


kernel = Exercise(
    "sr-kernel",
    "Give a kernel that makes bicubic pictures better by 0.4 dB",
    check=_check_kernel,
    hints=(
        "A kernel that leaves the picture alone has a 1 in its middle. What would you add to it?",
        "Picture minus blurred picture is what blur takes away. Add some of it back.",
        "one + a · (one − gaussian_filter(one, 1.0)), where `one` is the kernel that changes nothing and a is about 0.9.",
    ),
    answer="value",
    time_limit=None,  # no code of the learner's runs, and reading eight photographs may take its time
)
