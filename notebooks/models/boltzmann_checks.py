"""The checks of the Boltzmann chapter's exercises; the notebook imports this file as `exercises`."""

import tracemalloc
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, imshow, panel, scene


def _states(n: int) -> np.ndarray:
    return np.array(list(product((-1.0, 1.0), repeat=n)))  # (2^n, n)


def _energy(S: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    pairs = np.triu(W, 1)  # each pair once
    return -np.einsum("ki,ij,kj->k", S, pairs, S) - S @ b


def _machine(rng: np.random.Generator, n: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    W = np.triu(rng.normal(size=(n, n)), 1) * scale
    return W + W.T, scale * rng.normal(size=n)


# --- 1. a gate as an energy ---------------------------------------------------------------------
CUBE = _states(3)  # (8, 3)
RIGHT = (CUBE[:, 2] > 0) == ((CUBE[:, 0] > 0) & (CUBE[:, 1] > 0))  # (8,)


def _gate_picture(E: np.ndarray) -> dict:
    k, low = np.arange(8), E.min()
    names = {i: "".join("+" if v > 0 else "−" for v in s) for i, s in enumerate(CUBE)}
    marks = [
        bar(k[RIGHT], E[RIGHT] - low, color="c1", label="s₃ = s₁ and s₂"),
        bar(k[~RIGHT], E[~RIGHT] - low, color="c2", label="wrong states"),
    ]
    about = {"xlabel": "state s₁s₂s₃", "ylabel": "energy above the lowest", "xticks": names}
    return scene(panel(*marks, title="blue bars must vanish, the others must not", **about))


def _check_gate(answer: Any) -> str:
    w12, w13, w23, *b = require.array(answer, "(w12, w13, w23, b1, b2, b3)", shape=(6,))
    W = np.array([[0, w12, w13], [w12, 0, w23], [w13, w23, 0]])
    E = _energy(CUBE, W, np.array(b))
    tolerance = 1e-9 * float(np.abs(E).max())  # relative: any scale of the numbers will do
    spread = float(E[RIGHT].max() - E[RIGHT].min())
    if spread > tolerance:
        raise Wrong(
            f"the four states that obey the gate must share one energy; yours differ by {spread:.4g}. "
            "Write down the four energies and set them equal.",
            _gate_picture(E),
        )
    gap = float(E[~RIGHT].min() - E[RIGHT].max())
    if gap <= 1e3 * tolerance:  # else unequal energies could hide in the tolerance
        raise Wrong(
            f"a state that breaks the gate must lie above the others; your lowest one lies {gap:.4g} above. "
            "Compare the heights in the picture: do you need the opposite signs?",
            _gate_picture(E),
        )
    return f"the gate is the floor of your energy, {gap:.3g} below everything else."


gate = Exercise(
    "boltzmann-gate",
    "Give links and biases whose lowest states are the truth table of AND",
    check=_check_gate,
    hints=(
        "s₃ should agree with s₁ and with s₂, so two links are positive; but with one input true, s₃ must be false.",
        "Inputs 1 and 2 play the same part: w13 = w23 = p, b1 = b2 = q. Write the energies of (−,−,−), (+,−,−) and (+,+,+) and set them equal.",
        "Equality gives w12 + … : try p = 2, w12 = −1, q = 1, and find b3.",
    ),
    answer="value",
)


# --- 2. sum out the hidden units ----------------------------------------------------------------
def _free_reference(
    V: np.ndarray, A: np.ndarray, U: np.ndarray, b: np.ndarray, c: np.ndarray
) -> np.ndarray:
    out = []
    for v in V:
        field = [float(np.dot(v, U[:, j]) + c[j]) for j in range(len(c))]
        soft = sum(abs(f) + np.log1p(np.exp(-2 * abs(f))) for f in field)
        out.append(float(_energy(v[None], A, b)[0]) - soft)
    return np.array(out)


FEW, LIMIT = 14, 3e5  # hidden units; bytes, where all their states take 2^14 · 14 · 8 = 1.8e6


def _measured(free_energy: Callable, *args: np.ndarray) -> tuple[Any, int]:
    """What the answer returns, and the most bytes that it held."""
    traced_before = tracemalloc.is_tracing()
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        return require.call(free_energy, *args), tracemalloc.get_traced_memory()[1] - before
    finally:
        if not traced_before:
            tracemalloc.stop()


def _check_free(free_energy: Any) -> str:
    rng = require.rng()
    strong = (5, int(rng.integers(1, 30)), 400.0)
    for visible, hidden, scale in ((3, 2, 1.0), (4, 1, 1.0), (5, FEW, 1.0), (6, 60, 1.0), strong):
        A, b = _machine(rng, visible)
        U, c = scale * rng.normal(size=(visible, hidden)), rng.normal(size=hidden)
        V = _states(visible)[rng.permutation(2**visible)[: int(rng.integers(1, 9))]]
        raw, peak = _measured(free_energy, V, A, U, b, c)
        what = f"F of {len(V)} patterns, {visible} visible and {hidden} hidden units"
        came = require.array(raw, what, shape=(len(V),), finite=False)
        do = (
            "Each hidden unit gives one term, −log(e^f + e^−f) with its field f; each visible pair counts once."
            if scale == 1
            else "The fields are in the hundreds: exp overflows. np.logaddexp(f, -f) does not."
        )
        if not np.isfinite(came).all():
            bad = came[~np.isfinite(came)][0]
            raise Wrong(f"{what}: expected finite numbers, came {bad} among them. {do}")
        require.close(came, _free_reference(V, A, U, b, c), what=what, do=do)
        if hidden == FEW and peak > LIMIT:  # stopped here: 60 units would fill the machine
            raise Wrong(
                f"the numbers are right, but for {hidden} hidden units it held {peak / 1e6:.1f} million bytes; expected "
                "next to none. It lists all hidden states; with 60 units there are 2^60. Let the sum split into one factor per unit."
            )
    return "five machines agree, up to 60 hidden units and fields in the hundreds."


free = Exercise(
    "boltzmann-free",
    "Return the free energies of visible patterns in closed form",
    check=_check_free,
    hints=(
        "Given v, the energy is a part without h plus −Σ h_j f_j with f = v·U + c. What is the sum of e^{h f} over h = ±1?",
        "F(v) = −½ vᵀAv − b·v − Σ_j log(e^{f_j} + e^{−f_j}).",
        "Use np.logaddexp(f, -f).sum(1), and ((V @ A) * V).sum(1) for the quadratic form of every row.",
    ),
)


# --- 3. learn from samples ----------------------------------------------------------------------
def _learn_reference(
    W: np.ndarray,
    b: np.ndarray,
    awake: np.ndarray,
    free: np.ndarray,
    links: np.ndarray,
    rate: float,
) -> tuple[np.ndarray, np.ndarray]:
    new_W, new_b = W.copy(), b.copy()
    for i in range(len(b)):
        new_b[i] += rate * (np.mean(awake[:, i]) - np.mean(free[:, i]))
        for j in range(len(b)):
            if links[i, j]:
                agree = np.mean(awake[:, i] * awake[:, j]) - np.mean(free[:, i] * free[:, j])
                new_W[i, j] += rate * agree
    return new_W, new_b


def _learn_picture(came: np.ndarray, wanted: np.ndarray) -> dict:
    span = max(float(np.abs(wanted).max()), 1e-9)
    pair = ((came, "your change of W"), (wanted, "expected"))
    return scene(
        *[
            panel(imshow(z, lim=(-span, span), cmap="diverging"), title=t, axes=False)
            for z, t in pair
        ]
    )


def _check_learn(learn_step: Any) -> str:
    rng = require.rng()
    for _ in range(5):
        n, m, k = (int(rng.integers(low, high)) for low, high in ((3, 7), (5, 12), (13, 30)))
        links = np.triu(rng.random((n, n)) < 0.7, 1).astype(float)
        links = links + links.T
        W, b = _machine(rng, n)
        W, rate = W * links, float(rng.uniform(0.05, 0.5))
        awake, dream = rng.choice((-1.0, 1.0), (m, n)), rng.choice((-1.0, 1.0), (k, n))
        came = require.call(learn_step, W, b, awake, dream, links, rate)
        if type(came) not in (tuple, list) or len(came) != 2:
            things = f"{len(came)} things" if type(came) in (tuple, list) else type(came).__name__
            raise Wrong(
                f"expected two things, the new links and the new biases, came {things}: return W, b."
            )
        new_W = require.array(came[0], "the new W", shape=(n, n))
        new_b = require.array(came[1], "the new b", shape=(n,))
        wanted_W, wanted_b = _learn_reference(W, b, awake, dream, links, rate)
        require.close(
            new_W,
            wanted_W,
            what=f"the new W of {n} units, {m} states awake and {k} free",
            do="Mean of s_i s_j awake minus the mean free, each over its own number of states, times rate, only where links is 1.",
            figure=_learn_picture(new_W - W, wanted_W - W),
        )
        require.close(
            new_b, wanted_b, what="the new b", do="Mean of s_i awake minus the mean of s_i free."
        )
    return "links and biases agree on five random machines."


learn = Exercise(
    "boltzmann-learn",
    "Write one learning step from sampled states",
    check=_check_learn,
    hints=(
        "awake.T @ awake sums s_i s_j over the rows. What must it be divided by?",
        "The two sets have different numbers of rows; each mean has its own. Then multiply by links.",
        "Do not write W += …, which changes what you were given; return W + rate * links * (…), and b likewise.",
    ),
)


# --- 4. metropolis ------------------------------------------------------------------------------
def _metropolis_reference(W: np.ndarray, b: np.ndarray, T: float) -> np.ndarray:
    n, S = len(b), _states(len(b))
    place = {tuple(s): k for k, s in enumerate(S)}
    K = np.zeros((2**n, 2**n))
    for k, s in enumerate(S):
        for i in range(n):
            t = s.copy()
            t[i] = -t[i]
            rise = float(_energy(t[None], W, b)[0] - _energy(s[None], W, b)[0])
            chance = 1.0 if rise <= 0 else float(np.exp(-rise / T))
            K[k, place[tuple(t)]] += chance / n
            K[k, k] += (1 - chance) / n
    return K


def _matrix_picture(K: np.ndarray, title: str) -> dict:
    about = {"xlabel": "to state", "ylabel": "from state", "aspect": "equal"}
    return scene(panel(imshow(K, lim=(0, 1)), title=title, **about))


def _row_advice(K: np.ndarray) -> str:
    if K.min() < -1e-6:
        return "A flip is accepted with probability 1 at most, and what is left over stays."
    if np.abs(K.sum(0) - 1).max() < 1e-6:
        return "Your columns sum to 1: rows are where a step starts, columns where it ends."
    return "Staying put has a probability too, and each unit is picked with probability 1/n."


def _check_metropolis(metropolis: Any) -> str:
    rng = require.rng()
    for n in (1, 2, 3, 4, 5):
        W, b = _machine(rng, n)
        T = float(rng.uniform(0.5, 3))
        K = require.array(require.call(metropolis, W, b, T), "your matrix", shape=(2**n, 2**n))
        picture = _matrix_picture(K, f"your matrix, n = {n}")
        if K.min() < -1e-6 or np.abs(K.sum(1) - 1).max() > 1e-6:  # float32 will do
            row = int(np.argmax(np.abs(K.sum(1) - 1)))
            raise Wrong(
                f"every row is a distribution: expected entries ≥ 0 with sum 1, came sum {K[row].sum():.4g} in row {row}, "
                f"smallest entry {K.min():.4g}. {_row_advice(K)}",
                picture,
            )
        S = _states(n)
        p = np.exp(-(_energy(S, W, b) - _energy(S, W, b).min()) / T)
        flow = (p / p.sum())[:, None] * K
        if np.abs(flow - flow.T).max() > 1e-6:
            raise Wrong(
                f"detailed balance fails by {np.abs(flow - flow.T).max():.3g} at n = {n}, T = {T:.3g}. "
                "Is the sign of ΔE right, is it divided by T, and does row k belong to state k?",
                picture,
            )
        require.close(
            K,
            _metropolis_reference(W, b, T),
            what=f"your matrix for n = {n}",
            do="It is balanced, but another rule: flips accepted with min(1, e^(−ΔE/T)), each unit picked with probability 1/n.",
            figure=picture,
        )
    return "all rows, the balance and every entry agree for one to five units."


metropolis = Exercise(
    "boltzmann-metropolis",
    "Return the transition matrix of the Metropolis rule",
    check=_check_metropolis,
    hints=(
        "From each state there are n possible moves, and staying. Flipping unit i changes one bit of the state's number.",
        "K[k, other] = min(1, e^{−(E[other] − E[k])/T}) / n. What is left over goes to K[k, k].",
        "With k = np.arange(2**n): other = k ^ (1 << i) for i in range(n), the order of the bits does not matter here. Then K[k, k] = 1 - K.sum(1).",
    ),
)
