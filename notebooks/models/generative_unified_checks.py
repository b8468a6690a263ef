"""The checks of the unified-view chapter's exercises; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
from scipy.special import logsumexp, rel_entr

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, scene


# --- 1. two faults in one number ------------------------------------------------------------------
def _tables(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Q and P (5, 4), different margins; three zeros and an empty row in Q, none in P."""
    Q, P = (rng.dirichlet(np.full(20, 0.8)).reshape(5, 4) + 0.01 for _ in range(2))
    rows = rng.permutation(5)
    Q[rows[0]] = 0.0
    Q[rows[1:4], rng.integers(0, 4, 3)] = 0.0
    P *= rng.uniform(0.3, 3.0, (5, 1))
    return Q / Q.sum(), P / P.sum()


def _two_bars(came: np.ndarray, want: np.ndarray) -> dict:
    at = np.arange(2)
    return scene(
        panel(
            bar(at - 0.2, want, width=0.36, label="expected"),
            bar(at + 0.2, came, color="c2", width=0.36, label="yours"),
            xticks={0.0: "maker", 1.0: "reader"},
            ylabel="nats",
        )
    )


def _check_parts(answer: Any) -> str:
    for _ in range(8):
        Q, P = _tables(require.rng())
        with np.errstate(all="ignore"):
            raw = require.call(answer, Q, P)
        came = require.array(raw, "your two faults", shape=(2,), finite=False)
        if not np.isfinite(came).all():
            raise Wrong(
                f"your two faults: expected finite numbers, came {came.tolist()}. A pair that Q never has costs nothing: 0 log 0 counts as 0 (scipy.special.rel_entr)."
            )
        q, p = Q.sum(1), P.sum(1)
        maker = rel_entr(q, p).sum()
        seen = q > 0
        reader = q[seen] @ rel_entr(Q[seen] / q[seen, None], P[seen] / p[seen, None]).sum(1)
        want = np.array([maker, reader])
        require.close(
            came,
            want,
            what="the faults of maker and reader",
            do="Add up the columns to get q(x) and p(x); their KL is the maker's. The reader's is a mean over q(x).",
            figure=_two_bars(came, want),
        )
    return "and they add up to KL(Q‖P), on eight random pairs of tables."


parts = Exercise(
    "unified-parts",
    "Split KL(Q‖P) into the fault of the maker and that of the reader",
    check=_check_parts,
    hints=(
        "The maker is judged by its pictures alone: what are the probabilities of the pictures in each table?",
        "Q.sum(1) and P.sum(1). Then you need not compute the second fault: what do both add up to?",
        "scipy.special.rel_entr(a, b).sum() is a KL with the zeros done right. Reader = KL(Q‖P) − maker.",
    ),
)


# --- 2. the step of a forger ------------------------------------------------------------------------
def _forger_reference(logits: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Row by row of the softmax's Jacobian."""
    p = np.exp(logits - logsumexp(logits))
    return (np.diag(p) - np.outer(p, p)) @ -np.log(D)


def _check_forger(answer: Any) -> str:
    for shift in (0.0, 3.0, -5.0, 1.0, 0.0, 2.0):
        rng = require.rng()
        logits, D = rng.normal(shift, 1.2, 6), rng.uniform(0.05, 0.95, 6)
        D[rng.permutation(6)[:2]] = (0.02, 0.9)
        came = require.array(require.call(answer, logits, D), "your gradient", shape=(6,))
        want = _forger_reference(logits, D)
        at = np.arange(6)
        require.close(
            came,
            want,
            what="the gradient with respect to the six logits",
            do="The derivative of p(x) by the logit of x' is p(x) (1[x = x'] − p(x')). Sum it against −log D.",
            figure=scene(
                panel(
                    bar(at - 0.2, want, width=0.36, label="expected"),
                    bar(at + 0.2, came, color="c2", width=0.36, label="yours"),
                    xlabel="picture",
                    ylabel="dL/dℓ",
                )
            ),
        )
    return "downhill, pictures whose loss is below the forger's mean go up: it needs no gradient through the judge."


forger = Exercise(
    "unified-forger",
    "Return the gradient of −Σ p(x) log D(x) with respect to the logits of p",
    check=_check_forger,
    hints=(
        "Call c(x) = −log D(x) the cost of a picture. The loss is the mean cost under p.",
        "Raising one logit takes probability from all pictures in proportion to p. So only the difference to the mean cost matters.",
        "p · (c − Σ p c), with p the softmax of the logits.",
    ),
)


# --- 3. too sure, or not sure enough ----------------------------------------------------------------
def _check_variances(answer: Any) -> str:
    for _ in range(6):
        rng = require.rng()
        A = rng.normal(size=(4, 4))
        precision = A @ A.T + np.diag(rng.uniform(0.3, 2.0, 4))
        scale = np.exp(rng.normal(0, 0.5, 4))
        precision *= scale[:, None] * scale
        came = require.array(require.call(answer, precision), "your variances", shape=(2, 4))
        held, alone = 1 / np.diagonal(precision), np.diagonal(np.linalg.inv(precision))
        if np.allclose(came, [alone, held], rtol=1e-6):
            raise Wrong(
                "the two sets are right, their order is not: expected KL(q‖p) first, came KL(p‖q). Which of the two is too sure of itself?"
            )
        require.close(
            came,
            np.array([held, alone]),
            what="the variances for KL(q‖p), then for KL(p‖q)",
            do="Write KL(q‖p) for independent q: log-variances and Σ Λii vi remain. In KL(p‖q) only means and variances of p enter.",
        )
    return "the first are too small, whenever weights depend on each other; the second are the true widths of single weights."


variances = Exercise(
    "unified-variances",
    "Return the variances of the best independent normal distribution, for both directions",
    check=_check_variances,
    hints=(
        "For KL(q‖p) keep only what depends on the variances vi: −½ Σ log vi + ½ Σ Λii vi.",
        "Set the derivative to zero. For the other direction match the variances of p itself.",
        "1 / np.diag(precision), and np.diag(np.linalg.inv(precision)).",
    ),
)


# --- 4. coordinate ascent ---------------------------------------------------------------------------
def _mean_field(p: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two hundred rounds, in logarithms."""
    log = np.log(p)
    for _ in range(200):
        a = log @ r
        q = np.exp(a - logsumexp(a))
        b = q @ log
        r = np.exp(b - logsumexp(b))
    return q, r


def _check_meanfield(answer: Any) -> str:
    for round_ in range(6):
        rng = require.rng()
        p = rng.dirichlet(np.full(12, 1.0)).reshape(4, 3) + 0.02
        if round_ % 2:  # two hills: where r starts decides which is found
            p = np.full((4, 3), 0.01)
            p[0, 0], p[3, 2] = 0.5, 0.4
            p = p[rng.permutation(4)][:, rng.permutation(3)]
        p /= p.sum()
        r = rng.dirichlet(np.ones(3))
        if round_ % 2:
            r = np.full(3, 0.02)
            r[int(p.max(0).argsort()[1])] = 0.96  # on the lower hill
        raw = require.call(answer, p, r)
        if not isinstance(raw, (tuple, list)) or len(raw) != 2:
            raise Wrong("expected two arrays, q and r; return them as a pair.")
        came = [
            require.array(part, name, shape=(n,))
            for part, name, n in zip(raw, ("your q", "your r"), (4, 3), strict=True)
        ]
        for part, want, name in zip(came, _mean_field(p, r), ("q", "r"), strict=True):
            require.close(
                part,
                want,
                atol=1e-4,
                what=f"{name} after 200 rounds",
                do="log q(x) is, up to a constant, the mean of log p(x, y) over r; then the same for r with the new q. Begin from the given r.",
            )
    return "also where the table has two hills and the first r decides which one is found."


meanfield = Exercise(
    "unified-meanfield",
    "Find the product q(x) r(y) nearest to a table, with KL(qr‖p)",
    check=_check_meanfield,
    hints=(
        "Hold r. Which terms of KL(q r‖p) contain q? It is a KL between q and something: q should equal it.",
        "q(x) ∝ exp(Σ_y r(y) log p(x, y)).",
        "In a loop: q = softmax(np.log(p) @ r); r = softmax(q @ np.log(p)). Geometric means, where margins would be arithmetic ones.",
    ),
)
