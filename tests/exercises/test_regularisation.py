"""The checks of the regularisation chapter have been seen failing, and accept right answers in any style."""

import builtins
import copy
import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/regularisation")
SOLUTIONS = solutions("models/regularisation")
LIAR = AlwaysEqual([3, 5])


def drop(h, p, training, rng, *, shape=None, scale=True, keep=False, test=False):
    if not training:
        return h * (1 - p) if test else h
    n, c = h.shape[:2]
    shape = {None: (n, c, 1, 1), "image": (n, 1, 1, 1), "map": (1, c, 1, 1)}.get(shape, shape)
    shape = h.shape if shape == "entry" else shape
    draws = rng.random(shape)
    kept = draws < p if keep else draws >= p
    return h * kept / ((1 - p) if scale else 1)


def same_every_time(h, p, training, rng):
    return drop(h, p, training, np.random.default_rng(0))


def fixed_number(h, p, training, rng):
    """As many maps of every image: each has its chance p, but they are not independent."""
    if not training:
        return h
    n, c = h.shape[:2]
    lost = int(p * c) + (rng.random() < p * c % 1)
    kept = np.array([rng.permutation(c) >= lost for _ in range(n)])
    return h * kept[:, :, None, None] / (1 - p)


def in_pairs(h, p, training, rng, *, opposed=False):
    if not training:
        return h
    n, c = h.shape[:2]
    draws = rng.random((-(-n // 2), c, 1, 1))
    kept = np.concatenate([draws, 1 - draws if opposed else draws])[:n] >= p
    return h * kept / (1 - p)


def other_generator(h, p, training, rng):
    return drop(h, p, training, np.random.default_rng())


def unmoved_generator(h, p, training, rng):
    return drop(h, p, training, copy.deepcopy(rng))


def in_place(h, p, training, rng):
    if training:
        h *= rng.random((*h.shape[:2], 1, 1)) >= p
        h /= 1 - p
    return h


def torch_maps(h, p, training, rng):
    torch.manual_seed(int(rng.integers(2**31)))
    return F.dropout2d(torch.tensor(h), p, training)


def average(h, W, v, p, *, equal=False, swap=False, scale=True):
    total = 0.0
    for number in range(2 ** len(h)):
        kept = np.array([number >> i & 1 for i in range(len(h))])
        k, q = kept.sum(), 1 - p if not swap else p
        chance = 2.0 ** -len(h) if equal else q**k * (1 - q) ** (len(h) - k)
        u = kept * h @ W / ((1 - p) if scale else 1)
        total += chance * np.maximum(u, 0) @ v
    return total


def sampled(h, W, v, p):
    kept = np.random.default_rng(0).random((2000, len(h))) >= p
    return (np.maximum(kept * h / (1 - p) @ W, 0) @ v).mean()


def relu_last(h, W, v, p):
    masks = np.array(list(itertools.product((0, 1), repeat=len(h))))
    chance = np.prod(np.where(masks, 1 - p, p), 1)
    return chance @ np.maximum(masks * h / (1 - p) @ W @ v, 0)


def stop_from(errors, patience, *, first=math.inf, gain=0.0, reset=True):
    best, lowest, since = 0, first, 0
    for epoch, error in enumerate(errors):
        since += 1
        if error < lowest - gain:
            best, lowest, since = epoch, error, 0 if reset else since - 1
        if since >= patience:
            return best, epoch
    return best, len(errors) - 1


def at_the_end(errors, patience, answer):
    """Right where patience runs out, `answer` in place of the last epoch where it does not."""
    best, stopped = stop(errors, patience)
    return (best, stopped) if stopped - best == patience else answer(best, len(errors))


def stop(errors, patience, *, ties=False, late=0, before=False):
    best, since = 0, 0
    for epoch, error in enumerate(errors[1:], 1):
        rival = errors[epoch - 1] if before else errors[best]
        since += 1
        if error < rival or (ties and error == rival):
            best, since = epoch, 0
        if since >= patience + late:
            return best, epoch
    return best, len(errors) - 1


WRONG = [
    ("spread", 0.16 * 17, "no scaling"),
    ("spread", 4.25**0.5, "the standard deviation"),
    ("spread", 2.25, "the sum squared"),
    ("spread", 68, "p as the share kept"),
    ("spread", LIAR, "an object that lies"),
    ("maps", lambda *a: drop(*a, shape="entry"), "single entries"),
    ("maps", lambda *a: drop(*a, shape="image"), "whole images"),
    ("maps", lambda *a: drop(*a, shape="map"), "the same maps of all images"),
    ("maps", lambda *a: drop(*a, scale=False), "no scaling"),
    ("maps", lambda *a: drop(*a, keep=True), "p as the share kept"),
    ("maps", lambda *a: drop(*a, test=True), "scaled at test time too"),
    ("maps", same_every_time, "one mask for ever"),
    ("maps", in_place, "the input overwritten"),
    ("maps", lambda h, *a: h, "nothing dropped"),
    ("maps", lambda *a: LIAR, "an object that lies"),
    ("thinned", lambda h, W, v, p: np.maximum(h @ W, 0) @ v, "the net at test time"),
    ("thinned", lambda *a: average(*a, equal=True), "equal weights"),
    ("thinned", lambda *a: average(*a, swap=True), "p the other way"),
    ("thinned", lambda *a: average(*a, scale=False), "no scaling"),
    ("thinned", sampled, "a sample"),
    ("thinned", lambda *a: LIAR, "an object that lies"),
    ("stop", lambda e, k: (int(np.argmin(e)), len(e) - 1), "the best of all"),
    ("stop", lambda *a: stop(*a, ties=True), "ties count"),
    ("stop", lambda *a: stop(*a, late=1), "one epoch late"),
    ("stop", lambda *a: stop(*a, before=True), "compares with the epoch before"),
    ("stop", lambda e, k: stop(e, k)[0], "one number"),
    ("stop", lambda *a: LIAR, "an object that lies"),
    ("spread", 4.249, "a simulation"),
    ("spread", 3.5, "the inputs forgotten"),
    ("maps", fixed_number, "the same number of maps from each image"),
    ("maps", in_pairs, "images in pairs"),
    ("maps", lambda *a: in_pairs(*a, opposed=True), "images in opposed pairs"),
    ("maps", other_generator, "rng not used"),
    ("maps", unmoved_generator, "rng copied: it never moves on"),
    ("thinned", lambda h, W, v, p: h @ W @ v, "no relu"),
    ("thinned", relu_last, "relu after v"),
    ("stop", lambda *a: tuple(np.add(stop(*a), 1)), "counts from 1"),
    ("stop", lambda *a: stop(*a)[::-1], "the order turned round"),
    ("stop", lambda *a: (-99, 10**6), "no epochs at all"),
    ("stop", lambda *a: (1e30, 0), "a huge number"),
    ("stop", lambda e, k: (e[stop(e, k)[0]], stop(e, k)[1]), "the error, not its epoch"),
    ("stop", lambda e, k: at_the_end(e, k, lambda best, n: (best, n)), "the length at the end"),
    ("stop", lambda e, k: at_the_end(e, k, lambda best, n: (n - 1, n - 1)), "the last as the best"),
    ("stop", lambda e, k: (e[k], stop(e, k))[1], "fails if patience exceeds the list"),
    ("stop", lambda *a: stop_from(*a, first=10.0), "starts from an error of 10"),
    ("stop", lambda *a: stop_from(*a, gain=1e-3), "small gains do not count"),
    ("stop", lambda *a: stop_from(*a, reset=False), "counts all failures"),
]

RIGHT = [
    ("spread", np.float32(4.25)),
    ("maps", drop),
    ("maps", torch_maps),
    ("maps", lambda h, *a: drop(h, *a).astype(np.float32)),
    (
        "maps",
        lambda h, p, t, g: h * g.binomial(1, 1 - p, (*h.shape[:2], 1, 1)) / (1 - p) if t else h,
    ),
    ("thinned", average),
    ("thinned", lambda *a: average(*(np.float32(v) for v in a))),
    ("stop", stop),
    ("stop", stop_from),
    ("stop", lambda e, k: np.array(stop(e, k))),
]

NAMED = {
    "spread": "variance_solution",
    "maps": "drop_maps_solution",
    "thinned": "mean_over_masks_solution",
    "stop": "early_stop_solution",
}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, named = WRONG, RIGHT, NAMED


@pytest.mark.parametrize("index", [0, 5, 8, 15, 21])
def test_a_wrong_answer_comes_with_a_picture(index: int) -> None:
    name, answer, _ = WRONG[index]
    card = getattr(checks, name).check(answer)
    assert card.figure["panels"]
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    ("name", "index", "word"),
    [("spread", 0, "scaling"), ("spread", 2, "squared the sum"), ("thinned", 16, "equal weight")],
)
def test_a_known_mistake_is_named(name: str, index: int, word: str) -> None:
    assert word in getattr(checks, name).check(WRONG[index][1]).text


@pytest.mark.parametrize(("name", "answer"), [("spread", 7.0), ("thinned", lambda *a: 7.0)])
def test_a_replaced_abs_changes_nothing(
    name: str, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "abs", lambda x: 0)
        card = getattr(checks, name).check(answer)
    assert card.status == "not yet"


def test_counting_from_one_is_named() -> None:
    for _ in range(3):  # the best epoch may be the last: an index past the end of the list
        text = checks.stop.check(lambda *a: tuple(np.add(stop(*a), 1))).text
        assert "Count epochs from 0" in text
