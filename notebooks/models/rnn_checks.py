"""Checks of the chapter on recurrent networks."""

import math
from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scene

# --- 1. a unit that does not forget ---------------------------------------------------------------
NOISE, STEPS = 0.3, 300


def _run_latch(w: float, v: float, bit: int, noise: np.ndarray) -> np.ndarray:
    """States (T + 1,) after the bit and after each of the noise values (T,)."""
    states = [math.tanh(v * bit)]
    for n in noise:
        states.append(math.tanh(w * states[-1] + n))
    return np.array(states)


def _pushes_down(w: float) -> np.ndarray:
    """The noise (T,) that makes the last state as low as noise can: a negative w turns each push round."""
    left = np.arange(STEPS)[::-1]  # steps still to come
    return -NOISE * np.sign(w) ** left


def _latch_picture(w: float, v: float, what: str, noise: np.ndarray) -> dict:
    runs = {bit: _run_latch(w, v, bit, bit * noise) for bit in (1, -1)}
    steps = np.arange(STEPS + 1)
    return scene(
        panel(
            plot(steps, runs[1], color="c1", label="bit +1"),
            plot(steps, runs[-1], color="c2", dash="4 3", label="bit -1"),
            plot([0, STEPS], [0, 0], color="fg", width=1),
            title=f"your unit under {what}",
            xlabel="step",
            ylabel="state",
            ylim=(-1.1, 1.1),
        )
    )


def _check_latch(answer: Any) -> str:
    w, v = require.array(answer, "(w, v)", shape=(2,))
    random = require.rng().uniform(-NOISE, NOISE, STEPS)
    for what, noise in (
        ("random noise", random),
        ("noise that always pushes against the bit", _pushes_down(w)),
    ):
        for bit in (1, -1):
            end = _run_latch(w, v, bit, bit * noise)[-1]
            if bit * end <= 0:
                raise Wrong(
                    f"bit {bit:+d}, {what}: expected a last state of the sign of the bit, came {end:.3g}. "
                    "The well must be deeper than the noise can climb, and the first input must land in it.",
                    _latch_picture(w, v, what, noise),
                )
    return "both bits survive 300 steps, even of noise that always pushes against them."


latch = Exercise(
    "rnn-latch",
    "Choose w and v so that one unit keeps a bit under noise",
    check=_check_latch,
    hints=(
        "Play with the figure at the top of the chapter: for which w are there two wells?",
        "The noise shifts the curve tanh(w h) by up to 0.3. The upper well must survive the shift: draw tanh(w h - 0.3) and h.",
        "w = 1.2 has wells, but noise of 0.3 lifts the state out. Go to 2, and let v put the state far into its well.",
    ),
    answer="value",
)


# --- 2. a memory with radius zero -----------------------------------------------------------------
LAG = 3


def _delay_parts(answer: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if type(answer) is not dict or set(answer) != {"W", "U", "V"}:
        raise Wrong('expected a dictionary with the three keys "W", "U" and "V".')
    W = require.array(answer["W"], "W", shape=(1, None))
    units = W.shape[1]
    if not 1 <= units <= 5:
        raise Wrong(f"W: expected one to five units (columns), came {units}.")
    U = require.array(answer["U"], "U", shape=(units, units))
    return W, U, require.array(answer["V"], "V", shape=(units, 1))


def _delay_picture(x: np.ndarray, y: np.ndarray) -> dict:
    steps = np.arange(len(x))
    return scene(
        panel(
            plot(steps, x, color="muted", label="input"),
            plot(steps[LAG:], x[:-LAG], color="c1", label="wanted"),
            plot(steps, y, color="c2", dash="4 3", label="your output"),
            xlabel="step",
            ylabel="value",
        )
    )


def _check_delay(answer: Any) -> str:
    W, U, V = _delay_parts(answer)
    x, h, y = require.rng().normal(size=20), np.zeros(U.shape[0]), []
    with np.errstate(over="ignore", invalid="ignore"):  # a network that blows up is refused below
        for value in x:
            h = value * W[0] + h @ U
            y.append(float(h @ V[:, 0]))
    wanted = np.concatenate([np.zeros(LAG), x[:-LAG]])
    require.close(
        y,
        wanted,
        what="the outputs for 20 random inputs",
        do="Follow one input through the units: where is it after one step, after two, after three?",
        figure=_delay_picture(x, np.clip(y, -5, 5)),
    )
    radius = np.abs(np.linalg.eigvals(U)).max()
    return (
        f"a delay of three steps with {len(U)} units. Rounded to one decimal, the largest eigenvalue of "
        f"U has size {radius:.1f}: the radius says what is left in the end, not what is remembered on the way."
    )


delay = Exercise(
    "rnn-delay",
    "Find W, U and V of a linear network that delays its input by three steps",
    check=_check_delay,
    hints=(
        "Let the units stand in a row. The input enters at the first.",
        "At every step each unit hands its value to the next; U has ones beside the diagonal and zeros elsewhere.",
        "With rows as states, h @ U moves h[0] to place 1 if U[0, 1] = 1. Four units; V reads the last.",
    ),
    answer="value",
)


# --- 3. a gradient that looks forward -------------------------------------------------------------
NAMES = ("the last state", "the derivative by w", "the derivative by v")


def _backward_reference(x: np.ndarray, w: float, v: float) -> tuple[float, float, float]:
    """Last state and its derivatives, by backpropagation through time."""
    h = [0.0]
    for x_t in x:
        h.append(math.tanh(w * h[-1] + v * x_t))
    delta, dw, dv = 1.0, 0.0, 0.0
    for t in range(len(x), 0, -1):
        delta *= 1 - h[t] ** 2
        dw, dv, delta = dw + delta * h[t - 1], dv + delta * x[t - 1], delta * w
    return h[-1], dw, dv


def _three(came: Any) -> list[float]:
    """The last state and its derivatives out of a tuple, a list, an array or a tensor."""
    listed = type(came) in (tuple, list)
    parts = came if listed else require.array(came, "the three numbers").ravel()
    if len(parts) != 3:
        raise Wrong("expected three numbers: return h, dh_dw, dh_dv.")
    return [require.number(part, name) for part, name in zip(parts, NAMES, strict=True)]


def _advice(came: float, right: float) -> str:
    if abs(came - right) < 1e-4 * (1 + abs(right)):
        return "Nearly: they differ after the fifth digit, as float32 and difference quotients do. Use float64 and the chain rule."
    return "w acts at this step and, through the last state, at all earlier ones. Use the old state in the update."


def _three_picture(came: list[float], wanted: tuple[float, float, float]) -> dict:
    at, tall = np.arange(3), 2 * np.abs(wanted).max()
    return scene(
        panel(
            bar(at - 0.2, wanted, color="c1", label="backpropagation", width=0.4),
            bar(at + 0.2, np.clip(came, -tall, tall), color="c2", label="yours", width=0.4),
            xlabel="0: last state, 1: derivative by w, 2: by v",
            ylabel="value",
        )
    )


def _check_forward(answer: Any) -> str:
    rng = require.rng()
    for _ in range(10):
        x = rng.normal(size=rng.integers(2, 9))
        w, v = (float(rng.uniform(0.4, 1.6) * rng.choice([-1, 1])) for _ in range(2))
        came = _three(require.call(answer, x, w, v))
        wanted = _backward_reference(x, w, v)
        figure = _three_picture(came, wanted)
        for value, right, name in zip(came, wanted, NAMES, strict=True):
            what = f"{name} after {len(x)} steps"
            require.close(value, right, 1e-12, 1e-10, what, _advice(value, right), figure)
    return "state and derivatives equal backpropagation through time on ten random sequences."


forward_gradient = Exercise(
    "rnn-forward-gradient",
    "Carry the derivatives by w and v along with the state",
    check=_check_forward,
    hints=(
        "Differentiate h_t = tanh(w h_{t-1} + v x_t) by w. The product rule gives two terms, since h_{t-1} depends on w too.",
        "dh_t/dw = (1 - h_t²)(h_{t-1} + w dh_{t-1}/dw). Write the same for v.",
        "Compute the new state, then both derivatives with the old state and the old derivatives, then overwrite.",
    ),
)


# --- 4. the tree, once more -----------------------------------------------------------------------
def _random_tree(rng: np.random.Generator, leaves: int, H: int) -> Any:
    if leaves == 1:
        return rng.normal(size=H)
    left = int(rng.integers(1, leaves))
    return (_random_tree(rng, left, H), _random_tree(rng, leaves - left, H))


def _tree_reference(tree: Any, W: np.ndarray, U: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Branches in post-order, with a stack instead of recursion."""
    todo, order = [tree], []
    while todo:
        node = todo.pop()
        if isinstance(node, tuple):
            order.append(node)
            todo += [node[0], node[1]]
    values: dict[int, np.ndarray] = {}
    for node in order[::-1]:
        left, right = (values[id(n)] if isinstance(n, tuple) else n for n in node)
        values[id(node)] = np.tanh(left @ U + right @ W + b)
    return np.array([values[id(node)] for node in order[::-1]])


def _check_branches(answer: Any) -> str:
    rng = require.rng()
    for leaves in (2, 3, 5, 8, 8):
        H = int(rng.integers(2, 5))
        tree = _random_tree(rng, leaves, H)
        W, U, b = rng.normal(size=(H, H)), rng.normal(size=(H, H)), rng.normal(size=H)
        came = require.array(
            require.call(answer, tree, W, U, b), "the branches", shape=(leaves - 1, H)
        )
        require.close(
            came,
            _tree_reference(tree, W, U, b),
            what=f"the branches of a tree with {leaves} leaves",
            do="Left goes with U, right with W; a branch comes after both of its children, the left one first.",
        )
    return "it agrees on five random trees."


branches = Exercise(
    "rnn-branches",
    "Return the vectors of all branches of a tree, children first",
    check=_check_branches,
    hints=(
        "A function that calls itself: what does it return for a leaf?",
        "For a branch: first the left child, then the right, then the branch itself goes into a list.",
        "isinstance(node, tuple) tells branches from leaves. At the end np.array(the list).",
    ),
)
