"""The checks of the sparse coding chapter have been seen failing, and accept right answers in any style."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.exercises.chapter import NOTEBOOKS, AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/sparse_coding")
SOLUTIONS = solutions("models/sparse_coding")


def parts(x, z, D, lam):
    r = x - z @ D
    s = min(1.0, lam / max(np.abs(D @ r).max(), 1e-300))
    return r, s, r @ r / 2 + lam * np.abs(z).sum()


def gap_unscaled(x, z, D, lam):
    r, _, paid = parts(x, z, D, lam)
    return paid - (x @ x - (x - r) @ (x - r)) / 2


def gap_uncapped(x, z, D, lam):
    r, _, paid = parts(x, z, D, lam)
    s = lam / max(np.abs(D @ r).max(), 1e-300)
    return paid - (x @ x - (x - s * r) @ (x - s * r)) / 2


def gap_unsigned(x, z, D, lam):
    r = x - z @ D
    s = min(1.0, lam / max((D @ r).max(), 1e-300))
    return parts(x, z, D, lam)[2] - (x @ x - (x - s * r) @ (x - s * r)) / 2


def gap_without_price(x, z, D, lam):
    r, s, _ = parts(x, z, D, lam)
    return r @ r / 2 - (x @ x - (x - s * r) @ (x - s * r)) / 2


def gap_divides_by_zero(x, z, D, lam):
    r = x - z @ D
    with np.errstate(all="ignore"):
        s = np.float64(min(lam, np.abs(D @ r).max())) / np.abs(D @ r).max()
    s = s if np.abs(r).max() > 1e-12 else np.nan
    return parts(x, z, D, lam)[2] - (x @ x - (x - s * r) @ (x - s * r)) / 2


def gap_in_torch(x, z, D, lam):
    x, z, D = (torch.tensor(v) for v in (x, z, D))
    r = x - z @ D
    y = r * min(1.0, lam / float((D @ r).abs().max() + 1e-300))
    return 0.5 * r @ r + lam * z.abs().sum() - x @ y + 0.5 * y @ y


def gap_signed_weights(x, z, D, lam):
    r, s, _ = parts(x, z, D, lam)
    return r @ r / 2 + lam * z.sum() - (x @ x - (x - s * r) @ (x - s * r)) / 2


def gap_price_of_silence(x, z, D, lam):
    r, _, paid = parts(x, z, D, lam)
    s = lam / max(np.abs(D @ x).max(), lam)
    return paid - (x @ x - (x - s * r) @ (x - s * r)) / 2


def of_equals_the_positive(z, size):
    """The largest or the smallest entry, whichever is further from zero."""
    b = z.reshape(len(z), -1, size)
    at = np.where(b.max(-1) >= -b.min(-1), b.argmax(-1), b.argmin(-1))
    return np.where(np.arange(size) == at[..., None], b, 0).reshape(z.shape)


def largest_of(z, size, key=np.abs, last=False, sign=True):
    b = z.reshape(len(z), -1, size)
    at = key(b[..., ::-1] if last else b).argmax(-1)[..., None]
    kept = np.where(np.arange(size) == (size - 1 - at if last else at), b, 0)
    return (kept if sign else np.abs(kept)).reshape(z.shape)


def all_equals(z, size):
    b = np.abs(z).reshape(len(z), -1, size)
    return np.where(b == b.max(-1, keepdims=True), z.reshape(b.shape), 0).reshape(z.shape)


def by_loop(z, size):
    out = [[0.0] * len(row) for row in z]
    for n, row in enumerate(z.tolist()):
        for k in range(0, len(row), size):
            at = max(range(k, k + size), key=lambda i: (abs(row[i]), -i))
            out[n][at] = row[at]
    return out


def unit(D):
    D = np.array(D, float)
    return D / np.linalg.norm(D, axis=1, keepdims=True)


GOOD = SOLUTIONS["fooled_solution"]
PLANE = unit([[1, 0, 0.4], [-1, 0, 0.4], [0.1, 0, 1], [-0.1, 0, 1]])
CHEAPEST = unit([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 2, 3]])  # no other pair reaches (1, 1, 0)
TWO = np.array([1.0, 1, 0, 0])

GAPS = [("fooled", {"D": ..., "z": ...})]

WRONG = [
    ("silence", lambda x, D: (D @ x).max(), "forgets negative pulls"),
    ("silence", lambda x, D: np.abs(D @ x).sum(), "sum in place of the largest"),
    ("silence", lambda x, D: np.abs(D @ x).min(), "the smallest"),
    ("silence", lambda x, D: np.linalg.norm(x), "the length of the patch"),
    ("silence", lambda x, D: np.abs(D @ x).max() / len(x), "scikit-learn's alpha"),
    ("silence", lambda x, D: abs(D[0] @ x), "the first atom alone"),
    ("silence", lambda x, D: -(D @ x).min(), "negative pulls alone"),
    ("silence", lambda x, D: np.abs(x).max(), "no atom is asked"),
    ("silence", lambda x, D: np.abs(D @ x), "all pulls"),
    ("silence", lambda x, D: AlwaysEqual(1.0), "claims to equal everything"),
    ("gap", gap_unscaled, "not scaled"),
    ("gap", gap_uncapped, "s above 1"),
    ("gap", gap_unsigned, "forgets negative pulls"),
    ("gap", gap_signed_weights, "weights may be negative"),
    ("gap", gap_price_of_silence, "s from the patch, not from what is left"),
    ("gap", gap_without_price, "the price is not in the cost"),
    ("gap", gap_divides_by_zero, "NaN where nothing is left"),
    ("gap", lambda x, z, D, lam: 0.0, "always sure"),
    ("gap", lambda x, z, D, lam: AlwaysEqual(0.0), "claims to equal everything"),
    ("keep_largest", lambda z, size: largest_of(z, size, key=lambda b: b), "largest, not in size"),
    ("keep_largest", lambda z, size: largest_of(z, size, last=True), "the last of equals"),
    ("keep_largest", lambda z, size: largest_of(z, size, sign=False), "loses the sign"),
    ("keep_largest", of_equals_the_positive, "of equals the positive"),
    ("keep_largest", all_equals, "keeps all equals"),
    ("keep_largest", lambda z, size: z, "pools nothing"),
    (
        "keep_largest",
        lambda z, size: np.abs(z).reshape(len(z), -1, size).max(-1),
        "pools without putting back",
    ),
    ("keep_largest", lambda z, size: AlwaysEqual(z), "claims to be the input"),
    ("fooled", {"D": CHEAPEST, "z": TWO}, "the cheapest already"),
    ("fooled", {"D": CHEAPEST, "z": 1e-9 * TWO}, "cheapest, but too small to see"),
    ("fooled", {"D": CHEAPEST, "z": 1e-300 * TWO}, "smaller still"),
    ("fooled", {"D": CHEAPEST, "z": 1e12 * TWO}, "cheapest and large"),
    ("fooled", {"D": GOOD["D"], "z": np.zeros(4)}, "no weight"),
    ("fooled", {"D": PLANE, "z": TWO}, "another pair does it too"),
    ("fooled", {"D": 3 * GOOD["D"], "z": TWO}, "atoms too long"),
    ("fooled", {"D": GOOD["D"], "z": np.ones(4)}, "four weights"),
    ("fooled", {"D": GOOD["D"], "z": np.array([1, 1e-9, 0, 0])}, "one weight and a trace"),
    ("fooled", {"D": unit([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1]]), "z": TWO}, "x is zero"),
    ("fooled", {"D": GOOD["D"][:, :2], "z": TWO}, "wrong shape"),
    ("fooled", {"D": AlwaysEqual(GOOD["D"]), "z": TWO}, "an object that claims"),
    ("fooled", [GOOD["D"], TWO], "no dictionary"),
]

RIGHT = [
    ("silence", lambda x, D: max(abs(float(a @ x)) for a in D)),
    ("gap", gap_in_torch),
    ("keep_largest", by_loop),
    ("fooled", {"D": GOOD["D"][::-1].tolist(), "z": [0, 0, -2.0, -2.0]}),
    ("fooled", {"D": GOOD["D"].astype(np.float32), "z": 1e-9 * TWO}),
    ("fooled", {"D": GOOD["D"], "z": 1e12 * TWO}),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("silence", lambda x, D: (D @ x).max(), "whatever its sign"),
        ("keep_largest", of_equals_the_positive, "of equals the first"),
        ("fooled", {"D": CHEAPEST, "z": 1e-9 * TWO}, "not a tenth less"),
        ("fooled", {"D": PLANE, "z": TWO}, "out of the plane"),
        ("fooled", {"D": np.round(GOOD["D"], 3), "z": TWO}, "0.9994123"),
    ],
)
def test_the_sentence_fits_the_mistake(name: str, answer: object, words: str) -> None:
    card = getattr(checks, name).check(answer)
    assert words in card.text, card.text
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]


def test_every_leaf_of_the_tree_has_a_page() -> None:
    """A chapter that exists, or one that the map of models names."""
    from sparse_coding_figures import METHODS, QUESTIONS, branches

    book = Path(NOTEBOOKS).parent / "book"
    planned = (book / "models.yml").read_text(encoding="utf-8")
    homeless = [
        m.name
        for m in METHODS
        if not (NOTEBOOKS / f"{m.chapter}.ipynb").exists() and m.chapter not in planned
    ]
    assert not homeless
    for question in QUESTIONS:
        assert sum(len(leaves) for leaves in branches(question).values()) == len(METHODS)
