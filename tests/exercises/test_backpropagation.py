"""The checks of the backpropagation chapter refuse wrong answers; its engine passes cases the chapter does not show."""

import numpy as np
import pytest
import scipy.special
import torch

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, refused, solutions

checks = load_checks("models/backpropagation")
CHAPTER = solutions("models/backpropagation")
LIAR = AlwaysEqual([54.0, -54.0])


def stretch_back(g, shape):
    while g.ndim > len(shape):
        g = g.sum(0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis, keepdims=True)
    return g


def maximum_with(share_a, share_b, fold=stretch_back):
    def answer(a, b):
        return np.maximum(a, b), lambda g: (
            fold(g * share_a(a, b), a.shape),
            fold(g * share_b(a, b), b.shape),
        )

    return answer


def cross_entropy_by_scipy(z, y):
    log_p = scipy.special.log_softmax(z, axis=1)
    picked = np.eye(z.shape[1])[y]
    return float(-(picked * log_p).sum() / len(z)), (
        scipy.special.softmax(z, axis=1) - picked
    ) / len(z)


def naive_cross_entropy(z, y):
    with np.errstate(all="ignore"):
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        return -np.log(p[np.arange(len(z)), y]).mean(), (p - np.eye(z.shape[1])[y]) / len(z)


def clipped_cross_entropy(z, y):
    p = scipy.special.softmax(z, axis=1)
    picked = np.eye(z.shape[1])[y]
    return -np.log(p[np.arange(len(z)), y] + 1e-12).mean(), (p - picked) / len(z)


def summed_gradient(z, y):
    loss, grad = cross_entropy_by_scipy(z, y)
    return loss, grad * len(z)


def wrong_sign(z, y):
    loss, grad = cross_entropy_by_scipy(z, y)
    return loss, -grad


def flatten_with(forgetful=False, reverse=False):
    def answer(Ws, bs):
        W, b = Ws[0], bs[0]
        for A, a in zip(Ws[1:], bs[1:], strict=True):
            W, b = (A.T @ W.T if reverse else W @ A), (a if forgetful else b @ A + a)
        return W, b

    return answer


def flatten_by_probing(Ws, bs):
    def stack(h):
        for W, b in zip(Ws, bs, strict=True):
            h = h @ W + b
        return h

    b = stack(np.zeros(len(Ws[0])))
    return stack(np.eye(len(Ws[0]))) - b, b


def inspector(low=0.1, high=2.0, signs=(-1, 1), tolerance=1e-5, random_g=True, points=500):
    def answer(suspects):
        rng = np.random.default_rng()
        x = rng.uniform(low, high, points) * rng.choice(signs, points)
        g = rng.normal(size=points) if random_g else np.ones(points)
        slopes = {n: g * (f(x + 1e-5) - f(x - 1e-5)) / 2e-5 for n, (f, _) in suspects.items()}
        return [
            n
            for n, (_, rule) in suspects.items()
            if not np.allclose(rule(x, g), slopes[n], rtol=tolerance, atol=tolerance)
        ]

    return answer


def by_common_code(suspects):
    """Looks at the rules from outside instead of testing them."""
    codes = [rule.__code__ for _, rule in suspects.values()]
    return {n for n, (_, rule) in suspects.items() if codes.count(rule.__code__) < 3}


def replaces_maximum(a, b):
    torch.maximum = lambda a, b: 0 * (a + b)
    return 0 * (a + b), lambda g: (0 * a, 0 * b)


GAPS = [
    ("maximum", CHAPTER["maximum_parts"]),
    ("cross_entropy", CHAPTER["cross_entropy"]),
    ("flatten", CHAPTER["flatten"]),
    ("inspector", CHAPTER["find_wrong"]),
    ("by_hand", (54, ...)),
    ("maximum", lambda a, b: (np.maximum(a, b), ...)),
    ("maximum", lambda a, b: (np.maximum(a, b), lambda g: (g, ...))),
    ("by_hand", None),
]

WRONG = [
    ("by_hand", (54, -36), "one path of b"),
    ("by_hand", (54, -18), "the other path of b"),
    ("by_hand", (-54, 54), "signs exchanged"),
    ("by_hand", (54, 54), "the sign of one"),
    ("by_hand", (27, -27), "forgets the square's 2"),
    ("by_hand", (54,), "one number"),
    ("by_hand", LIAR, "an object that lies"),
    ("maximum", maximum_with(lambda a, b: 1.0, lambda a, b: 1.0), "g to both"),
    ("maximum", maximum_with(lambda a, b: a < b, lambda a, b: a > b), "the minimum's rule"),
    ("maximum", maximum_with(lambda a, b: 0.5, lambda a, b: 0.5), "half to each"),
    (
        "maximum",
        maximum_with(lambda a, b: a > b, lambda a, b: a < b, lambda g, s: g),
        "never folds",
    ),
    ("maximum", lambda a, b: np.maximum(a, b), "no rule"),
    ("maximum", lambda a, b: (np.maximum(a, b), lambda g: g), "one share"),
    (
        "maximum",
        lambda a, b: (LIAR, lambda g: (LIAR, LIAR)),
        "an object that lies",
    ),
    ("cross_entropy", naive_cross_entropy, "overflows"),
    ("cross_entropy", clipped_cross_entropy, "clips the probability"),
    ("cross_entropy", summed_gradient, "forgets the mean"),
    ("cross_entropy", wrong_sign, "the wrong sign"),
    ("cross_entropy", lambda z, y: cross_entropy_by_scipy(z, y)[0], "no gradient"),
    ("cross_entropy", lambda z, y: (LIAR, LIAR), "an object that lies"),
    ("flatten", flatten_with(forgetful=True), "biases do not pass on"),
    ("flatten", flatten_with(reverse=True), "transposed"),
    ("flatten", lambda Ws, bs: (Ws[-1], bs[-1]), "the last layer"),
    ("flatten", lambda Ws, bs: (sum(w.sum() for w in Ws), 0.0), "numbers"),
    ("flatten", lambda Ws, bs: LIAR, "an object that lies"),
    ("maximum", replaces_maximum, "replaces PyTorch's"),
    (
        "inspector",
        lambda s: {n for n, (_, r) in s.items() if not r.__defaults__},
        "looks at defaults",
    ),
    ("inspector", by_common_code, "looks at the code objects"),
    ("inspector", lambda suspects: set(), "accuses nobody"),
    ("inspector", lambda suspects: set(suspects), "accuses everybody"),
    ("inspector", inspector(signs=(1,)), "positive x only"),
    ("inspector", inspector(high=1.2), "small x only"),
    ("inspector", inspector(random_g=False), "g is always one"),
    ("inspector", inspector(tolerance=0.05), "too lenient"),
    ("inspector", inspector(tolerance=1e-15), "too strict"),
    ("inspector", lambda suspects: {"suspect 99"}, "an unknown name"),
    ("inspector", lambda suspects: LIAR, "an object that lies"),
]

RIGHT = [
    ("by_hand", np.array([54.0, -54.0])),
    ("maximum", maximum_with(lambda a, b: np.where(a >= b, 1, 0), lambda a, b: 1 - (a >= b))),
    ("cross_entropy", cross_entropy_by_scipy),
    ("flatten", flatten_by_probing),
    ("inspector", inspector()),
]

NAMED = {"maximum": "maximum_parts_solution", "inspector": "find_wrong_solution"}


class TestAnswers(Answers):
    checks, solutions = checks, CHAPTER
    wrong, right, gaps, named = WRONG, RIGHT, GAPS, NAMED

    def test_wrong_answers_are_refused(self, wrong: tuple) -> None:
        name, *row = wrong
        card = refused(getattr(checks, name), *row)
        assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]


def test_a_remembered_answer_is_refused() -> None:
    """Right once, then repeated: the check draws fresh arrays every time."""
    memory: list[tuple] = []

    def remembers(z, y):
        if not memory:
            memory.append(cross_entropy_by_scipy(z, y))
        return memory[0]

    assert checks.cross_entropy.check(remembers).status == "not yet"


# --- the chapter's engine, beyond what the chapter shows ------------------------------------------
def test_a_graph_can_be_walked_again_after_the_leaf_is_cleared() -> None:
    Value, backward = CHAPTER["Value"], CHAPTER["backward"]
    x = Value(3.0)
    cube = x * x * x
    for _ in range(3):
        x.grad = 0.0
        backward(cube)
        assert x.grad == 27.0


def test_gradients_of_two_losses_add_up() -> None:
    Tensor, backward, total = (CHAPTER[n] for n in ("Tensor", "backward", "total"))
    a = Tensor([1.0, 2.0])
    backward(total(a * a))
    backward(total(a * 3.0))
    assert a.grad.tolist() == [5.0, 7.0]


def test_backward_refuses_an_array() -> None:
    with pytest.raises(ValueError, match="one number"):
        CHAPTER["backward"](CHAPTER["Tensor"]([1.0, 2.0]))


@pytest.mark.parametrize("seed", range(5))
def test_a_network_of_any_depth_agrees_with_torch(seed: int) -> None:
    new_net, scores, nll, backward = (CHAPTER[n] for n in ("new_net", "scores", "nll", "backward"))
    rng = np.random.default_rng(seed)
    net, x, y = new_net((5, 7, 6, 4), seed), rng.normal(size=(9, 5)), rng.integers(0, 4, 9)
    refs = [torch.tensor(p.data, requires_grad=True) for pair in net for p in pair]
    backward(nll(scores(net, x), y))
    h = torch.tensor(x)
    for k in range(0, len(refs), 2):
        h = (torch.tanh(h) if k else h) @ refs[k] + refs[k + 1]
    torch.nn.functional.cross_entropy(h, torch.tensor(y)).backward()
    for p, r in zip((p for pair in net for p in pair), refs, strict=True):
        assert np.allclose(p.grad, r.grad.numpy(), rtol=0, atol=1e-12)


def test_the_careless_engine_is_wrong_the_second_time() -> None:
    assert CHAPTER["walk_twice"](CHAPTER["careless_backward"]) == [27.0, 45.0]
