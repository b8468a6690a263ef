"""The checks of the chapter on the network's relatives have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import pytest
import torch

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/rnn_zoo")
SOLUTIONS = solutions("models/rnn_zoo")
NAMES = ("ticks", "reversed_rows", "real_form", "memory")
RISING = {"alpha": [0.85, 0.78], "V": [1 / 0.15, -1 / 0.22]}
SECOND_RISE = {
    "alpha": [0.85, 0.78, 0.99999, 0.99998],
    "V": [1 / 0.15, -1 / 0.22, 3.5 / 1e-5, -3.5 / 2e-5],
}


def all_reversed(x, lengths):
    return x[::-1].copy()


def batch_reversed(x, lengths):
    return x[:, ::-1].copy()


def only_full(x, lengths):
    out = x.copy()
    for n in np.flatnonzero(lengths == len(x)):
        out[:, n] = x[::-1, n]
    return out


def off_by_one(x, lengths):
    out = x.copy()
    for n, length in enumerate(lengths):
        out[: length - 1, n] = x[: length - 1, n][::-1]
    return out


def padding_zeroed(x, lengths):
    out = np.zeros_like(x)
    for n, length in enumerate(lengths):
        out[:length, n] = x[:length, n][::-1]
    return out


def in_place(x, lengths):
    for n, length in enumerate(lengths):
        x[:length, n] = x[:length, n][::-1].copy()
    return x


def shortened(x, lengths):
    lengths[:] = 1
    return x


def with_indices(x, lengths):
    t = np.arange(len(x))[:, None]
    source = np.where(t < lengths, lengths - 1 - t, t)
    return np.take_along_axis(x, source[..., None], 0)


def with_torch(x, lengths):
    x = torch.as_tensor(x)
    parts = [torch.cat([x[:k, n].flip(0), x[k:, n]]) for n, k in enumerate(lengths)]
    return torch.stack(parts, 1)


def blocks(*signs):
    def answer(M):
        A, B = M.real, M.imag
        return np.block([[signs[0] * A, signs[1] * B], [signs[2] * B, signs[3] * A]])

    return answer


def interleaved(M):
    n = len(M)
    order = np.arange(2 * n).reshape(2, n).T.ravel()
    return blocks(1, 1, -1, 1)(M)[np.ix_(order, order)]


def erased(M):
    M[:] = 0
    return np.zeros((2 * len(M), 2 * len(M)))


def by_images(M):
    """Column by column: what happens to each basis vector."""
    n = len(M)
    basis = [np.eye(n)[k] * unit for unit in (1, 1j) for k in range(n)]
    return [[*(e @ M).real, *(e @ M).imag] for e in basis]


GAPS = [("memory", {"alpha": ..., "V": ...})]

WRONG = [
    ("ticks", lambda p, T: sum(T // q for q in p), "forgets step 0"),
    ("ticks", lambda p, T: sum(T // q + 1 for q in p), "counts step T"),
    ("ticks", lambda p, T: sum(T / q for q in p), "fractions"),
    ("ticks", lambda p, T: len(p) * T, "every group at every step"),
    ("ticks", lambda p, T: round(sum(T / q for q in p)), "rounded"),
    ("ticks", lambda p, T: sum((T + q - 1) // q for q in set(p)), "equal periods only once"),
    ("ticks", lambda p, T: len({t for q in p for t in range(0, T, q)}), "steps, not updates"),
    ("ticks", lambda p, T: 620, "the number from the text"),
    ("ticks", lambda p, T: AlwaysEqual([620]), "an object that lies"),
    ("reversed_rows", all_reversed, "padding to the front"),
    ("reversed_rows", batch_reversed, "wrong axis"),
    ("reversed_rows", only_full, "only those without padding"),
    ("reversed_rows", off_by_one, "one too few"),
    ("reversed_rows", padding_zeroed, "padding lost"),
    ("reversed_rows", lambda x, lengths: x, "nothing"),
    ("reversed_rows", lambda x, lengths: with_indices(x, np.sort(lengths)), "lengths mixed up"),
    ("reversed_rows", shortened, "makes every sequence short"),
    ("reversed_rows", in_place, "changes its input"),
    ("reversed_rows", lambda x, lengths: AlwaysEqual(x), "an object that lies"),
    ("real_form", blocks(1, -1, 1, 1), "for columns"),
    ("real_form", blocks(1, 1, 1, 1), "a sign"),
    ("real_form", blocks(1, 0, 0, 1), "real part only"),
    ("real_form", lambda M: blocks(1, 1, -1, 1)(M.T), "transposed, not conjugated"),
    ("real_form", erased, "sets the matrix to zero"),
    ("real_form", interleaved, "real and imaginary parts side by side"),
    ("real_form", lambda M: M, "still complex"),
    ("real_form", lambda M: AlwaysEqual(np.eye(2 * len(M))), "an object that lies"),
    ("memory", {"alpha": [0.8], "V": [1.0]}, "one unit only decays"),
    ("memory", {"alpha": [0.85, 0.5], "V": [1 / 0.15, -2.0]}, "peaks too early"),
    ("memory", {"alpha": [0.95, 0.9], "V": [20.0, -10.0]}, "peaks too late"),
    ("memory", {"alpha": [0.85, 0.78], "V": [-1 / 0.15, 1 / 0.22]}, "upside down"),
    ("memory", {"alpha": [0.85, 0.78], "V": [0, 0]}, "silence"),
    ("memory", {"alpha": [0.85, 0.78, 0.9999], "V": [1 / 0.15, -1 / 0.22, 500]}, "never fades"),
    ("memory", SECOND_RISE, "a second rise after thousands of steps"),
    ("memory", {"alpha": [1.2, 0.78], "V": [1, -1]}, "grows"),
    ("memory", {"alpha": [0.1] * 7, "V": [1] * 7}, "seven units"),
    ("memory", {"alpha": [0.85, 0.78], "V": [1]}, "unequal lengths"),
    ("memory", [0.85, 0.78], "no dictionary"),
    ("memory", {"alpha": AlwaysEqual([0.85, 0.78]), "V": AlwaysEqual([1, 1])}, "objects that lie"),
]

RIGHT = [
    ("ticks", lambda periods, T: sum(len(range(0, T, p)) for p in periods)),
    ("ticks", lambda periods, T: float(sum(math.ceil(T / p) for p in periods))),
    ("ticks", lambda p, T: (np.arange(T)[:, None] % np.array(p) == 0).sum()),
    ("reversed_rows", with_indices),
    ("reversed_rows", with_torch),
    ("reversed_rows", lambda x, lengths: with_indices(x, lengths).astype(np.float32)),
    ("real_form", by_images),
    ("real_form", lambda M: torch.tensor(blocks(1, 1, -1, 1)(M))),
    ("memory", {k: np.array(v) for k, v in RISING.items()}),
    ("memory", {"alpha": torch.tensor([0.85, 0.78]).double(), "V": [3 / 0.15, -3 / 0.22]}),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_a_remembered_answer_is_refused() -> None:
    """Right once for every shape, then repeated: the check draws fresh data every time."""
    memory: dict[tuple, np.ndarray] = {}

    def remembers(M):
        return memory.setdefault(M.shape, blocks(1, 1, -1, 1)(M))

    checks.real_form.check(remembers)
    assert checks.real_form.check(remembers).status == "not yet"


@pytest.mark.parametrize(
    ("name", "why", "words"),
    [
        ("ticks", "forgets step 0", "Step 0 counts"),
        ("ticks", "counts step T", "no longer among them"),
        ("reversed_rows", "padding to the front", "padding to the front"),
        ("reversed_rows", "wrong axis", "batch round"),
        ("reversed_rows", "padding lost", "need not be zero"),
        ("real_form", "for columns", "acts on columns"),
        ("real_form", "a sign", "Check the signs"),
        ("memory", "never fades", "forgets too slowly"),
        ("memory", "a second rise after thousands of steps", "second rise"),
        ("memory", "one unit only decays", "only decays"),
    ],
)
def test_a_known_mistake_is_named(name: str, why: str, words: str) -> None:
    answer = next(answer for n, answer, w in WRONG if (n, w) == (name, why))
    assert words in getattr(checks, name).check(answer).text


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_answer_comes_with_a_picture(name: str) -> None:
    card = getattr(checks, name).check(next(answer for n, answer, _ in WRONG if n == name))
    assert card.figure["panels"]
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]
