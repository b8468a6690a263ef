"""The checks of the chapter on GANs and pictures have been seen failing, and accept right answers in any style."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/gan_images")
SOLUTIONS = solutions("models/gan_images")


def length_forgets_the_last_print(n, k, stride):
    return SOLUTIONS["overlap_solution"](n, k, stride)[: n * stride]


def stride_ignored(n, k, stride):
    return np.convolve(np.ones(n), np.ones(k))


def even_everywhere(n, k, stride):
    return np.full((n - 1) * stride + k, k / stride)


def marks_instead_of_counts(n, k, stride):
    return np.minimum(SOLUTIONS["overlap_solution"](n, k, stride), 1)


def kernel_three_only(n, k, stride):
    return SOLUTIONS["overlap_solution"](n, 3, stride)


def prints_once(n, k, stride):
    counts = np.zeros((n - 1) * stride + k)
    counts[np.add.outer(np.arange(n) * stride, np.arange(k))] += 1
    return counts


def backwards_as_forwards(n, k, stride):
    return np.ones((n - k) // stride + 1)


def kernel_and_stride_exchanged(n, k, stride):
    return SOLUTIONS["overlap_solution"](n, stride, k)


def overlap_by_comparing(n, k, stride):
    return [
        sum(0 <= place - i * stride < k for i in range(n)) for place in range((n - 1) * stride + k)
    ]


def overlap_by_torch(n, k, stride):
    return F.conv_transpose1d(torch.ones(1, 1, n), torch.ones(1, 1, k), stride=stride)[0, 0]


def shares_ignored(real, orders, q, p):
    return q / (q + p)


def orders_ignored(real, orders, q, p):
    return real[:, None] * q / (real[:, None] * (q + p))


def orders_as_real(real, orders, q, p):
    return real[:, None] * q / (real[:, None] * q + real[:, None] * p)


def shares_exchanged(real, orders, q, p):
    return orders[:, None] * q / (orders[:, None] * q + real[:, None] * p)


def for_the_forger(real, orders, q, p):
    return 1 - SOLUTIONS["told_solution"](real, orders, q, p)


def not_told(real, orders, q, p):
    drawn = orders @ p
    return np.tile(real @ q / (real @ q + drawn), (3, 1))


def shares_over_notes(real, orders, q, p):
    return real * q.T / (real * q.T + orders * p.T)


def ratio_of_pairs(real, orders, q, p):
    return real[:, None] * q / (orders[:, None] * p)


def multiplies_in_place(real, orders, q, p):
    q *= real[:, None]
    return q / (q + orders[:, None] * p)


def told_by_a_sigmoid(real, orders, q, p):
    real, orders, q, p = (torch.tensor(v).log() for v in (real, orders, q, p))
    return torch.sigmoid(real[:, None] + q - orders[:, None] - p)


def told_in_a_loop(real, orders, q, p):
    return [
        [1 / (1 + orders[c] * p[c][x] / (real[c] * q[c][x])) for x in range(4)] for c in range(3)
    ]


def a_single_code(G, p, notes):
    E = np.zeros((notes, len(p)))
    for x in range(notes):
        mine = np.flatnonzero(x == G)
        E[x, mine[np.argmax(p[mine])] if len(mine) else 0] = 1
    return E


def even_over_its_codes(G, p, notes):
    E = (np.arange(notes)[:, None] == G).astype(float)
    E[E.sum(1) == 0] = 1
    return E / E.sum(1, keepdims=True)


def joint_not_divided(G, p, notes):
    return (np.arange(notes)[:, None] == G) * p


def the_prior(G, p, notes):
    return np.tile(p, (notes, 1))


def six_codes_and_four_notes(G, p, notes):
    E = np.zeros((4, 6))
    E[G, np.arange(6)] = p
    E[E.sum(1) == 0] = 1
    return E / E.sum(1, keepdims=True)


def divided_by_columns(G, p, notes):
    E = joint_not_divided(G, p, notes)
    return E / E.sum(0)


def empty_rows(G, p, notes):
    E = joint_not_divided(G, p, notes)
    return E / np.maximum(E.sum(1, keepdims=True), 1e-12)


def below_zero(G, p, notes):
    E = SOLUTIONS["reader_solution"](G, p, notes)
    return E + np.eye(len(p))[0] - np.eye(len(p))[1]


def codes_by_notes(G, p, notes):
    return SOLUTIONS["reader_solution"](G, p, notes).T


def reader_in_torch(G, p, notes):
    joint = F.one_hot(torch.tensor(G), notes).T * torch.tensor(p)
    return ((joint + 1e-15) / (joint + 1e-15).sum(1, keepdim=True)).numpy()


def zero_by_zero(G, p, notes):
    E = (np.arange(notes)[:, None] == G) * p
    with np.errstate(invalid="ignore"):
        return E / E.sum(1, keepdims=True)


def reader_by_bayes(G, p, notes):
    out = []
    for x in range(notes):
        row = [p[z] if G[z] == x else 0.0 for z in range(len(p))]
        out.append([v / sum(row) for v in row] if sum(row) else [1.0] + [0.0] * (len(p) - 1))
    return out


GAPS = [("double", (2, ...))]

WRONG = [
    ("double", (2, 0), "one too small"),
    ("double", (1, 1), "as for a 3x3 kernel"),
    ("double", (1, 0), "as for a 4x4 kernel"),
    ("double", (3, 3), "an output_padding that PyTorch refuses"),
    ("double", (1.5, 0), "half a pixel"),
    ("double", 2, "one number"),
    ("double", (1, 2), "exchanged", "less than the stride"),
    ("double", (0, 0), "nothing cut off"),
    ("double", (2, 1, 0), "three numbers", "shape"),
    ("double", AlwaysEqual([1, 1]), "an object that lies"),
    ("overlap", length_forgets_the_last_print, "too short"),
    ("overlap", stride_ignored, "stride 1"),
    ("overlap", even_everywhere, "the mean"),
    ("overlap", marks_instead_of_counts, "covered or not"),
    ("overlap", kernel_three_only, "one kernel size"),
    ("overlap", lambda n, k, stride: AlwaysEqual(np.ones(13)), "an object that lies"),
    ("overlap", lambda n, k: np.ones(n), "wrong arguments"),
    ("overlap", prints_once, "one print at most, by indices that repeat"),
    ("overlap", backwards_as_forwards, "the size of an ordinary convolution"),
    ("overlap", kernel_and_stride_exchanged, "kernel and stride exchanged"),
    ("overlap", lambda n, k, stride: [], "no places", "came 0"),
    ("told", shares_ignored, "no shares"),
    ("told", orders_ignored, "real shares on both sides"),
    ("told", orders_as_real, "real shares on both sides, again"),
    ("told", shares_exchanged, "shares exchanged"),
    ("told", not_told, "no labels"),
    ("told", shares_over_notes, "the other axis", "shape"),
    ("told", ratio_of_pairs, "a ratio instead of a share"),
    ("told", multiplies_in_place, "changes its input", "changed its input"),
    ("told", for_the_forger, "the probability of drawn"),
    ("told", lambda real, orders, q, p: AlwaysEqual(q), "an object that lies"),
    ("told", lambda real, orders, q, p: np.ones(4), "one row"),
    ("reader", a_single_code, "a table E"),
    ("reader", even_over_its_codes, "even among the codes of a note"),
    ("reader", joint_not_divided, "joint instead of conditional"),
    ("reader", six_codes_and_four_notes, "sizes by heart"),
    ("reader", divided_by_columns, "the note given the code"),
    ("reader", empty_rows, "zeros for the note that nobody draws", "any probabilities"),
    ("reader", below_zero, "negative probabilities", "below 0"),
    ("reader", codes_by_notes, "transposed", "shape"),
    ("reader", the_prior, "does not look at the note"),
    ("reader", zero_by_zero, "0 / 0 for the note that nobody draws"),
    ("reader", lambda G, p, notes: AlwaysEqual(np.full((4, 6), 1 / 6)), "an object that lies"),
]

RIGHT = [
    ("double", [2, 1]),
    ("double", np.array([2.0, 1.0])),
    ("overlap", overlap_by_torch),
    ("overlap", overlap_by_comparing),
    ("told", told_in_a_loop),
    ("told", told_by_a_sigmoid),
    ("reader", reader_by_bayes),
    ("reader", reader_in_torch),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_the_chapters_adam_is_torchs() -> None:
    """Two games with rates of their own, as the notebook uses them, against torch.optim.Adam on each."""
    g, rates = torch.Generator().manual_seed(0), (0.01, 0.1)
    net = torch.nn.ParameterList([torch.randn(2, 3, 4, generator=g), torch.randn(6, generator=g)])
    blocks = [[torch.nn.Parameter(p.detach().chunk(2)[s].clone()) for p in net] for s in range(2)]
    theirs = [
        torch.optim.Adam(b, lr=r, betas=(0.5, 0.9)) for b, r in zip(blocks, rates, strict=True)
    ]
    ours = SOLUTIONS["Adam"](net, torch.tensor(rates))
    for _ in range(20):
        gradients = [torch.randn(p.shape, generator=g) for p in net]
        for p, gradient in zip(net, gradients, strict=True):
            p.grad = gradient
        for s in range(2):
            for p, gradient in zip(blocks[s], gradients, strict=True):
                p.grad = gradient.chunk(2)[s].clone()
            theirs[s].step()
        ours.step()
    for i, p in enumerate(net):
        assert torch.allclose(p, torch.cat([b[i].detach() for b in blocks]), atol=1e-5)


def test_a_damaged_file_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SOLUTIONS, "RECORD", 3073)
    with pytest.raises(ValueError, match="3073"):
        SOLUTIONS["read_cifar"](b"\0" * 3074)
    with pytest.raises(ValueError, match="labels 0 to 9"):
        SOLUTIONS["read_cifar"](b"\x0b" + b"\0" * 3072)
    with pytest.raises(ValueError, match="3073"):
        SOLUTIONS["read_cifar"](b"")
