"""The checks of the sparse coding chapter's exercises; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
from scipy.optimize import linprog

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, scene


def _dictionary(rng: np.random.Generator, atoms: int, pixels: int) -> np.ndarray:
    """Random rows of length 1."""
    D = rng.normal(size=(atoms, pixels))
    return D / np.linalg.norm(D, axis=1, keepdims=True)


# --- 1. the price of silence --------------------------------------------------------------------
def _weighing(x: np.ndarray, D: np.ndarray, came: float) -> dict:
    pulls = [sum(a * b for a, b in zip(atom, x, strict=True)) for atom in D]
    bars = bar(np.arange(len(D)), pulls)
    return scene(
        panel(bars, title=f"atom · patch; your λ = {came:.3g}", xlabel="atom", ylabel="pull")
    )


def _check_silence(silence: Any) -> str:
    rng = require.rng()
    shapes = ((5, 3), (5, 3), (8, 4), (8, 4), (4, 4), (4, 4), (3, 6), (3, 6))  # atoms, pixels
    for trial, shape in enumerate(shapes):
        D = _dictionary(rng, *shape)
        strongest = D[trial % len(D)]
        x = strongest * rng.uniform(2, 5) * (-1) ** trial + 0.1 * rng.normal(size=shape[1])
        came = require.number(require.call(silence, x, D), "the price")
        pulls = np.array([np.dot(atom, x) for atom in D])
        require.close(
            came,
            max(pulls.max(), -pulls.min()),
            what=f"the price for {len(D)} atoms",
            do="At z = 0 the slope is −D x. Which entry is the last to be held back, whatever its sign?",
            figure=_weighing(x, D, came),
        )
    return "it agrees for eight random dictionaries, whether the strongest pull is positive or negative."


silence = Exercise(
    "sparse-coding-silence",
    "Return the smallest price for which the best code is all zeros",
    check=_check_silence,
    hints=(
        "Put z = 0 into the conditions. Which of the two cases applies to every weight?",
        "|g_h| ≤ λ must hold for all h, and at z = 0 the slope is g = −D x.",
        "np.abs(D @ x).max()",
    ),
)


# --- 2. a certificate in money ------------------------------------------------------------------
def _gap_reference(x: np.ndarray, z: np.ndarray, D: np.ndarray, lam: float) -> float:
    """Through the dual point itself: y = s r is feasible, its value is x·y - |y|²/2."""
    r = x - np.einsum("h,hp->p", z, D)
    strongest = max(abs(float(np.dot(d, r))) for d in D)
    y = r if strongest <= lam else r * (lam / strongest)
    paid = 0.5 * float(np.dot(r, r)) + lam * float(np.sum(np.abs(z)))
    return paid - (float(np.dot(x, y)) - 0.5 * float(np.dot(y, y)))


def _gap_cases(rng: np.random.Generator) -> list[tuple]:
    """Prices that bind and prices that do not, nothing said, and nothing left; the strongest pull of either sign."""
    cases = []
    for sign, lam, (H, P) in ((1, 0.2, (9, 6)), (-1, 0.2, (6, 6)), (-1, 0.5, (4, 7)), (1, 50, (9, 6)), (-1, 0.3, (9, 6))):  # fmt: skip
        D, x = _dictionary(rng, H, P), 3 * rng.normal(size=P)
        z = rng.normal(size=H) * (rng.random(H) < 0.5) + np.eye(H)[0]
        z = np.zeros(H) if lam == 0.3 else z
        pulls = D @ (x - z @ D)
        flip = sign * np.sign(pulls[np.abs(pulls).argmax()])
        cases.append((flip * x, flip * z, D, lam * rng.uniform(0.8, 1.2)))
    D, z = _dictionary(rng, 9, 6), rng.normal(size=9)
    return [*cases, (z @ D, z, D, 0.4)]


def _check_gap(gap: Any) -> str:
    for x, z, D, lam in _gap_cases(require.rng()):
        came = require.number(require.call(gap, x, z, D, lam), "the gap")
        require.close(
            came,
            _gap_reference(x, z, D, lam),
            what=f"the gap at λ = {lam:.3g}",
            do="Gap = ½|r|² + λ·Σ|z| minus the bound; s is at most 1, and the bound uses x and s r.",
        )
    return "it agrees where the price binds, where it does not, and where nothing is left over."


gap = Exercise(
    "sparse-coding-gap",
    "Return how much the cost of a code may be above the lowest",
    check=_check_gap,
    hints=(
        "Three lines: r, then s, then cost minus bound.",
        "With r = 0 the quotient has a zero below; λ / max(the maximum, λ) is the same as the minimum with 1, and safe.",
        "bound = (x @ x − (x − s r) @ (x − s r)) / 2; cost = r @ r / 2 + λ Σ|z|.",
    ),
)


# --- 3. pool and put back -----------------------------------------------------------------------
def _largest_reference(z: np.ndarray, size: int) -> np.ndarray:
    kept = np.zeros_like(z)
    for n in range(len(z)):
        for left in range(0, z.shape[1], size):
            block = [abs(v) for v in z[n, left : left + size]]
            at = left + block.index(max(block))
            kept[n, at] = z[n, at]
    return kept


def _signals(rng: np.random.Generator, size: int) -> np.ndarray:
    """Signals of five blocks; the largest entry of one block is negative, and blocks hold equals of either sign."""
    z = rng.uniform(-1, 1, (int(rng.integers(6, 9)), 5 * size))
    z[0, 1] = -3.0
    z[1, :size] = 0.5
    z[3, :2], z[4, :2] = (-2.0, 2.0), (2.0, -2.0)
    z[5, :size] = 0.0
    z[2, size : 2 * size] = -rng.uniform(1, 2, size)
    return z


def _check_keep(keep_largest: Any) -> str:
    rng = require.rng()
    for size in (2, 3, 4, 1):
        z = _signals(rng, max(size, 2))[:, : 5 * max(size, 2) // size * size]
        came = require.array(
            require.call(keep_largest, z, size), "the pooled signals", shape=z.shape
        )
        wanted = _largest_reference(z, size)
        show = scene(
            panel(
                bar(np.arange(z.shape[1]), z[0], color="muted", label="given"),
                bar(np.arange(z.shape[1]), came[0], color="c1", label="yours"),
                title=f"first signal, blocks of {size}",
            )
        )
        require.close(
            came,
            wanted,
            what=f"blocks of {size}",
            do="One entry of each block stays, the largest in size, where it stands and with its sign; of equals the first.",
            figure=show,
        )
    return "values, signs and places are right for blocks of 1 to 4."


keep_largest = Exercise(
    "sparse-coding-switches",
    "Keep the entry of largest size of each block, set the others to zero",
    check=_check_keep,
    hints=(
        "Reshape to (N, blocks, size): each block gets an axis of its own.",
        "np.abs(b).argmax(-1) is the switch, and gives the first of equals.",
        "Compare np.arange(size) with the switch, broadcast, and np.where the block or 0; reshape back.",
    ),
)


# --- 4. fool the price --------------------------------------------------------------------------
def _cheapest(D: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The code of smallest sum of |z| with zD = x, by linear program."""
    both = np.vstack([D, -D]).T  # positive and negative parts
    found = linprog(np.ones(2 * len(D)), A_eq=both, b_eq=x, bounds=(0, None))
    return found.x[: len(D)] - found.x[len(D) :]


def _rivals(D: np.ndarray, x: np.ndarray, yours: tuple[int, ...]) -> list[tuple[int, int]]:
    """Pairs of atoms other than `yours` that rebuild x to within a thousandth of its length."""
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4) if (i, j) != yours]
    miss = {
        p: np.linalg.norm(D[list(p)].T @ np.linalg.lstsq(D[list(p)].T, x, rcond=None)[0] - x)
        for p in pairs
    }
    return [p for p, m in miss.items() if m < 1e-3 * np.linalg.norm(x)]


def _check_fooled(answer: Any) -> str:
    if type(answer) is not dict or set(answer) != {"D", "z"}:
        raise Wrong(
            "expected a dictionary with the keys D and z, came something else; write {'D': ..., 'z': ...}."
        )
    D = require.array(answer["D"], "the atoms D", shape=(4, 3))
    z = require.array(answer["z"], "the code z", shape=(4,))
    z = z / (np.abs(z).max() or 1.0)  # a common factor changes nothing, but the program rounds
    if np.abs(np.linalg.norm(D, axis=1) - 1).max() > 1e-6:
        raise Wrong(
            f"the atoms must have length 1, yours have {np.round(np.linalg.norm(D, axis=1), 7).tolist()}; divide each row by its length."
        )
    used = tuple(int(h) for h in np.flatnonzero(z))
    if len(used) != 2 or np.abs(z[list(used)]).min() < 1e-3 * np.abs(z).max():
        raise Wrong(
            f"the code must have exactly two weights, neither tiny, yours has {len(used)} that are not zero; set the others to 0."
        )
    x = z @ D
    if np.linalg.norm(x) < 1e-3 * np.abs(z).max():
        raise Wrong(
            "your two atoms cancel and x is nearly zero, which needs no weight at all; make x longer."
        )
    rivals = _rivals(D, x, used)
    if rivals:
        raise Wrong(
            f"atoms {rivals[0]} rebuild x to a thousandth with two weights as well (or one), so yours is not the only short code; move an atom out of the plane."
        )
    cheap = _cheapest(D, x)
    paid, least = float(np.abs(z).sum()), float(np.abs(cheap).sum())
    if least > 0.9 * paid:
        bars = [
            bar(np.arange(4) - 0.2, z, width=0.4, label="yours"),
            bar(np.arange(4) + 0.2, cheap, color="c2", width=0.4, label="cheapest"),
        ]
        raise Wrong(
            f"with its largest weight set to 1 your code costs {paid:.3f} and the cheapest {least:.3f}, which is not a tenth less. Two atoms that nearly cancel are expensive; give the others the direction of x.",
            scene(panel(*bars, xlabel="atom", ylabel="weight")),
        )
    return f"two weights, the larger set to 1, cost {paid:.2f}, three cost {least:.2f}: the price prefers the longer code."


fooled = Exercise(
    "sparse-coding-fooled",
    "Give atoms and a code of two weights that is not the cheapest",
    check=_check_fooled,
    hints=(
        "Two atoms that point almost against each other leave a short x, though both weights are large.",
        "Let the other two atoms point nearly along that short x, each a little to its own side, but not so that they alone reach it.",
        "Try atoms along (1, 0, 0.4), (−1, 0, 0.4), (0.3, 0.3, 1), (0.1, −0.3, 1), divided by their lengths.",
    ),
    answer="value",
)
