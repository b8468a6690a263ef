"""The checks of the chapter on machines for real numbers have been seen failing, and accept right answers in any style."""

from itertools import product

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/rbm_family")
SOLUTIONS = solutions("models/rbm_family")


def states(n):
    return np.array(list(product((0.0, 1.0), repeat=n)))


def softmax(z):
    p = np.exp(z - z.max())
    return p / p.sum()


def balls(W, a, b, sigma, *, safe=True, square=True, normal=True, bias=True, scaled=False):
    S = states(len(b))
    means = a + S @ (W * sigma[:, None] if scaled else W).T
    z = S @ b if bias else 0 * S[:, 0]
    if square:
        z = z + ((means**2 - a**2) / (2 * sigma**2)).sum(1)
    if not safe:
        with np.errstate(all="ignore"):
            return np.exp(z) / np.exp(z).sum(), means
    return (softmax(z) if normal else np.exp(z - z.max())), means


def balls_reversed(W, a, b, sigma):
    weights, means = balls(W, a, b, sigma)
    return weights[::-1], means[::-1]


def balls_by_loops(W, a, b, sigma):
    means, scores = [], []
    for h in product((0, 1), repeat=len(b)):
        mean = [a[i] + sum(W[i, j] * h[j] for j in range(len(b))) for i in range(len(a))]
        means.append(mean)
        left = sum((m * m - a[i] ** 2) / 2 / sigma[i] ** 2 for i, m in enumerate(mean))
        scores.append(left + sum(b[j] * h[j] for j in range(len(b))))
    return list(softmax(np.array(scores))), means


def fill(v, missing, weights, means, covs, *, spoken=True, logs=True, det=True, regress=True):
    known = np.array([i for i in range(len(v)) if i not in missing])
    scores, out = [], []
    for w, m, C in zip(weights, means, covs, strict=True):
        inverse = np.linalg.inv(C[known][:, known])
        d = v[known] - m[known]
        z = np.log(w)
        if spoken:
            z += -0.5 * d @ inverse @ d + (0.5 * np.log(np.linalg.det(inverse)) if det else 0)
        scores.append(z)
        out.append(m[missing] + (C[missing][:, known] @ inverse @ d if regress else 0))
    z = np.array(scores)
    if not logs:
        with np.errstate(all="ignore"):
            return np.exp(z) / np.exp(z).sum() @ np.array(out)
    return softmax(z) @ np.array(out)


def likeliest(v, missing, weights, means, covs):
    """The best Gaussian takes all."""
    sizes = [
        fill(v, missing, np.eye(len(weights))[k] + 1e-300, means, covs) for k in range(len(weights))
    ]
    return sizes[int(np.argmax(weights))]


def fill_by_precision(v, missing, weights, means, covs):
    """The same from precision matrices."""
    known = np.setdiff1d(np.arange(len(v)), missing)
    z, out = [], []
    for w, m, C in zip(weights, means, covs, strict=True):
        K = np.linalg.inv(C)
        d = v[known] - m[known]
        out.append(m[missing] - np.linalg.solve(K[missing][:, missing], K[missing][:, known] @ d))
        inner = C[known][:, known]
        z.append(np.log(w) - 0.5 * d @ np.linalg.solve(inner, d) - 0.5 * np.linalg.slogdet(inner)[1])  # fmt: skip
    return (softmax(np.array(z)) @ np.array(out)).tolist()


def transfer(x, y, new, U, V, R, c, d, back, *, swap=True, bias=True, soft=True, both=False):
    z = ((x @ U) * (y @ V)) @ R.T + (c if bias else 0)
    h = 0.5 * np.tanh(0.5 * z) + 0.5 if soft else z
    if back and swap:
        return ((new @ V) * (h @ R)) @ U.T + (d if both else 0)
    return d + ((new @ U) * (h @ R)) @ V.T


def transfer_by_loops(x, y, new, U, V, R, c, d, back):
    out = []
    for n in range(len(x)):
        h = [1 / (1 + np.exp(-(c[k] + sum((x[n] @ U) * (y[n] @ V) * R[k])))) for k in range(len(c))]
        M = U @ np.diag(np.array(h) @ R) @ V.T
        out.append(M @ new[n] if back else d + new[n] @ M)
    return out


GAPS = [("stretch", (..., 0.5))]

WRONG = [
    ("stretch", (3, 3), "no such machine"),
    ("stretch", (0, 0), "a circle"),
    ("stretch", (8**0.5 / 3, 0), "along the first axis"),
    ("stretch", (2 / 3, -2 / 3), "the other diagonal"),
    ("stretch", (0.5, 0.5), "too short"),
    ("stretch", (8 / 9, 8 / 9), "the square instead of the length"),
    ("stretch", (0.6, 0.6, 0.6), "three numbers"),
    ("stretch", AlwaysEqual((0.1, 0.1)), "an object that lies"),
    ("balls", lambda *a: balls(*a, safe=False), "overflows"),
    ("balls", lambda *a: balls(*a, square=False), "forgets what completing the square leaves"),
    ("stretch", (0.7801065492325736, -0.6256466829165213), "of length 1 but for rounding"),
    ("balls", lambda *a: balls(*a, normal=False), "does not normalise"),
    ("balls", lambda *a: balls(*a, bias=False), "forgets the biases"),
    ("balls", lambda *a: balls(*a, scaled=True), "scales the links by sigma"),
    ("balls", balls_reversed, "codes in reverse"),
    ("balls", lambda *a: balls(*a)[1], "means only"),
    ("balls", lambda *a: AlwaysEqual(np.ones(8) / 8), "an object that lies"),
    ("fill", lambda *a: fill(*a, spoken=False), "keeps the prior weights"),
    ("fill", lambda *a: fill(*a, det=False), "forgets the determinant"),
    ("fill", lambda *a: fill(*a, regress=False), "fills in the means"),
    ("fill", lambda *a: fill(*a, logs=False), "underflows far away"),
    ("fill", likeliest, "the heaviest takes all"),
    ("fill", lambda v, i, *m: fill(v, np.sort(i), *m), "puts the pixels in order"),
    ("fill", lambda v, i, w, m, c: w @ m[:, i], "ignores the known pixels"),
    ("fill", lambda *a: AlwaysEqual(np.zeros(1)), "an object that lies"),
    ("transfer", lambda *a: transfer(*a, swap=False), "does not go back"),
    ("transfer", lambda *a: transfer(*a, bias=False), "forgets the biases of the code"),
    ("transfer", lambda *a: transfer(*a, soft=False), "no sigmoid"),
    ("transfer", lambda *a: transfer(*a, both=True), "adds d on the way back"),
    ("transfer", lambda x, y, new, *a: transfer(x, y, x, *a), "gives the old picture back"),
    ("transfer", lambda *a: AlwaysEqual(np.zeros((3, 4))), "an object that lies"),
]

RIGHT = [
    ("stretch", np.array([-2 / 3, -2 / 3])),
    ("stretch", [0.6667, 0.6667]),
    ("balls", balls),
    ("balls", balls_by_loops),
    ("fill", fill),
    ("fill", fill_by_precision),
    ("transfer", transfer),
    ("transfer", transfer_by_loops),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("stretch", (3, 3), "positive definite"),
        ("stretch", (2 / 3, -2 / 3), "along (1, 1)"),
        ("balls", lambda *a: balls(*a, safe=False), "overflows"),
        ("balls", lambda *a: balls(*a, square=False), "left over"),
        ("fill", lambda *a: fill(*a, logs=False), "underflows"),
        ("transfer", lambda *a: transfer(*a, both=True), "without d"),
    ],
)
def test_the_sentence_says_what_to_do(name: str, answer: object, words: str) -> None:
    card = getattr(checks, name).check(answer)
    assert words in card.text
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]
