"""Checks of the depth chapter."""

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, plot, scatter, scene

# --- 1. the worst function ----------------------------------------------------------------------
LIPSCHITZ, LEFT, RIGHT, TOLERANCE = 3, -2.0, 2.0, 0.05


def _worst_picture(units: int) -> dict:
    """A zigzag of slope ±3 that is zero at every knot, and the network that sees only the knots."""
    h = (RIGHT - LEFT) / units
    x = LEFT + h * np.arange(min(units, 12) * 2 + 1) / 2
    f = np.where(np.arange(len(x)) % 2 == 1, LIPSCHITZ * h / 2, 0.0)
    return scene(
        panel(
            plot(x, f, color="c2", label="a function of slope ±3"),
            plot(x, 0 * x, color="c1", label="network"),
            scatter(x[::2], f[::2], color="c1", label="knots"),
            plot(x[[0, -1]], [TOLERANCE] * 2, color="fg", dash="4 3", label="tolerance"),
            xlabel="x",
            ylabel="f(x)",
            ylim=(-0.02, 1.6 * max(LIPSCHITZ * h / 2, TOLERANCE)),
        )
    )


def _check_units(answer: Any) -> str:
    n = require.integer(answer, "units")
    if n < 1:
        raise Wrong(f"units: expected at least 1, came {n}.")
    error = LIPSCHITZ * (RIGHT - LEFT) / n / 2
    if error > TOLERANCE + 1e-12:
        raise Wrong(
            f"with {n} units the knots are {(RIGHT - LEFT) / n:.3g} apart, and a zigzag that is zero at each knot "
            f"is missed by {error:.3g}; expected at most {TOLERANCE}. Use more units.",
            _worst_picture(n),
        )
    if LIPSCHITZ * (RIGHT - LEFT) / (n - 1) / 2 <= TOLERANCE + 1e-12:
        raise Wrong(
            f"{n} units are enough, but the smallest number was asked for; with one unit less the largest "
            "error still stays within 0.05. How far apart may the knots be?",
            _worst_picture(n),
        )
    return f"the zigzag is missed by {error:.3g} at worst; one unit less and it would be too much."


units = Exercise(
    "depth-units",
    "Give the smallest number of evenly spaced hinges for an error of 0.05",
    check=_check_units,
    hints=(
        "Which function of slope ±3 is missed by most? One that is equal at all knots.",
        "The guarantee is L h / 2 with h the distance of the knots, and the zigzag reaches it.",
        "Solve 3 · (4 / n) / 2 ≤ 0.05 for n.",
    ),
    answer="value",
)


# --- 2. count pieces ------------------------------------------------------------------------------
def _bends(w: list[int], c: list[int], v: list[int]) -> Counter:
    """Change of slope at each knot; cancelled kinks are dropped."""
    bends: Counter = Counter()
    for wi, ci, vi in zip(w, c, v, strict=True):
        if wi:
            bends[Fraction(-ci, wi)] += vi * abs(wi)
    return Counter({knot: bend for knot, bend in bends.items() if bend})


def _network(x: np.ndarray, w: list[int], c: list[int], v: list[int]) -> np.ndarray:
    return np.maximum(np.outer(x, w) + c, 0) @ np.array(v)  # (N,)


def _pieces_picture(w: list[int], c: list[int], v: list[int]) -> dict:
    kinks = np.array(sorted(map(float, _bends(w, c, v))))
    ends = [float(kinks.min()), float(kinks.max())] if len(kinks) else [-1.0, 1.0]
    x = np.unique(np.r_[np.linspace(ends[0] - 1, ends[1] + 1, 200), kinks])
    return scene(
        panel(
            plot(x, _network(x, w, c, v), color="c1", label="f"),
            scatter(kinks, _network(kinks, w, c, v), color="c2", label="kinks"),
            xlabel="x",
            ylabel="f(x)",
        )
    )


def _random_case(rng: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """Few knots for many units, so that some coincide and some cancel; some weights are zero."""
    n = int(rng.integers(1, 9))
    w = rng.integers(-3, 4, n)
    c = w * rng.integers(-2, 3, n) + rng.integers(0, 2) * rng.integers(-1, 2, n)
    return w.tolist(), c.tolist(), rng.integers(-2, 3, n).tolist()


TRAPS = (
    ("three units with three knots", ([1, 1, -2], [0, -1, 3], [1, -2, 1])),
    ("a unit with v = 0", ([1, 1], [0, -1], [1, 0])),
    ("a unit with w = 0", ([1, 0], [0, 2], [1, 1])),
    ("two knots close together", ([10**5, 10**5 + 1], [-1, -1], [1, 1])),
    ("two units with one knot", ([1, 2], [-1, -2], [1, 1])),
    ("two units whose kinks cancel", ([1, -2], [-1, 2], [2, -1])),
    ("no unit at all", ([], [], [])),
)


def _check_pieces(answer: Callable) -> str:
    rng = require.rng()
    cases = [*TRAPS, *(("a random network", _random_case(rng)) for _ in range(60))]
    for name, (w, c, v) in cases:
        came = require.integer(require.call(answer, w, c, v), "the number of pieces")
        expected = 1 + len(_bends(w, c, v))
        if came != expected:
            raise Wrong(
                f"{name}, w={w}, c={c}, v={v}: expected {expected} pieces, came {came}. "
                "Look at which knots the slope changes, and by how much.",
                _pieces_picture(w, c, v) if w else None,
            )
    return f"{len(cases)} networks, every trap included."


pieces = Exercise(
    "depth-pieces",
    "Count the straight pieces of a one-hidden-layer ReLU network exactly",
    check=_check_pieces,
    hints=(
        "Unit i has its knot at −c/w. By how much does it change the slope there?",
        "By v·|w|, whichever way the hinge opens. Add the changes of units that share a knot.",
        "Collect the sums in a dictionary with Fraction(-c, w) as key; the answer is 1 plus the number of sums that are not 0.",
    ),
)


# --- 3. initialisation ----------------------------------------------------------------------------
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "leaky relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "sine": np.sin,
    "softplus": lambda z: np.logaddexp(0, z),
}
_nodes, _weights = np.polynomial.hermite_e.hermegauss(201)
_weights = _weights / _weights.sum()


def _right_std(phi: Callable[[np.ndarray], np.ndarray], fan_in: int) -> float:
    return 1 / math.sqrt(fan_in * float(_weights @ phi(_nodes) ** 2))


def _spread(phi: Callable[[np.ndarray], np.ndarray], factor: float) -> np.ndarray:
    """Root mean square of a in 30 layers of 200 units, with std = factor / sqrt(200) (30,)."""
    rng, n = np.random.default_rng(0), 200
    a, out = rng.normal(size=(64, n)), []
    for _ in range(30):
        out.append(np.sqrt((a**2).mean()))
        a = np.clip(phi(a) @ rng.normal(0, factor / math.sqrt(n), (n, n)), -1e9, 1e9)
    return np.maximum(out, 1e-9)


def _init_picture(name: str, came: float, fan_in: int) -> dict:
    phi, layer, root = ACTIVATIONS[name], np.arange(1, 31), math.sqrt(fan_in)
    yours = _spread(phi, abs(came) * root)
    kept = _spread(phi, _right_std(phi, fan_in) * root)
    return scene(
        panel(
            plot(layer, kept, color="c1", label="spread that stays"),
            plot(layer, yours, color="c2", dash="6 4", label="yours"),
            title=name,
            xlabel="layer",
            ylabel="spread of the units' inputs",
            ylog=True,
        )
    )


def _check_init(answer: Callable) -> str:
    rng = require.rng()
    scale = float(rng.uniform(0.5, 2))
    cases = {**ACTIVATIONS, "a surprise": lambda z: scale * np.tanh(z) + 0.3 * np.maximum(z, 0)}
    for name, phi in cases.items():
        fan_in = int(rng.integers(20, 2000))
        came = require.number(require.call(answer, phi, fan_in), "the standard deviation")
        expected = _right_std(phi, fan_in)
        if abs(came / expected - 1) > 0.02:
            picture = _init_picture(name, came, fan_in) if name in ACTIVATIONS else None
            raise Wrong(
                f"{name} with {fan_in} inputs: expected {expected:.4g}, came {came:.4g}. "
                "Compare the spread of the second layer's inputs with that of the first.",
                picture,
            )
    return "for ReLU it is He's rule, and a signal keeps its spread through every layer."


init = Exercise(
    "depth-init",
    "Return the standard deviation of the weights that keeps the variance at 1",
    check=_check_init,
    hints=(
        "You need the mean of phi(z)² for a standard normal z. Any way of averaging will do.",
        "Sum phi(z)² times the normal density on a fine grid, or average over a few hundred thousand random z.",
        "The answer is 1 / sqrt(fan_in · mean). For ReLU the mean is 1/2, which gives sqrt(2 / fan_in).",
    ),
)


# --- 4. fold in three -----------------------------------------------------------------------------
def _zigzag(x: np.ndarray, k: int) -> np.ndarray:
    """0 to 1 and back, 3^k pieces on [0, 1]."""
    phase = np.mod(x * 3**k, 2)
    return np.minimum(phase, 2 - phase)


def _layers(answer: Any, k: int) -> list[tuple[np.ndarray, np.ndarray]]:
    if type(answer) not in (list, tuple) or len(answer) != k + 1:
        raise Wrong(
            f"for k = {k}: expected a list of {k + 1} layers, the output layer included, came "
            f"{len(answer) if type(answer) in (list, tuple) else type(answer).__name__}."
        )
    sizes, layers = [1, *[3] * k, 1], []
    for i, layer in enumerate(answer):
        if type(layer) not in (list, tuple) or len(layer) != 2:
            raise Wrong(f"layer {i + 1}: expected a pair (W, b), came {type(layer).__name__}.")
        W = require.array(layer[0], f"W of layer {i + 1}", shape=(sizes[i], sizes[i + 1]))
        b = require.array(layer[1], f"b of layer {i + 1}", shape=(sizes[i + 1],))
        layers.append((W, b))
    return layers


def _run(x: np.ndarray, layers: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    h = x[:, None]
    for W, b in layers[:-1]:
        h = np.maximum(h @ W + b, 0)  # (N, 3)
    return (h @ layers[-1][0] + layers[-1][1])[:, 0]


def _fold_picture(x: np.ndarray, came: np.ndarray, expected: np.ndarray) -> dict:
    return scene(
        panel(
            plot(x, expected, color="muted", label="wanted"),
            plot(x, np.clip(came, -3, 4), color="c2", dash="6 4", label="yours"),
            xlabel="x",
            ylabel="output",
        )
    )


def _check_fold(answer: Callable) -> str:
    for k in (1, 2, 3, 4):
        layers = _layers(require.call(answer, k), k)
        x = np.linspace(0, 1, 8 * 3**k + 1)
        came, expected = _run(x, layers), _zigzag(x, k)
        worst = int(np.argmax(np.abs(came - expected)))
        if abs(came[worst] - expected[worst]) > 1e-6:
            raise Wrong(
                f"for k = {k}: at x = {x[worst]:.4f} expected {expected[worst]:.4f}, came {came[worst]:.4f}.",
                _fold_picture(x, came, expected),
            )
    return "12 units make 81 pieces; one layer would need about 81 units."


fold = Exercise(
    "depth-fold",
    "Build the layers of a network that folds [0, 1] in three k times",
    check=_check_fold,
    hints=(
        "Start with k = 1: where are the two kinks, and by how much does the slope change there?",
        "The slopes are 3, −3, 3, so the three output weights are 3, −6 and 6, with knots at 0, 1/3 and 2/3.",
        "Between two hidden layers, W is the output column times a row of ones, (3, 1) @ (1, 3), as in sawtooth_layers.",
    ),
)
