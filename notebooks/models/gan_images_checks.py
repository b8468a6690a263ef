"""The checks of the exercises on GANs and pictures; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
from gan_images_figures import prints

from dlcourse.exercises import Exercise, Wrong, require


# --- 1. twice as large ------------------------------------------------------------------------------
def _check_double(answer: Any) -> str:
    pair = require.array(answer, "padding and output_padding", shape=(2,))
    padding, extra = (
        require.integer(v, name)
        for v, name in zip(pair, ("padding", "output_padding"), strict=True)
    )
    if padding < 0 or not 0 <= extra < 2:
        raise Wrong(
            f"expected padding 0 or more and output_padding 0 or 1 (less than the stride), came {padding} and {extra}; "
            "PyTorch refuses the rest."
        )
    side = (7 - 1) * 2 + 5 - 2 * padding + extra
    if side != 14:
        raise Wrong(
            f"a picture of side 7 becomes {side} with padding {padding} and output_padding {extra}; expected 14. "
            "Write the side as (n − 1)·2 + 5 − 2·padding + output_padding and set it to 2n."
        )
    return "7 becomes 14, and any n becomes 2n."


double = Exercise(
    "gan-images-double",
    "Give (padding, output_padding) with which a 5x5 kernel of stride 2 exactly doubles every picture",
    check=_check_double,
    hints=(
        "Without padding the last stamp begins at (n − 1)·2 and is 5 wide. How large is the whole?",
        "(n − 1)·2 + 5 = 2n + 3. How much must be cut off?",
        "Padding cuts an even number, 2·padding; output_padding gives 0 or 1 back.",
    ),
    answer="value",
)


# --- 2. count the prints ------------------------------------------------------------------------------
def _prints(n: int, k: int, stride: int) -> np.ndarray:
    counts = np.zeros((n - 1) * stride + k, int)
    for i in range(n):
        counts[i * stride : i * stride + k] += 1
    return counts


def _check_overlap(answer: Any) -> str:
    rng = require.rng()
    cases = [(6, 3, 2), (5, 4, 2), (4, 2, 3), (5, 7, 3), (1, 3, 2), (4, 3, 1), (3, 1, 2), (3, 4, 4)]
    cases += [tuple(int(v) for v in rng.integers((3, 2, 2), (9, 8, 5))) for _ in range(6)]
    for n, k, stride in cases:
        expected = _prints(n, k, stride)
        came = require.array(require.call(answer, n, k, stride), "the counts", shape=(None,))
        picture = prints(came, expected) if len(came) else None
        if came.shape != expected.shape:
            raise Wrong(
                f"{n} inputs, kernel {k}, stride {stride}: expected {len(expected)} places, came {len(came)}. "
                "The last print begins at (n − 1)·stride.",
                picture,
            )
        require.close(
            came,
            expected,
            what=f"the prints of {n} inputs, kernel {k}, stride {stride}",
            do="Input i prints on the places i·stride to i·stride + k − 1; add one to each.",
            figure=picture,
        )
    return "it agrees for fourteen sizes; inside, the counts are even whenever the stride divides the kernel."


overlap = Exercise(
    "gan-images-overlap",
    "Return how many prints fall on each place of a one-dimensional transposed convolution",
    check=_check_overlap,
    hints=(
        "Begin with zeros for all places. How many are there?",
        "There are (n − 1)·stride + k places. Input i prints on k of them.",
        "counts[i * stride : i * stride + k] += 1 for every i.",
    ),
)


# --- 3. an inspector who is told the class ------------------------------------------------------------
def _class_inputs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of three classes, far from even; real and drawn notes (3, 4) given the class, all positive."""
    share = rng.permutation([0.1, 0.25, 0.65])
    q, p = rng.dirichlet(np.ones(4), 3), rng.dirichlet(np.ones(4), 3)
    return share, 0.02 + 0.92 * q, 0.02 + 0.92 * p


def _check_told(answer: Any) -> str:
    for _ in range(8):
        rng = require.rng()
        real, q, p = _class_inputs(rng)
        orders = rng.permutation([0.2, 0.3, 0.5])
        want = np.array(
            [
                [r * a / (r * a + o * b) for a, b in zip(x, y, strict=True)]
                for r, o, x, y in zip(real, orders, q, p, strict=True)
            ]
        )
        came = require.array(
            require.call(answer, real, orders, q, p), "your answers D", shape=(3, 4)
        )
        require.close(
            came,
            want,
            what="D of four notes (columns) under three labels (rows)",
            do="A real pair (x, c) has probability real[c]·q[c, x], a drawn one orders[c]·p[c, x]. Compare the two.",
        )
    return "it agrees on eight random pairs of players; with orders in the real shares only q and p are left."


told = Exercise(
    "gan-images-told",
    "Return the best discriminator D(x, c) when the forger takes orders in other shares than the data's",
    check=_check_told,
    hints=(
        "The inspector sees a pair, a note and a label. How probable is this pair among the real ones?",
        "real[c]·q[c, x] among the real, orders[c]·p[c, x] among the drawn. The rest is D = q/(q + p) of the last chapter.",
        "Give the shares a second axis: real[:, None] * q has shape (3, 4).",
    ),
)


# --- 4. the perfect reader --------------------------------------------------------------------------------
def _reader_inputs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, int]:
    """Code -> note for six to eight codes, p of the codes, and how many notes; nobody draws the last one or two."""
    more = int(rng.integers(3))
    notes = 4 + int(rng.integers(2))
    name = rng.permutation(notes)
    G = name[rng.permutation([0, 0, 1, 2, 2, 2, *[1] * more])]
    p = rng.permutation([0.05, 0.1, 0.15, 0.2, 0.22, 0.28, *[0.3] * more])
    return G, p / p.sum(), notes


def _probabilities(came: np.ndarray) -> None:
    """Refuse a table (notes, codes) whose rows are no probabilities."""
    if not np.isfinite(came).all():
        raise Wrong(
            f"expected probabilities, came NaN or infinity for note {int(np.argmin(np.isfinite(came).all(1)))}; "
            "a note that nobody draws would be 0 / 0, so give it any probabilities."
        )
    if (came < -1e-9).any():
        raise Wrong(f"expected probabilities, came {came.min():.3g} among them; none is below 0.")
    if np.abs(came.sum(1) - 1).max() > 1e-6:
        raise Wrong(
            f"expected each row to hold probabilities that sum to 1, came the sums {came.sum(1).round(3).tolist()}; "
            "a note that nobody draws may get any probabilities."
        )


def _check_reader(answer: Any) -> str:
    for _ in range(8):
        rng = require.rng()
        G, p, notes = _reader_inputs(rng)
        shape = notes, len(p)
        came = require.array(
            require.call(answer, G, p, notes), "your E(z | x)", shape=shape, finite=False
        )
        _probabilities(came)
        drawn = np.bincount(G, weights=p, minlength=notes)  # (notes,)
        joint = np.zeros(shape)
        joint[G, np.arange(len(p))] = p
        require.close(
            drawn[:, None] * came,
            joint,
            what="the joint probabilities of (note, code) by the reader",
            do="They must equal those of the forger, p[z] where x = G[z] and 0 elsewhere. Divide by the note's total.",
        )
    return "the pairs of reader and forger have the same distribution: no inspector can do better than one half."


reader = Exercise(
    "gan-images-reader",
    "Return E(z | x) that makes the two kinds of pairs equal when several codes draw the same note",
    check=_check_reader,
    hints=(
        "The forger's pairs: code z with probability p[z], and with it the note G[z]. Write them as a table (notes, codes).",
        "The reader's pairs: the note with its probability, times E(z | x). For equal tables E must be the conditional probability.",
        "Divide each row of the table by its sum; where the sum is zero, give every code the same.",
    ),
)
