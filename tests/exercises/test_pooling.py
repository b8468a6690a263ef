"""The checks of the pooling chapter have been seen failing, and accept right answers in any style."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/pooling")
SOLUTIONS = solutions("models/pooling")
LIAR = AlwaysEqual([30, 4])


def pool(x, grad, k, s, padding, *, fill=-np.inf, last=False, add=True, share=False, crop=True):
    wide = np.pad(x, padding, constant_values=fill)
    y, back = np.empty(grad.shape), np.zeros(wide.shape)
    for r, c in np.ndindex(*grad.shape):
        window = wide[r * s : r * s + k, c * s : c * s + k]
        y[r, c] = window.max()
        winners = np.argwhere(window == y[r, c])
        chosen = winners if share else winners[-1:] if last else winners[:1]
        for i, j in chosen:
            old = back[r * s + i, c * s + j] if add else 0
            back[r * s + i, c * s + j] = old + grad[r, c] / len(chosen)
    height, width = x.shape
    return y, back[padding : padding + height, padding : padding + width] if crop else back


def torch_pool(x, grad, k, s, padding):
    t = torch.tensor(x)[None, None].requires_grad_()
    y = F.max_pool2d(t, k, s, padding)
    y.backward(torch.tensor(grad)[None, None])
    return [y.detach()[0, 0], t.grad[0, 0]]


def agreement(predict, images, right, *, axis=2, wrap=False, per_cent=False):
    moved = np.roll(images, right, axis)
    if not wrap and right:
        gone = slice(0, right) if right > 0 else slice(right, None)
        moved[(slice(None),) * axis + (gone,)] = 0
    return (100 if per_cent else 1) * np.mean(predict(images) == predict(moved))


def global_features(x, kernels, *, mode="circular", flip=False, relu=True, top=False, late=False):
    kernels = kernels[:, ::-1, ::-1].copy() if flip else kernels
    maps = F.pad(torch.tensor(x)[:, None], (1, 1, 1, 1), mode=mode)
    maps = F.conv2d(maps, torch.tensor(kernels)[:, None])
    maps = maps.relu() if relu and not late else maps
    out = maps.amax((2, 3)) if top else maps.mean((2, 3))
    return out.relu() if late else out


GAPS = [("field", (30, ...)), ("padded", lambda x, *args: (x, ...))]

WRONG = [
    ("field", (22, 4), "the last layer's jump forgotten"),
    ("field", (30, 2), "one stride forgotten"),
    ("field", (15, 1), "strides ignored"),
    ("field", (48, 4), "the stride applied before the window"),
    ("field", 30, "one number"),
    ("field", LIAR, "an object that lies"),
    ("padded", lambda *a: pool(*a, fill=0.0), "a border of zeros"),
    ("padded", lambda *a: pool(*a, fill=-1e9), "a border that is low, but not low enough"),
    ("padded", lambda *a: pool(*a, last=True), "the last of equals wins"),
    ("padded", lambda *a: pool(*a, share=True), "ties share the gradient"),
    ("padded", lambda *a: pool(*a, add=False), "overlaps overwrite"),
    ("padded", lambda *a: pool(*a, crop=False), "the border is not cut off"),
    ("padded", lambda *a: pool(*a)[0], "no gradient"),
    ("padded", lambda *a: (LIAR, LIAR), "objects that lie"),
    ("consistent", lambda p, x, right: agreement(p, x, right, wrap=True), "wraps around"),
    ("consistent", lambda p, x, right: agreement(p, x, -right), "the wrong way"),
    ("consistent", lambda p, x, right: agreement(p, x, right, axis=1), "up and down"),
    ("consistent", lambda p, x, right: agreement(p, x, right, per_cent=True), "per cent"),
    ("consistent", lambda p, x, right: 1.0, "a constant"),
    ("consistent", lambda p, x, right: LIAR, "an object that lies"),
    ("invariant", lambda x, k: global_features(x, k, mode="constant"), "a border of zeros"),
    ("invariant", lambda x, k: global_features(x, k, flip=True), "kernels flipped"),
    ("invariant", lambda x, k: global_features(x, k, relu=False), "no ReLU"),
    ("invariant", lambda x, k: global_features(x, k, late=True), "ReLU after the mean"),
    ("invariant", lambda x, k: global_features(x, k, top=True), "the maximum"),
    ("invariant", lambda x, k: np.zeros((len(x), len(k))), "a constant is invariant too"),
    ("invariant", lambda x, k: LIAR, "an object that lies"),
]

RIGHT = [
    ("field", np.array([30, 4])),
    ("padded", torch_pool),
    ("padded", pool),
    ("consistent", agreement),
    ("invariant", global_features),
]

NAMED = {"padded": "padded_max_pool_solution", "consistent": "shift_consistency_solution"}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps, named = WRONG, RIGHT, GAPS, NAMED


@pytest.mark.parametrize(
    ("name", "index"),
    [(n, i) for i, (n, _, w) in enumerate(WRONG) if "zeros" in w or "wrong way" in w],
)
def test_a_wrong_answer_comes_with_a_picture(name: str, index: int) -> None:
    card = getattr(checks, name).check(WRONG[index][1])
    assert card.figure["panels"]
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]


def test_float32_is_precise_enough() -> None:
    single = lambda x, grad, *a: pool(x.astype("f"), grad.astype("f"), *a)  # noqa: E731
    assert checks.padded.check(single).status == "right"
    features = lambda x, k: global_features(x.astype("f"), k.astype("f"))  # noqa: E731
    assert checks.invariant.check(features).status == "right"


def test_the_border_is_named_when_it_is_wrong() -> None:
    card = checks.padded.check(lambda *a: pool(*a, fill=0.0))
    assert "border" in card.text
    assert "overlap" not in card.text


def test_a_remembered_answer_is_refused() -> None:
    """Right once, then repeated: the check draws fresh data every time."""
    memory: list[float] = []

    def remembers(predict, images, right):
        memory.append(agreement(predict, images, right))
        return memory[0]

    assert checks.consistent.check(remembers).status == "not yet"


def test_the_chapter_pools_as_torch_does() -> None:
    x = np.random.default_rng(3).integers(0, 2, (2, 2, 9, 10)).astype(float)
    value, switches = SOLUTIONS["max_pool"](x, 3, 2)
    theirs, places = F.max_pool2d(torch.tensor(x), 3, 2, return_indices=True)
    assert np.array_equal(value, theirs.numpy())
    assert np.array_equal(switches, places.numpy())
