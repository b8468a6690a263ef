"""The checks of the chapter on memory blocks have been seen failing, and accept right answers in any style."""

import numpy as np

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("applications/speech_models")
SOLUTIONS = solutions("applications/speech_models")


def convolved(h, a, c):
    """Another style: one np.convolve per unit."""
    kernels = np.concatenate([c[::-1], a])  # oldest output first
    full = [
        np.convolve(h[:, u], kernels[:, u])[len(c) : len(c) + len(h)] for u in range(h.shape[1])
    ]
    return np.stack(full, 1)


def reversed_past(h, a, c):
    return SOLUTIONS["memory_block_solution"](h, a[::-1], c)


def wraps_round(h, a, c):
    out = sum(row * np.roll(h, i, 0) for i, row in enumerate(a))
    return out + sum(row * np.roll(h, -j, 0) for j, row in enumerate(c, start=1))


def no_future(h, a, c):
    return SOLUTIONS["memory_block_solution"](h, a, c[:0])


def future_from_now(h, a, c):
    return (
        SOLUTIONS["memory_block_solution"](h, a, c[:0])
        + SOLUTIONS["memory_block_solution"](h[::-1], c, c[:0])[::-1]
        if len(c)
        else h * a[0]
    )


def indexes_before_the_start(h, a, c):
    extra = [
        sum(a[i] * h[t - i] for i in range(t + 1, min(len(a), t + len(h)))) for t in range(len(h))
    ]
    return SOLUTIONS["memory_block_solution"](h, a, c) + np.array(
        [np.zeros(h.shape[1]) + e for e in extra]
    )


def changes_its_input(h, a, c):
    h += 1
    return h


def slope_only(f0):
    y = f0[f0 > 0]
    return 2 if y[-1] > y[0] else 4


def by_polynomial(f0):
    """Another style: slope and curvature of a parabola through the logarithm."""
    y = np.log2(f0[f0 > 0])
    y = y[len(y) // 4 :]
    x = np.linspace(-1, 1, len(y))
    curve, slope, _ = np.polyfit(x, y, 2)
    if curve > 0.12:
        return 3
    return 4 if slope < -0.1 else 2 if slope > 0.06 else 1


GAPS = [("weights", lambda units, back, ahead: (units * (back + ahead + 1), ...))]

WRONG = [
    ("delay", 80, "only the largest"),
    ("delay", 8, "steps instead of milliseconds"),
    ("delay", "160", "a text"),
    ("delay", 0.16, "seconds"),
    ("delay", AlwaysEqual(160.0), "an object that lies"),
    ("memory_block", reversed_past, "the past in the wrong order"),
    ("memory_block", wraps_round, "the end wraps round to the beginning"),
    ("memory_block", no_future, "forgets the future"),
    ("memory_block", future_from_now, "the future begins with the present"),
    ("memory_block", changes_its_input, "changes its input"),
    ("memory_block", indexes_before_the_start, "a negative index reads the end"),
    ("memory_block", lambda h, a, c: AlwaysEqual([1.0]), "an object that lies"),
    ("weights", lambda u, b, a: (u * (b + a), u * u * (b + a)), "forgets the present"),
    ("weights", lambda u, b, a: (u * (b + a + 1), u * (b + a + 1)), "no mixing of units"),
    ("weights", lambda u, b, a: u * (b + a + 1), "one number"),
    ("weights", lambda u, b, a: (u * u * (b + a + 1), u * (b + a + 1)), "the wrong way round"),
    ("weights", lambda u, b, a: (AlwaysEqual(1.0), AlwaysEqual(1.0)), "an object that lies"),
    ("name_tone", lambda f0: 1, "always the first"),
    ("name_tone", slope_only, "two tones only"),
    ("name_tone", lambda f0: 5, "no such tone"),
    ("name_tone", lambda f0: AlwaysEqual(2.0), "an object that lies"),
]

RIGHT = [
    ("delay", 160.0),
    ("memory_block", convolved),
    ("weights", lambda u, b, a: [(b + a + 1) * u, (b + a + 1) * u**2]),
    ("weights", lambda u, b, a: np.array([u, u**2]) * (b + a + 1)),
    ("name_tone", by_polynomial),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_the_pass_mark_is_far_from_the_solutions() -> None:
    """Fresh voices every time: the solution must not pass by luck."""
    rng = np.random.default_rng(0)
    tracks, tones = checks._spoken(rng, 400)
    for named in (SOLUTIONS["name_tone_solution"], by_polynomial):
        assert np.mean([named(f0) == tone for f0, tone in zip(tracks, tones, strict=True)]) > 0.9
