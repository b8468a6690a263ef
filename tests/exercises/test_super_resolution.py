"""The checks of the super-resolution chapter have been seen failing, and accept right answers in any style."""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.metrics import peak_signal_noise_ratio

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("applications/super_resolution")
SOLUTIONS = solutions("applications/super_resolution")


def step_with(x, z, atoms, lam, *, threshold=None, length=None, sign=1.0):
    L = np.linalg.norm(atoms, 2) ** 2 if length is None else length(atoms)
    u = z + sign * (x - z @ atoms.T) @ atoms / L
    t = lam / L if threshold is None else threshold(lam, L)
    return np.sign(u) * np.maximum(np.abs(u) - t, 0)


def hard(x, z, atoms, lam):
    L = np.linalg.norm(atoms, 2) ** 2
    u = z + (x - z @ atoms.T) @ atoms / L
    return np.where(np.abs(u) > lam / L, u, 0)


def as_in_lista(x, z, atoms, lam):
    L = np.linalg.svd(atoms, compute_uv=False)[0] ** 2
    u = x @ (atoms / L) + z @ (np.eye(atoms.shape[1]) - atoms.T @ atoms / L).T
    return u - np.clip(u, -lam / L, lam / L)


def gain(a, b, y, border, *, clip=True, cut=True, swap=False, naive=False):
    if clip:
        a, b = a.clip(0, 1), b.clip(0, 1)
    if cut and naive:
        a, b, y = (z[border:-border, border:-border] for z in (a, b, y))
    elif cut:
        a, b, y = (z[border : len(z) - border, border : z.shape[1] - border] for z in (a, b, y))
    g = 10 * np.log10(((b - y) ** 2).mean() / ((a - y) ** 2).mean())
    return -g if swap else g


def by_skimage(a, b, y, border):
    inside = np.pad(np.ones([n - 2 * border for n in y.shape], bool), border)
    theirs = [
        peak_signal_noise_ratio(y[inside], g.clip(0, 1)[inside], data_range=1) for g in (a, b)
    ]
    return theirs[0] - theirs[1]


def natural_log(a, b, y, border):
    return gain(a, b, y, border) * np.log(10)


def spoils(a, b, y, border):
    np.log10 = np.log2
    return 0.0


ONE = np.pad([[1.0]], 4)


def sharpen(amount, sigma=1.0):
    return ONE + amount * (ONE - gaussian_filter(ONE, sigma))


def laplace(amount):
    return np.array([[0, -amount, 0], [-amount, 1 + 4 * amount, -amount], [0, -amount, 0]])


GAPS = [("decibels", (..., ...)), ("decibels", (34.15, ...))]

WRONG = [
    ("decibels", (17.08, 3.01), "forgets the square"),
    ("decibels", (34.15, 6.02), "halves the error, not its square"),
    ("decibels", (-34.15, 3.01), "the sign"),
    ("decibels", (78.6, 3.01), "natural logarithm"),
    ("decibels", (float("nan"), 3.01), "not a number"),
    ("decibels", AlwaysEqual([34.15, 3.01]), "an object that lies"),
    (
        "ista_step",
        lambda x, z, a, lam: step_with(x, z, a, lam, threshold=lambda t, L: t),
        "shrinks by lambda",
    ),
    (
        "ista_step",
        lambda x, z, a, lam: step_with(x, z, a, lam, length=lambda d: np.linalg.norm(d, 2)),
        "L not squared",
    ),
    (
        "ista_step",
        lambda x, z, a, lam: step_with(x, z, a, lam, length=lambda d: (d**2).sum()),
        "Frobenius norm",
    ),
    ("ista_step", lambda x, z, a, lam: step_with(x, z, a, lam, sign=-1), "uphill"),
    (
        "ista_step",
        lambda x, z, a, lam: np.maximum(step_with(x, z, a, lam), 0),
        "ReLU instead of shrinkage",
    ),
    ("ista_step", hard, "hard threshold"),
    ("ista_step", lambda x, z, a, lam: AlwaysEqual(z), "an object that lies"),
    ("fair_gain", lambda *v: gain(*v, clip=False), "does not clip"),
    ("fair_gain", lambda *v: gain(*v, cut=False), "keeps the border"),
    ("fair_gain", lambda *v: gain(*v, naive=True), "border 0 leaves nothing"),
    ("fair_gain", lambda *v: gain(*v, swap=True), "the wrong way round"),
    ("fair_gain", natural_log, "natural logarithm"),
    ("fair_gain", spoils, "replaces the library's function"),
    ("fair_gain", lambda *v: AlwaysEqual(0.0), "an object that lies"),
    ("kernel", ONE, "changes nothing"),
    ("kernel", gaussian_filter(ONE, 1.0), "blurs"),
    ("kernel", sharpen(6.0), "sharpens far too much"),
    ("kernel", 1.3 * sharpen(0.9), "brightens"),
    ("kernel", np.ones((4, 4)) / 16, "an even side"),
    ("kernel", np.pad(sharpen(0.9), 3), "too large"),
    ("kernel", np.full((3, 3), np.nan), "not a number"),
    ("kernel", AlwaysEqual(sharpen(0.9)), "an object that lies"),
]

RIGHT = [
    ("decibels", [34.2, 3.0]),
    ("decibels", np.array([34.1514, 3.0103])),
    ("ista_step", as_in_lista),
    ("fair_gain", by_skimage),
    ("kernel", laplace(0.2)),
    ("kernel", sharpen(0.7, 1.2).tolist()),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_a_remembered_answer_is_refused() -> None:
    memory: list[float] = []

    def remembers(a, b, y, border):
        memory.append(gain(a, b, y, border))
        return memory[0]

    assert checks.fair_gain.check(remembers).status == "not yet"
