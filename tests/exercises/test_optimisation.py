"""The checks of the optimisation chapter have been seen failing, and accept right answers in any style."""

import math
from contextlib import suppress

import numpy as np

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/optimisation")
SOLUTIONS = solutions("models/optimisation")


# --- 1. settings -----------------------------------------------------------------------------------
def descents_rate(H):
    low, *_, high = np.linalg.eigvalsh(H)
    return 2 / (low + high), 0.0


def without_roots(H):
    low, *_, high = np.linalg.eigvalsh(H)
    return 4 / (high + low) ** 2, ((high - low) / (high + low)) ** 2


def root_of_beta(H):
    low, *_, high = np.sqrt(np.linalg.eigvalsh(H))
    return 4 / (high + low) ** 2, (high - low) / (high + low)


def diagonal_only(H):
    low, high = np.sqrt(np.sort(np.diag(H))[[0, -1]])
    return 4 / (high + low) ** 2, ((high - low) / (high + low)) ** 2


def by_singular_values(H):
    high, low = (s**0.5 for s in np.linalg.svd(H, compute_uv=False)[[0, -1]])
    rate = (2 / (high + low)) ** 2
    return [rate, (1 - rate**0.5 * low) ** 2]


# --- 2. batch size ---------------------------------------------------------------------------------
def errors(G: np.ndarray, corrected: bool = True) -> np.ndarray:
    N, B = len(G), np.arange(1, len(G) + 1)
    spread = ((G - G.mean(0)) ** 2).sum(1).mean() / B
    return spread * (N - B) / (N - 1) if corrected else spread


def with_factor(factor):
    """A batch size whose mean squared error is the plain variance over B, times factor(N, B)."""

    def answer(G, share):
        N, B = len(G), np.arange(1, len(G) + 1)
        return first(errors(G, False) * factor(N, B) <= (share * length(G)) ** 2)

    return answer


def length(G: np.ndarray) -> float:
    return float(np.linalg.norm(G.mean(0)))


def first(ok: np.ndarray) -> int:
    return int(np.argmax(np.r_[ok[:-1], True])) + 1


def by_bisection(G, share):
    goal, low, high = (share * length(G)) ** 2, 1, len(G)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if errors(G)[middle - 1] <= goal else (middle + 1, high)
    return low


# --- 4. an optimiser -------------------------------------------------------------------------------
def plain_descent(gradient, w):
    for _ in range(40):
        w = w - 1e-3 * gradient(w)
    return w


def a_hundred_calls(gradient, w):
    for _ in range(100):
        w = w - 1e-4 * gradient(w)
    return w


def diverges(gradient, w):
    for _ in range(40):
        w = w - 10.0 * gradient(w)
    return w


def momentum_guess(gradient, w):
    v = 0 * w
    for _ in range(40):
        v = 0.9 * v + gradient(w)
        w = w - 1e-4 * v
    return w


def forgets_return(gradient, w):
    gradient(w)


def solves_for_the_matrix(gradient, w):
    """Thirteen gradients tell H and the minimum: Newton's method by differences."""
    g = gradient(w)
    H = np.stack([gradient(w + e) - g for e in np.eye(len(w))])
    return w - np.linalg.solve(H, g)


def opens_the_closure(gradient, w):
    """Reads the minimum where a plain closure would keep it."""
    cells = [cell.cell_contents for cell in gradient.__closure__]
    return next((c for c in cells if isinstance(c, np.ndarray) and c.shape == w.shape), w)


def empties_the_count(gradient, w):
    g, H = gradient(w), []
    for e in np.repeat(np.eye(12), 4, axis=0):
        H.append(gradient(w + e) - g)
        for cell in gradient.__closure__:
            if isinstance(cell.cell_contents, list):
                cell.cell_contents.clear()
    return w - np.linalg.solve(np.array(H[::4]), g)


def swallows_the_stop(gradient, w):
    w = solves_for_the_matrix(gradient, w)
    for _ in range(50):
        with suppress(Exception):
            gradient(w)
    return w


GAPS = [("settings", lambda H: (0.1, ...))]

WRONG = [
    ("settings", descents_rate, "the settings of plain descent"),
    ("settings", without_roots, "eigenvalues without their roots"),
    ("settings", root_of_beta, "forgets the square of beta"),
    ("settings", diagonal_only, "reads the diagonal"),
    ("settings", lambda H: tuple(reversed(by_singular_values(H))), "swapped"),
    ("settings", lambda H: (1e300, 1e300), "too large for the picture"),
    ("settings", lambda H: 0.1, "one number"),
    ("settings", lambda H: (AlwaysEqual([0.1]), AlwaysEqual([0.9])), "an object that lies"),
    ("batch_size", lambda G, s: first(errors(G, False) <= (s * length(G)) ** 2), "repeats allowed"),
    ("batch_size", lambda G, s: first(errors(G) <= s * length(G)), "a square against a length"),
    ("batch_size", lambda G, s: first(errors(G) <= s**2), "forgets the length of the gradient"),
    ("batch_size", lambda G, s: max(1, by_bisection(G, s) - 1), "one too few"),
    ("batch_size", lambda G, s: len(G), "always all"),
    ("batch_size", with_factor(lambda N, B: (N - B) / N), "N for N - 1"),
    ("batch_size", with_factor(lambda N, B: (N - B) * N / (N - 1) ** 2), "N - 1 twice"),
    ("batch_size", lambda G, s: AlwaysEqual([4]), "an object that lies"),
    ("leaky_bound", lambda n, leak: math.sqrt(6 / n), "He without the leak"),
    ("leaky_bound", lambda n, leak: math.sqrt(2 / ((1 + leak**2) * n)), "a standard deviation"),
    ("leaky_bound", lambda n, leak: math.sqrt(6 / ((1 + leak) * n)), "leak without its square"),
    ("leaky_bound", lambda n, leak: 6 / ((1 + leak**2) * n), "no root"),
    ("leaky_bound", lambda n, leak: 1e308, "too large for the picture"),
    ("leaky_bound", lambda n, leak: AlwaysEqual([0.1]), "an object that lies"),
    ("minimise", plain_descent, "plain descent"),
    ("minimise", a_hundred_calls, "too many calls"),
    ("minimise", momentum_guess, "momentum without the right settings"),
    ("minimise", diverges, "a rate far too large"),
    ("minimise", forgets_return, "no return"),
    ("minimise", opens_the_closure, "reads the minimum in the closure"),
    ("minimise", empties_the_count, "sets the count of calls back"),
    ("minimise", swallows_the_stop, "catches the stop and goes on"),
    ("minimise", lambda gradient, w: np.zeros(12), "a constant"),
    ("minimise", lambda gradient, w: AlwaysEqual(np.zeros(12)), "an object that lies"),
]

RIGHT = [
    ("settings", by_singular_values),
    ("settings", lambda H: np.array(by_singular_values(H.astype(np.float32)))),
    ("batch_size", lambda G, s: float(by_bisection(G, s))),
    ("batch_size", by_bisection),
    ("leaky_bound", lambda n, leak: np.sqrt(3) * (n * (1 + leak * leak) / 2) ** -0.5),
    ("minimise", solves_for_the_matrix),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS
