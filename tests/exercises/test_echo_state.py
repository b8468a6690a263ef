"""The checks of the echo state chapter have been seen failing, and accept right answers in any style."""

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/echo_state")
SOLUTIONS = solutions("models/echo_state")
TRAP = np.array([[3.0, 9.0], [-1.0, -3.0]])


def by_lyapunov(H, r, k):
    U = r * np.roll(np.eye(H), 1, axis=1)
    w = np.eye(H)[:1]
    C = solve_discrete_lyapunov(U.T, w.T @ w)
    v = w @ np.linalg.matrix_power(U, k)
    return (v @ np.linalg.solve(C, v.T)).item()


def sing(W, U, b, leak, V, c, h, steps, *, late=False, swapped=False, no_bias=False, frozen=False):
    found, y = [], h @ V + c
    for _ in range(steps):
        if not late:
            found.append(y)
        share = 1 - leak if swapped else leak
        if not frozen:
            h = (1 - share) * h + share * np.tanh(y @ W + h @ U + (0 if no_bias else b))
        y = h @ V + c
        if late:
            found.append(y)
    return np.array(found)


def like_this(**style):
    return lambda *args: sing(*args, **style)


def listen(P, V, h, y, *, new_p=False, no_one=False, keep_p=False, squared=False):
    h, y = h[:, None], y[:, None]
    bottom = (h.T @ P @ h).item() + (0 if no_one else 1)
    g = P @ h / bottom
    Q = P if keep_p else P - g @ (h.T @ P)
    if new_p:
        g = Q @ h / (1 + (h.T @ Q @ h).item())
    return Q, V + g @ ((y - V.T @ h).T * (2 if squared else 1))


def hear(**style):
    return lambda *args: listen(*args, **style)


def single(answer):
    """The same in single precision."""
    return lambda *args: answer(*(np.float32(a) if isinstance(a, np.ndarray) else a for a in args))


GAPS = [("restless", {"U": ..., "h": ...})]

WRONG = [
    ("restless", {"U": TRAP, "h": [0.9, 0.9]}, "stays where it is"),
    ("restless", {"U": -TRAP, "h": [0.0, 0.0]}, "zero stays zero"),
    ("restless", {"U": -0.5 * np.eye(2), "h": [0.9, 0.9]}, "jumps, and dies away"),
    ("restless", {"U": -2.0 * np.eye(2), "h": [0.9, 0.9]}, "a radius of two"),
    ("restless", {"U": [[0, 3], [-3, 0]], "h": [0.9, 0.9]}, "a radius of three"),
    ("restless", {"U": -TRAP, "h": [0.9]}, "half a start"),
    ("restless", {"U": -TRAP}, "no start"),
    ("restless", (-TRAP, [0.9, 0.9]), "no dictionary"),
    ("restless", {"U": np.full((2, 2), np.nan), "h": [0.9, 0.9]}, "not a number"),
    ("restless", AlwaysEqual([1.0]), "an object that lies"),
    ("stair", lambda H, r, k: r ** (2 * k), "every number alone in its unit"),
    ("stair", lambda H, r, k: 1.0 if k < H else 0.0, "a delay line"),
    ("stair", lambda H, r, k: 1 - r ** (2 * H) if k < H else 0.0, "the first round only"),
    ("stair", lambda H, r, k: r ** (H * (k // H)) * (1 - r ** (2 * H)), "sizes, not squares"),
    ("stair", lambda H, r, k: by_lyapunov(H, r, k + 1), "one lag off"),
    ("stair", lambda H, r, k: r ** (2 * H * ((k - 1) // H)) * (1 - r ** (2 * H)), "a round late"),
    ("stair", lambda H, r, k: r ** (2 * k) * (1 - r ** (2 * H)), "a slope, no stair"),
    ("stair", lambda H, r, k: by_lyapunov(H, r, k) if k < 5 * H else 0.0, "only the first rounds"),
    ("stair", lambda H, r, k: AlwaysEqual([1.0]), "an object that lies"),
    ("sing", like_this(late=True), "steps before it answers"),
    ("sing", like_this(swapped=True), "leak and rest exchanged"),
    ("sing", like_this(no_bias=True), "forgets the bias"),
    ("sing", like_this(frozen=True), "the state never moves"),
    ("sing", lambda *args: sing(*args)[:-1], "one answer short"),
    ("sing", lambda W, U, *rest: sing(W, U.T, *rest), "U transposed"),
    ("sing", lambda *args: sing(*args)[:, :1] + np.zeros(args[5].shape), "one output for all"),
    ("sing", lambda *args: AlwaysEqual([1.0]), "an object that lies"),
    ("listen", hear(new_p=True), "the gain from the new P"),
    ("listen", hear(no_one=True), "forgets the one below"),
    ("listen", hear(keep_p=True), "P stays"),
    ("listen", hear(squared=True), "twice the step"),
    ("listen", lambda P, V, h, y: listen(P, V, h, y)[::-1], "in the wrong order"),
    ("listen", lambda P, V, h, y: listen(P, V, h, y)[1], "V alone"),
    ("listen", lambda P, V, h, y: AlwaysEqual([1.0]), "an object that lies"),
]

RIGHT = [
    ("restless", {"U": (-TRAP).tolist(), "h": (-0.9, -1.0)}),
    ("restless", {"U": -1.5 * TRAP, "h": np.array([0.5, 0.9])}),
    ("restless", {"U": -TRAP[::-1, ::-1], "h": [0.9, 0.9]}),
    ("stair", by_lyapunov),
    ("sing", like_this()),
    ("sing", lambda *args: [list(row) for row in sing(*args)]),
    ("sing", single(sing)),
    ("listen", hear()),
    ("listen", single(listen)),
    (
        "listen",
        lambda P, V, h, y: (
            Q := np.linalg.inv(np.linalg.inv(P) + np.outer(h, h)),
            V + np.outer(Q @ h, y - h @ V),
        ),
    ),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_a_remembered_answer_is_refused() -> None:
    """Right once, then repeated: the check draws fresh data every time."""
    memory: list[np.ndarray] = []

    def remembers(*args):
        if not memory:
            memory.append(sing(*args))
        return memory[0]

    assert checks.sing.check(remembers).status == "not yet"
