"""The checks of the autoencoder chapter have been seen failing, and accept right answers in any style."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/autoencoder")
SOLUTIONS = solutions("models/autoencoder")


def singular(X, k, centre=True, size=None):
    s = np.linalg.svd(X - centre * X.mean(0), compute_uv=False)
    return (s[k:] ** 2).sum() / (size or X.size)


def floor_by_projection(X, k):
    centred = X - X.mean(0)
    _, vectors = np.linalg.eigh(np.cov(X.T))
    kept = vectors[:, -k:]
    return float(np.mean((centred - centred @ kept @ kept.T) ** 2))


def squares(x, clean):
    return ((x[:, None] - clean[None]) ** 2).sum(-1)


def naive_denoiser(x, clean, sigma):
    with np.errstate(all="ignore"):
        weight = np.exp(-squares(x, clean) / (2 * sigma**2))
        return weight @ clean / weight.sum(1, keepdims=True)


def nearest(x, clean, sigma):
    return clean[squares(x, clean).argmin(1)]


def forgets_the_half(x, clean, sigma):
    far = squares(x, clean) / sigma**2
    weight = np.exp(far.min(1, keepdims=True) - far)
    return weight @ clean / weight.sum(1, keepdims=True)


def score_only(x, clean, sigma):
    return (SOLUTIONS["denoiser_solution"](x, clean, sigma) - x) / sigma**2


def torch_denoiser(x, clean, sigma):
    x, clean = torch.tensor(x), torch.tensor(clean)
    return torch.softmax(-(torch.cdist(x, clean) ** 2) / (2 * sigma**2), 1) @ clean


def jacobian_norm(x, W, b, power=2, slope=lambda z: 1 - z**2):
    z = np.tanh(x @ W + b)
    return slope(z) ** power @ (W**2).sum(0)


def by_differences(x, W, b, h=1e-5):
    steps = [
        (np.tanh((x + h * e) @ W + b) - np.tanh((x - h * e) @ W + b)) / (2 * h)
        for e in np.eye(x.shape[1])
    ]
    return np.square(steps).sum((0, 2))


def straight(t, units=3):
    """The solution's idea with slope t; for more units than three, the first three do the work."""
    W, V = np.zeros((3, units)), np.zeros((units, 3))
    W[:, :3], V[:3] = t * np.eye(3), 4 / t * np.eye(3)
    b = np.zeros(units)
    b[:3] = -t / 2
    return {"W": W, "b": b, "V": V, "c": np.full(3, 0.5 - 2 / t)}


def shared_minimum(x, clean, sigma):
    """Subtracts the smallest distance of all, so the bells of points far away still underflow."""
    far = squares(x, clean) / (2 * sigma**2)
    with np.errstate(all="ignore"):
        weight = np.exp(far.min() - far)
        return weight @ clean / weight.sum(1, keepdims=True)


def overflowing(units):
    """Plus and minus infinity meet in each sum: NaN, which no comparison finds too large."""
    V = np.full((units, 3), 1.7e308)
    V[::2] *= -1
    return {"W": np.zeros((3, units)), "b": np.full(units, 50.0), "V": V, "c": np.zeros(3)}


def in_float32(answer):
    def single(value):
        return value.astype(np.float32) if isinstance(value, np.ndarray) else value

    return lambda *args: answer(*(single(value) for value in args))


LIE = AlwaysEqual([0.1, 0.2, 0.3])

GAPS = [("copier", {"W": ..., "b": ..., "V": ..., "c": ...})]

WRONG = [
    ("floor", lambda X, k: singular(X, k, centre=False), "not centred"),
    ("floor", lambda X, k: singular(X, k, size=len(X)), "sum over entries, mean over points only"),
    ("floor", lambda X, k: singular(X, k + 1), "one component too many"),
    ("floor", lambda X, k: singular(X, k) ** 0.5, "the root of it"),
    ("floor", lambda X, k: singular(X, 0) - singular(X, k), "what is kept, not what is lost"),
    ("floor", lambda X, k: singular(X, k, size=X.size - X.shape[1]), "divides by N - 1"),
    ("floor", lambda X, k: LIE, "an object that lies"),
    ("denoiser", naive_denoiser, "underflows"),
    ("denoiser", shared_minimum, "subtracts one minimum for all points"),
    ("denoiser", lambda x, clean, sigma: x * np.nan, "no numbers at all"),
    ("denoiser", nearest, "the nearest point"),
    ("denoiser", forgets_the_half, "forgets the factor 2"),
    ("denoiser", score_only, "the score, not the origin"),
    ("denoiser", lambda x, clean, sigma: x, "the identity"),
    ("denoiser", lambda x, clean, sigma: LIE, "an object that lies"),
    ("contraction", lambda x, W, b: jacobian_norm(x, W, b, power=1), "forgets to square the slope"),
    (
        "contraction",
        lambda x, W, b: jacobian_norm(x, W, b, slope=lambda z: z * (1 - z)),
        "the slope of a sigmoid",
    ),
    ("contraction", lambda x, W, b: jacobian_norm(x, W, b) ** 0.5, "the norm, not its square"),
    ("contraction", lambda x, W, b: jacobian_norm(x, W, b).mean(), "one number for all points"),
    ("contraction", lambda x, W, b: LIE, "an object that lies"),
    ("copier", straight(1.0), "bends too much"),
    (
        "copier",
        {"W": np.eye(3), "b": np.zeros(3), "V": np.eye(3), "c": np.zeros(3)},
        "the identity without a thought for the sigmoid",
    ),
    ("copier", straight(0.1) | {"c": np.full(3, -20.0)}, "forgets the half"),
    ("copier", straight(0.1) | {"b": np.zeros(3)}, "forgets the middle"),
    ("copier", {"W": np.eye(3), "V": np.eye(3)}, "no biases"),
    ("copier", overflowing(16), "its sums are NaN"),
    ("copier", overflowing(1000), "its sums are NaN, with many units"),
    ("copier", [np.eye(3), np.zeros(3)], "no dictionary"),
    ("copier", LIE, "an object that lies"),
]

RIGHT = [
    ("floor", floor_by_projection),
    ("floor", in_float32(singular)),
    ("denoiser", in_float32(SOLUTIONS["denoiser_solution"])),
    ("contraction", in_float32(jacobian_norm)),
    ("denoiser", torch_denoiser),
    ("contraction", by_differences),
    ("copier", {k: v.tolist() for k, v in straight(0.01).items()}),
    ("copier", straight(0.2, units=5)),
]

NAMED = {"floor": "floor_of_solution", "contraction": "tanh_contraction_solution"}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps, named = WRONG, RIGHT, GAPS, NAMED


def test_a_remembered_answer_is_refused() -> None:
    """Right once, then repeated: the check draws fresh data every time."""
    memory: list[float] = []

    def remembers(X, k):
        if not memory:
            memory.append(singular(X, k))
        return memory[0]

    assert checks.floor.check(remembers).status == "not yet"


def test_a_replaced_library_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reference runs on a function that an answer could replace unseen."""

    def identity(x, clean, sigma):
        monkeypatch.setattr(torch.autograd, "grad", lambda out, at: (torch.zeros_like(at),))
        return x

    def nothing(X, k):
        monkeypatch.setattr(PCA, "inverse_transform", lambda self, z: X)
        return 0.0

    assert checks.denoiser.check(identity).status == "not yet"
    assert checks.floor.check(nothing).status == "not yet"


def test_the_references_agree_with_independent_libraries() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 6)) + 3
    pca = PCA(2, svd_solver="full").fit(X)
    error = ((pca.inverse_transform(pca.transform(X)) - X) ** 2).mean()
    assert checks._floor_reference(X, 2) == pytest.approx(error, rel=1e-10)

    for sigma in (1.0, 0.01):
        x, clean = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
        at = torch.tensor(x, requires_grad=True)
        far = ((at[:, None] - torch.tensor(clean)) ** 2).sum(-1) / (2 * sigma**2)
        (score,) = torch.autograd.grad(torch.logsumexp(-far, 1).sum(), at)
        wanted = x + sigma**2 * score.numpy()
        np.testing.assert_allclose(checks._denoiser_reference(x, clean, sigma), wanted, atol=1e-10)

    x, W, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 5)), rng.normal(size=5)
    weights, bias = torch.tensor(W), torch.tensor(b)
    jacobian = torch.autograd.functional.jacobian
    each = [jacobian(lambda p: torch.tanh(p @ weights + bias), p) for p in torch.tensor(x)]
    wanted = torch.stack(each).square().sum((1, 2)).numpy()
    np.testing.assert_allclose(checks._contraction_reference(x, W, b), wanted, rtol=1e-10)


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("floor", lambda X, k: singular(X, k, centre=False), "Subtract the mean"),
        ("floor", lambda X, k: singular(X, k, size=len(X)), "X.size"),
        ("floor", lambda X, k: singular(X, 0) - singular(X, k), "what they lose"),
        ("denoiser", shared_minimum, "the point's own"),
        ("denoiser", lambda x, clean, sigma: x * np.nan, "division by zero"),
        ("copier", straight(0.1) | {"c": np.full(3, -20.0)}, "V and c can mend it"),
        ("copier", straight(1.0), "V and c can mend it"),
        ("copier", straight(3.0), "straighter part"),
        ("copier", straight(0.1) | {"V": np.full((3, 3), 1.7e308)}, "overflow"),
        ("copier", {"W": np.eye(3), "V": np.eye(3)}, "came V, W"),
    ],
)
def test_the_sentence_fits_the_mistake(name: str, answer: object, words: str) -> None:
    card = getattr(checks, name).check(answer)
    assert words in card.text
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]
