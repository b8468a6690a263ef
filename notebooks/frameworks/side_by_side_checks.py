"""The checks of the side-by-side chapter's exercises; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
from side_by_side_figures import ranking

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import imshow, panel, plot, scene

FRAMEWORKS = ("TensorFlow", "Caffe", "Torch", "MXNet", "CNTK", "Theano")
SCORES = (
    (80, 80, 90, 90, 100), (60, 60, 90, 80, 70), (90, 70, 60, 70, 90),
    (70, 100, 80, 80, 90), (50, 50, 70, 100, 60), (80, 70, 40, 50, 50),
)  # fmt: skip


# --- 1. make CNTK win ---------------------------------------------------------------------------
def _check_flip(answer: Any) -> str:
    w = require.array(answer, "five weights", shape=(5,))
    if (w < 0.05 - 1e-9).any():
        raise Wrong(f"every weight must be at least 0.05; the smallest is {w.min():.3g}.")
    if abs(w.sum() - 1) > 1e-6:
        raise Wrong(f"the weights must add up to 1; yours add up to {w.sum():.4g}.")
    scores = np.array([sum(a * b for a, b in zip(row, w, strict=True)) for row in SCORES])
    best = int(scores.argmax())
    if best != 4 or np.sort(scores)[-2] > scores[4] - 1e-9:
        picture = scene(ranking(FRAMEWORKS, scores, "weighted score", 105))
        lead = f"{FRAMEWORKS[best]} leads with {scores[best]:.1f}, CNTK has {scores[4]:.1f}"
        if scores[best] - scores[4] < 1e-9:
            lead = f"CNTK only shares the lead with {scores[4]:.1f}; a tie is not enough"
        raise Wrong(f"{lead}. In which column is CNTK ahead of everybody?", picture)
    return f"CNTK leads with {scores[4]:.1f}; with equal weights it had 66."


flip = Exercise(
    "frameworks-flip",
    "Give five weights under which CNTK leads Table 2",
    check=_check_flip,
    hints=(
        "CNTK has one score that nobody else reaches.",
        "It lies 10 points ahead of TensorFlow there, and behind everywhere else. How much weight must that column get?",
        "Four columns need 0.05 each; that leaves 0.8 for performance.",
    ),
    answer="value",
)


# --- 2. channels last ---------------------------------------------------------------------------
def _check_columns(answer: Any) -> str:
    for _ in range(8):
        rng = require.rng()
        c, h, w, out = (int(n) for n in rng.permutation([2, 3, 4, 5]))
        weight, x = rng.normal(size=(out, c * h * w)), rng.normal(size=(2, c, h, w))
        came = require.array(
            require.call(answer, weight, c, h, w), "the weight", shape=(out, h * w * c)
        )
        last = np.array([[x[n, k, i, j] for i in range(h) for j in range(w) for k in range(c)] for n in range(2)])  # fmt: skip
        require.close(
            last @ came.T,
            x.reshape(2, -1) @ weight.T,
            what="the layer's output for the same image, channels last",
            do="Give the columns their three axes back, move the channels behind height and width, and flatten again.",
        )
    return "the same output for eight random layers, whatever their sizes."


columns = Exercise(
    "frameworks-columns",
    "Permute a dense layer's columns for channels-last inputs",
    check=_check_columns,
    hints=(
        "Which three indices hide in one column number, and in which order?",
        "Reshape the columns to (out, C, H, W) first. Reshaping alone moves nothing.",
        "Then transpose(0, 2, 3, 1) and flatten the last three axes.",
    ),
)


# --- 3. ties ------------------------------------------------------------------------------------
def _pool_backward(x: np.ndarray, d: np.ndarray, ties: str) -> np.ndarray:
    out = np.zeros(x.shape)
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            places = [(2 * i + a, 2 * j + b) for a in (0, 1) for b in (0, 1)]
            top = max(x[p] for p in places)
            winners = [p for p in places if x[p] == top]
            for p in winners[:1] if ties == "first" else winners:
                out[p] = d[i, j]
    return out


def _check_ties(answer: Any) -> str:
    for ties in ("first", "all") * 4:
        rng = require.rng()
        h, w = (int(n) for n in rng.integers(1, 5, 2))
        x, d = rng.integers(-3, 0, (2 * h, 2 * w)).astype(float), rng.normal(size=(h, w))
        x += 2 * rng.integers(0, 2)  # below zero only, or around it
        x[0, 0], x[0, 1], x[1, 0] = -9, 5, 5  # the order of reading decides
        came = require.array(require.call(answer, x, d, ties), "the gradient", shape=(2 * h, 2 * w))
        wanted = _pool_backward(x, d, ties)
        wrong = panel(imshow(np.abs(came - wanted)), title="where it differs", size=(200, 200))
        require.close(
            came, wanted, what=f'the gradient with ties="{ties}"', figure=scene(wrong),
            do="Compare each 2 × 2 block with its own maximum; a winner gets the block's whole d.",
        )  # fmt: skip
    return "both rules agree with a loop over the blocks, on eight images full of ties."


ties = Exercise(
    "frameworks-ties",
    "Write the backward pass of maximum pooling with two rules for ties",
    check=_check_ties,
    hints=(
        "Work block by block: which of the four places hold the block's maximum?",
        'With "all", each of them gets d whole, not a share. With "first", only one does, in the order of reading.',
        "Two loops over i and j are enough; np.argmax of the flat block gives the first.",
    ),
)


# --- 4. when does compiling pay? ----------------------------------------------------------------
def _pays(fixed_a: float, ms_a: float, fixed_b: float, ms_b: float) -> int:
    def below(n: int) -> bool:
        return 1000 * fixed_b + n * ms_b < 1000 * fixed_a + n * ms_a

    if not below(10**9) or (ms_a == ms_b and not below(0)):
        return -1
    low, high = -1, 10**9  # below(high) holds, and b is at least as quick per step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if below(middle) else (middle, high)
    return high


def _cases(rng: np.random.Generator) -> list[tuple]:
    whole = [(int(a), int(m), int(b), int(k)) for a, m, b, k in rng.integers(1, 30, (12, 4))]
    return [*whole, (2.5, 7.5, 4.25, 3.25), (2, 8, 2, 4), (5, 8, 2, 8), (2, 8, 5, 8), (1, 10, 6, 5), (6, 5, 1, 10), (2, 7, 2, 7)]  # fmt: skip


def _check_pays(answer: Any) -> str:
    for case in _cases(require.rng()):
        wanted = _pays(*case)
        came = require.integer(require.call(answer, *case), "the number of steps")
        about = "a costs {} s and {} ms a step, b costs {} s and {} ms a step".format(*case)
        if came != wanted:
            do = "Strictly less, smallest whole number; mind seconds and milliseconds."
            if wanted < 0:
                do = "b never stays below a: look at the costs per step."
            raise Wrong(f"{about}: expected {wanted}, came {came}. {do}", _pays_picture(*case))
    return "nineteen pairs of costs, ties included."


def _pays_picture(fixed_a: float, ms_a: float, fixed_b: float, ms_b: float) -> dict:
    n = np.linspace(0, 2 * max(_pays(fixed_a, ms_a, fixed_b, ms_b), 500), 50)
    a = plot(n, fixed_a + n * ms_a / 1000, color="c1", label="a")
    b = plot(n, fixed_b + n * ms_b / 1000, color="c2", dash="5 3", label="b")
    return scene(panel(a, b, xlabel="steps n", ylabel="time in all (s)"))


pays = Exercise(
    "frameworks-pays",
    "Say after how many steps a compiler pays",
    check=_check_pays,
    hints=(
        "Write both totals as straight lines in n. Where do they cross?",
        "n must be larger than 1000 · (fixed_b − fixed_a) / (ms_a − ms_b). Which whole number is that?",
        "If b is dearer per step it never stays below: −1. If it starts below and is no dearer per step: 0.",
    ),
)
