"""The checks of the backpropagation chapter's exercises; the notebook imports this file as `exercises`."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from backpropagation_figures import graph

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scatter, scene


# --- 1. by hand ---------------------------------------------------------------------------------
@dataclass(eq=False)
class _Node:
    name: str
    data: float
    parents: tuple = ()


def _by_hand_graph(gradient: dict[str, float]) -> dict:
    """The graph of (ab + b)² at a = 2, b = −3 with the gradients that are given by name."""
    a, b = _Node("a", 2.0), _Node("b", -3.0)
    product = _Node("a·b", -6.0, (a, b))
    u = _Node("u", -9.0, (product, b))
    nodes = [a, b, product, u, _Node("loss", 81.0, (u,))]
    return scene(
        graph(nodes, lambda n: n.name, {n: gradient[n.name] for n in nodes if n.name in gradient})
    )


def _check_by_hand(answer: Any) -> str:
    da, db = require.array(answer, "(dL/da, dL/db)", shape=(2,))
    picture = _by_hand_graph({"loss": 1.0, "u": -18.0, "a": da, "b": db})
    if abs(da + 54) < 1e-6:
        raise Wrong(
            "dL/da: the size is right and the sign is not, came -54; both factors are negative.",
            picture,
        )
    if abs(da - 54) > 1e-6:
        raise Wrong(
            f"dL/da: expected the g that arrives at the product times the other factor, came {da:g}. "
            "The picture has what arrives at u; go on from there.",
            picture,
        )
    if abs(db - 54) < 1e-6:
        raise Wrong(
            "dL/da is right. dL/db: the size is right and the sign is not, came 54; "
            "what arrives at u is negative.",
            picture,
        )
    if abs(db + 54) > 1e-6:
        one_path = abs(db + 36) < 1e-6 or abs(db + 18) < 1e-6
        clue = (
            "that is the share of one path only"
            if one_path
            else "b is used in the product and in the sum"
        )
        raise Wrong(
            f"dL/da is right. dL/db: expected two shares added up, came {db:g}; {clue}.", picture
        )
    return "both are right: b collected one share through the product and one through the sum."


by_hand = Exercise(
    "bp-by-hand",
    "Give the two derivatives (dL/da, dL/db) of L = (ab + b)² at a = 2, b = −3",
    check=_check_by_hand,
    hints=(
        "Compute the values first: a·b, then u, then L. Then start on the right with a 1.",
        "What arrives at u is 2u. A sum passes it on unchanged to the product and to b.",
        "The product hands a the share −18 · b, and b the share −18 · a. Add to the latter what b got from the sum.",
    ),
    answer="value",
)


# --- 2. a new operation -------------------------------------------------------------------------
SHAPES = (((4,), (4,)), ((3, 4), (4,)), ((3, 1), (2, 3, 4)), ((2, 1), (1, 3)), ((), (5,)))


def _two_parts(answer: Any) -> tuple[Any, Callable]:
    if type(answer) not in (tuple, list) or len(answer) != 2 or not callable(answer[1]):
        raise Wrong("expected a pair (value, rule), the second a function of g; return both.")
    return answer[0], answer[1]


def _shares_picture(g: np.ndarray, shares: list[np.ndarray]) -> dict | None:
    if any(s.shape != g.shape or s.ndim != 1 for s in shares):
        return None
    at = np.arange(g.size)
    bars = [bar(at + d, s, color=c, label=n, width=0.25) for d, s, c, n in zip((-0.25, 0, 0.25), (g, *shares), ("muted", "c1", "c2"), ("g", "share of a", "share of b"), strict=True)]  # fmt: skip
    return scene(
        panel(
            *bars,
            xlabel="entry",
            ylabel="gradient",
            title="each g should go to one of the two, whole",
        )
    )


def _check_maximum(answer: Any) -> str:
    rng = require.rng()
    for shapes in SHAPES:
        a, b = (rng.normal(size=s) for s in shapes)
        value, rule = _two_parts(require.call(answer, a, b))
        g = rng.normal(size=np.broadcast_shapes(*shapes))
        shares = _two_shares(require.call(rule, g), shapes)
        leaves = [torch.tensor(v, requires_grad=True) for v in (a, b)]
        reference = torch.maximum(*leaves)
        reference.backward(torch.tensor(g))
        require.close(value, reference.detach().numpy(), what=f"the value for shapes {shapes}")
        picture = _shares_picture(g, shares)
        for name, share, leaf in zip("ab", shares, leaves, strict=True):
            require.close(share, leaf.grad.numpy(), what=f"the share of {name} for shapes {shapes}", figure=picture,
                          do="g goes to the larger entry, and nothing to the other.")  # fmt: skip
    return "value and shares equal torch.maximum and its gradients, broadcasting included."


def _two_shares(answer: Any, shapes: tuple) -> list[np.ndarray]:
    if type(answer) not in (tuple, list) or len(answer) != 2:
        raise Wrong("rule(g): expected two shares, one for a and one for b; return a pair.")
    shares = [
        require.array(s, f"the share of {name}") for name, s in zip("ab", answer, strict=True)
    ]
    for name, share, shape in zip("ab", shares, shapes, strict=True):
        if share.shape != shape:
            raise Wrong(
                f"the share of {name}: expected the shape of {name}, {shape}, came {share.shape}. "
                "An input that was stretched collects one share per use: fold them."
            )
    return shares


maximum = Exercise(
    "bp-maximum",
    "Write the value and the backward rule of the entry-wise maximum of two arrays",
    check=_check_maximum,
    hints=(
        "If a is the larger entry and moves a little, the maximum moves as much. What if b moves?",
        "So a gets g where a > b and 0 elsewhere; b gets the rest.",
        "Return np.maximum(a, b), lambda g: (fold(g * (a > b), a.shape), …) and the same for b.",
    ),
)


# --- 3. softmax and cross-entropy in one --------------------------------------------------------
def _cross_entropy_reference(z: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    leaf = torch.tensor(z, requires_grad=True)
    loss = F.cross_entropy(leaf, torch.tensor(y))
    loss.backward()
    return loss.item(), leaf.grad.numpy()


def _row_picture(came: np.ndarray, wanted: np.ndarray) -> dict:
    row = int(np.argmax(abs(came - wanted).max(axis=1)))
    classes = np.arange(wanted.shape[1])
    bars = [bar(classes - 0.2, wanted[row], color="c1", label="expected", width=0.38), bar(classes + 0.2, came[row], color="c2", label="yours", width=0.38)]  # fmt: skip
    return scene(
        panel(*bars, xlabel="class", ylabel="gradient", title=f"gradient of example {row}")
    )


def _check_cross_entropy(answer: Any) -> str:
    for scale in (1.0, 30.0, 1000.0):
        rng = require.rng()
        n, k = int(rng.integers(2, 9)), int(rng.integers(3, 12))
        z, y = rng.uniform(-scale, scale, size=(n, k)), rng.integers(0, k, n)
        result = require.call(answer, z, y)
        if type(result) not in (tuple, list) or len(result) != 2:
            raise Wrong("expected a pair (loss, gradient); return both.")
        loss = require.array(result[0], "the loss", shape=(), finite=False)
        grad = require.array(result[1], "the gradient", shape=(n, k), finite=False)
        if not (np.isfinite(loss) and np.isfinite(grad).all()):
            raise Wrong(
                f"for scores of size {scale:g}: expected finite numbers, came inf or nan. "
                "Remove the largest score of each row before any exp, and do not take the log of a probability."
            )
        loss_ref, grad_ref = _cross_entropy_reference(z, y)
        require.close(
            loss,
            loss_ref,
            what=f"the loss for scores of size {scale:g}",
            do="It is the mean over the examples.",
        )
        require.close(grad, grad_ref, what=f"the gradient for scores of size {scale:g}", figure=_row_picture(grad, grad_ref),
                      do="It is (p − one-hot) / N.")  # fmt: skip
    return "loss and gradient equal PyTorch's, also for scores of a thousand."


cross_entropy = Exercise(
    "bp-cross-entropy",
    "Return the mean cross-entropy of softmax(z) at the labels y, and its gradient",
    check=_check_cross_entropy,
    hints=(
        "Write log p = z − log Σ exp(z), with the largest score of each row removed first.",
        "In the loss, only the score of the right class and the log-sum depend on z. What is the derivative of log Σ exp(z)?",
        "It is the softmax p. So the gradient is p, minus 1 at the right class, divided by N because of the mean.",
    ),
)


# --- 4. multiply it out -------------------------------------------------------------------------
def _stack(h: np.ndarray, Ws: list[np.ndarray], bs: list[np.ndarray]) -> np.ndarray:
    for W, b in zip(Ws, bs, strict=True):
        h = h @ W + b
    return h


def _check_flatten(answer: Any) -> str:
    for layers in (1, 2, 3, 6):
        rng = require.rng()
        sizes = [int(s) for s in rng.integers(2, 6, layers + 1)]
        Ws = [rng.normal(size=s) for s in pairwise(sizes)]
        bs = [rng.normal(size=s) for s in sizes[1:]]
        result = require.call(answer, Ws, bs)
        if type(result) not in (tuple, list) or len(result) != 2:
            raise Wrong("expected a pair (W, b); return both.")
        W = require.array(
            result[0], f"the matrix W of {layers} layers", shape=(sizes[0], sizes[-1])
        )
        b = require.array(result[1], f"the bias b of {layers} layers", shape=(sizes[-1],))
        x = rng.normal(size=(40, sizes[0]))
        came, wanted = x @ W + b, _stack(x, Ws, bs)
        picture = _agreement(wanted[:, 0], came[:, 0])
        require.close(b, _stack(np.zeros(sizes[0]), Ws, bs), what=f"the bias b of {layers} layers", figure=picture,
                      do="Each bias still passes through the layers after it.")  # fmt: skip
        require.close(came, wanted, atol=1e-8, what=f"x @ W + b for {layers} layers", figure=picture,
                      do="Multiply in the order in which x meets the layers.")  # fmt: skip
    return "one layer does what stacks of up to six layers do."


def _agreement(wanted: np.ndarray, came: np.ndarray) -> dict:
    ends = [wanted.min(), wanted.max()]
    marks = [
        plot(ends, ends, color="muted", dash=":", label="equal"),
        scatter(wanted, came, color="c2", label="your single layer"),
    ]
    return scene(panel(*marks, xlabel="first output of the stack", ylabel="first output of yours"))


flatten = Exercise(
    "bp-flatten",
    "Return one weight matrix and one bias that do what a whole linear stack does",
    check=_check_flatten,
    hints=(
        "Write two layers out: (x W1 + b1) W2 + b2, and multiply the bracket.",
        "The new weights are W1 W2. The first bias has become b1 W2, and b2 is added.",
        "Start with W, b = Ws[-1], bs[-1]; for each layer (A, a) in front, last first: W, b = A @ W, a @ W + b.",
    ),
)


# --- 5. the inspector ---------------------------------------------------------------------------
Pair = tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]


def _curves(c: float) -> list[Pair]:
    """Functions with their true slopes, smooth where 0.1 < |x| < 2; c is a random factor."""
    return [
        (lambda x: np.sin(c * x), lambda x: c * np.cos(c * x)),
        (lambda x: np.tanh(c * x), lambda x: c * (1 - np.tanh(c * x) ** 2)),
        (lambda x: c * x**3, lambda x: 3 * c * x**2),
        (lambda x: np.exp(c * x), lambda x: c * np.exp(c * x)),
        (lambda x: np.maximum(x, 0) * c, lambda x: c * (x > 0)),
        (lambda x: np.abs(c * x), lambda x: abs(c) * np.sign(x)),
        (lambda x: np.log(np.abs(x)) + c, lambda x: 1 / x),
        (lambda x: c / (1 + x * x), lambda x: -2 * c * x / (1 + x * x) ** 2),
        (lambda x: (x > 0) * c, lambda x: np.zeros_like(x)),
    ]


LIES: dict[str, Callable[[Callable], Callable]] = {
    "has the wrong sign": lambda s: lambda x, g: -g * s(x),
    "is two per cent too large": lambda s: lambda x, g: 1.02 * g * s(x),
    "forgets g": lambda s: lambda x, g: s(x),
    "is wrong for negative x only": lambda s: lambda x, g: g * np.where(x < 0, 0.5 * s(x), s(x)),
    "is wrong beyond x = 1.5 only": lambda s: lambda x, g: g * np.where(x > 1.5, 0.8 * s(x), s(x)),
    "adds a constant": lambda s: lambda x, g: g * (s(x) + 0.1),
}


def _rule(slope: Callable, lie: str | None) -> Callable:
    """The rule of a suspect; honest or not, all are one and the same function from outside."""
    tell = LIES[lie](slope) if lie else (lambda x, g: g * slope(x))

    def rule(x: np.ndarray, g: np.ndarray) -> np.ndarray:
        return tell(x, g)

    return rule


def _suspects(rng: np.random.Generator) -> tuple[dict, dict[str, str], dict[str, Pair]]:
    """Honest and lying suspects in random order, the lie of each liar, and every suspect's true pair."""
    kinds = [(kind, None) for kind in range(len(_curves(1.0)))] + [
        (rng.integers(4), lie) for lie in LIES
    ]
    everyone = [(*_curves(rng.uniform(0.6, 1.8))[kind], lie) for kind, lie in kinds]
    people = [everyone[i] for i in rng.permutation(len(everyone))]
    names = [f"suspect {i + 1}" for i in range(len(people))]
    suspects = {n: (f, _rule(s, lie)) for n, (f, s, lie) in zip(names, people, strict=True)}
    lies = {n: lie for n, (_, _, lie) in zip(names, people, strict=True) if lie}
    return suspects, lies, {n: (f, s) for n, (f, s, _) in zip(names, people, strict=True)}


def _slopes_picture(name: str, rule: Callable, truth: Pair) -> dict:
    parts = [np.linspace(-2, -0.1, 60), [np.nan], np.linspace(0.1, 2, 60)]
    x = np.concatenate(parts)
    marks = [plot(x, truth[1](x), color="c1", label="true slope", width=4), plot(x, rule(x, np.ones_like(x)), color="c2", label="its rule with g = 1", dash=True)]  # fmt: skip
    return scene(panel(*marks, xlabel="x", ylabel="slope", title=name))


def _check_inspector(answer: Any) -> str:
    for _ in range(3):
        suspects, lies, truth = _suspects(require.rng())
        came = require.call(answer, suspects)
        if type(came) not in (set, frozenset, list, tuple) or any(type(n) is not str for n in came):
            raise Wrong("expected a set with the names of the liars; return a set of strings.")
        named = {str(n) for n in came}
        if unknown := sorted(named - suspects.keys()):
            raise Wrong(
                f"expected names from the suspects, came {unknown[0]!r}; return the keys of the dictionary."
            )
        for name, lie in lies.items():
            if name not in named:
                raise Wrong(f"{name} got away: its rule {lie}. Compare with a nudge at many x of both signs, with random g.",
                            _slopes_picture(name, suspects[name][1], truth[name]))  # fmt: skip
        if accused := sorted(named - lies.keys()):
            name = accused[0]
            raise Wrong(f"{name} is honest but was accused. Keep away from |x| < 0.1, and allow for the error of the nudge.",
                        _slopes_picture(name, suspects[name][1], truth[name]))  # fmt: skip
    return f"all {len(LIES)} kinds of lies found, three times over, and nobody wrongly accused."


inspector = Exercise(
    "bp-inspector",
    "Return the names of the suspects whose backward rule is wrong",
    check=_check_inspector,
    hints=(
        "A rule is right when rule(x, g) equals g · (f(x + ε) − f(x − ε)) / 2ε. One x is not enough: draw a few hundred of both signs.",
        "Draw g at random as well, or a rule that forgets it looks honest. ε near 1e-5 is at the bottom of the V.",
        "Accuse when |rule − nudge| > 1e-6 · (1 + |nudge|) anywhere, with x drawn from 0.1 < |x| < 2.",
    ),
)
