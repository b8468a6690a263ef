"""The checks of the unified-view chapter's exercises; the notebook imports this file as `exercises`."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.special import logsumexp, rel_entr

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, scene


def _beside(came: np.ndarray, want: np.ndarray, xlabel: str, ylabel: str) -> dict:
    """Two bars for each entry: expected and the learner's."""
    at = np.arange(len(want))
    return panel(
        bar(at - 0.2, want, width=0.36, label="expected"),
        bar(at + 0.2, came, color="c2", width=0.36, label="yours"),
        xlabel=xlabel,
        ylabel=ylabel,
    )


# --- 1. two faults in one number ------------------------------------------------------------------
def _tables(rng: np.random.Generator, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Q and P (n, k), different margins; some zeros and an empty row in Q, none in P."""
    Q, P = (rng.dirichlet(np.full(n * k, 0.8)).reshape(n, k) + 0.01 for _ in range(2))
    rows = rng.permutation(n)
    Q[rows[0]] = 0.0
    Q[rows[1:-1], rng.integers(0, k, n - 2)] = 0.0
    P *= rng.uniform(0.3, 3.0, (n, 1))
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


def _parts_advice(came: np.ndarray, want: np.ndarray, Q: np.ndarray, P: np.ndarray) -> str:
    maker, reader = want
    for value, advice in (
        (want[::-1], "The numbers are right, their order is not: the maker comes first."),
        (want / np.log(2), "These are bits; use the natural logarithm."),
        ((maker, maker + reader), "The second is the whole KL(Q‖P); take the maker's part away."),
        ((rel_entr(Q.sum(0), P.sum(0)).sum(), came[1]), "Pictures are rows: add up along axis 1."),
    ):
        if np.allclose(came, value, rtol=1e-6):
            return advice
    return "Add up the columns to get q(x) and p(x); their KL is the maker's. The reader's is a mean over q(x)."


def _check_parts(answer: Any) -> str:
    for n, k in ((5, 4), (3, 6), (4, 4), (7, 2), (5, 4), (2, 3), (6, 3), (5, 5)):
        Q, P = _tables(require.rng(), n, k)
        with np.errstate(all="ignore"):
            raw = require.call(answer, Q, P)
        came = require.array(raw, "your two faults", shape=(2,), finite=False)
        if not np.isfinite(came).all():
            raise Wrong(
                f"your two faults: expected finite numbers, came {came.tolist()}. A pair that Q never has costs nothing: 0 log 0 counts as 0 (scipy.special.rel_entr). "
                "P has no zeros, so nothing is infinite: the weights are Q's."
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
            do=_parts_advice(came, want, Q, P),
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


def _forger_advice(came: np.ndarray, logits: np.ndarray, D: np.ndarray) -> str:
    want, p, cost = _forger_reference(logits, D), np.exp(logits - logsumexp(logits)), -np.log(D)
    for value, advice in (
        (-want, "The sign: this is the step downhill, the gradient points uphill."),
        (
            p * cost,
            "When one logit rises, all other pictures lose: the mean cost Σ p c is missing.",
        ),
        (p * (cost - cost.mean()), "The mean cost is a mean under p, not a plain one."),
        (
            want * p.size,
            "The loss is a sum of p(x) c(x), do not multiply it by the number of pictures.",
        ),
        (
            want / p.size,
            "The loss is a sum of p(x) c(x), do not divide it by the number of pictures.",
        ),
    ):
        if np.allclose(came, value, rtol=1e-6):
            return advice
    return "The derivative of p(x) by the logit of x' is p(x) (1[x = x'] − p(x')). Sum it against −log D."


def _check_forger(answer: Any) -> str:
    for n, shift in ((6, 0.0), (4, 3.0), (9, -5.0), (2, 1.0), (6, 0.0), (5, 2.0)):
        rng = require.rng()
        logits, D = rng.normal(shift, 1.2, n), rng.uniform(0.05, 0.95, n)
        D[rng.permutation(n)[:2]] = (0.02, 0.9)
        came = require.array(require.call(answer, logits, D), "your gradient", shape=(n,))
        want = _forger_reference(logits, D)
        require.close(
            came,
            want,
            what=f"the gradient with respect to the {n} logits",
            do=_forger_advice(came, logits, D),
            figure=scene(_beside(came, want, "picture", "dL/dℓ")),
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
def _variances_advice(came: np.ndarray, precision: np.ndarray) -> str:
    held, alone = 1 / np.diagonal(precision), np.diagonal(np.linalg.inv(precision))
    for value, advice in (
        ((alone, held), "The order: KL(q‖p) comes first. Which of the two is too sure of itself?"),
        (np.sqrt((held, alone)), "These are widths; return their squares, the variances."),
        (
            (held, held),
            "The first is right; for KL(p‖q), q gets the variances of p itself.",
        ),
        (
            (alone, alone),
            "The second is right. For KL(q‖p) each weight is held between the others.",
        ),
        ((1 / held, 1 / alone), "These are precisions; return one over them."),
        ((1 / alone, 1 / held), "Λ is the precision, the inverse of the covariance."),
    ):
        if np.allclose(came, value, rtol=1e-6):
            return advice
    return "Write KL(q‖p) for independent q: log-variances and Σ Λii vi remain. In KL(p‖q) only means and variances of p enter."


def _check_variances(answer: Any) -> str:
    for n in (4, 2, 6, 3, 4, 5):
        rng = require.rng()
        A = rng.normal(size=(n, n))
        precision = A @ A.T + np.diag(rng.uniform(0.3, 2.0, n))
        scale = np.exp(rng.normal(0, 0.5, n))
        precision *= scale[:, None] * scale
        came = require.array(require.call(answer, precision), "your variances", shape=(2, n))
        want = np.array([1 / np.diagonal(precision), np.diagonal(np.linalg.inv(precision))])
        require.close(
            came,
            want,
            what="the variances for KL(q‖p), then for KL(p‖q)",
            do=_variances_advice(came, precision),
            figure=scene(
                _beside(came[0], want[0], "weight", "variance for KL(q‖p)"),
                _beside(came[1], want[1], "weight", "variance for KL(p‖q)"),
            ),
        )
    return "the first are too small, whenever weights depend on each other; the second are the true widths of single weights, squared."


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
def _rounds(p: np.ndarray, r: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(q, r) after each of two hundred rounds, in logarithms."""
    log = np.log(p)
    for _ in range(200):
        a = log @ r
        q = np.exp(a - logsumexp(a))
        b = q @ log
        r = np.exp(b - logsumexp(b))
        yield q, r


def _mean_field(p: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    *_, last = _rounds(p, r)
    return last


def _two_hills(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A table (4, 3) whose solution depends on the first r, and an r on the lower hill."""
    p, r = np.full((4, 3), 0.01), np.full(3, 0.02)
    p[0, 0], p[3, 2] = 0.5, 0.4
    p = p[rng.permutation(4)][:, rng.permutation(3)]
    r[int(p.max(0).argsort()[1])] = 0.96
    return p / p.sum(), r


def _slow(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two dependent signs: each round takes only a tenth of what is left."""
    coupling = rng.uniform(0.94, 0.95)
    p = np.exp(coupling * np.array([[1.0, -1.0], [-1.0, 1.0]]))
    return p / p.sum(), rng.permutation([0.85, 0.15])


def _any_table(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    n, k = rng.permutation([5, 3])
    p = rng.dirichlet(np.ones(n * k)).reshape(n, k) + 0.02
    return p / p.sum(), rng.dirichlet(np.ones(k))


def _meanfield_advice(came: Sequence[np.ndarray], p: np.ndarray, r: np.ndarray) -> str:
    def same(q: np.ndarray, s: np.ndarray) -> bool:
        return max(np.abs(came[0] - q).max(), np.abs(came[1] - s).max()) < 1e-6

    if same(p.sum(1), p.sum(0)):
        return "These are the margins, the answer for the other direction, KL(p‖qr)."
    if any(same(*early) for early in _rounds(p, r)):
        return "The update is right, the rounds are too few."
    if any(same(*_mean_field(p, start)) for start in (np.full(len(r), 1 / len(r)), p.sum(0))):
        return "There is more than one valley; begin from the given r."
    return "log q(x) is, up to a constant, the mean of log p(x, y) over r; then the same for r with the new q. Begin from the given r."


def _check_meanfield(answer: Any) -> str:
    for draw in (_any_table, _two_hills, _slow) * 2:
        p, r = draw(require.rng())
        raw = require.call(answer, p, r)
        if type(raw) not in (tuple, list, np.ndarray) or len(raw) != 2:
            raise Wrong(
                f"expected a pair of arrays, came {type(raw).__name__}; end with return q, r."
            )
        came = [
            require.array(part, name, shape=(n,))
            for part, name, n in zip(raw, ("your q", "your r"), p.shape, strict=True)
        ]
        want = _mean_field(p, r)
        both, expected = np.concatenate(came), np.concatenate(want)
        if np.allclose(both, expected, atol=1e-4, rtol=0):
            continue
        require.close(
            both,
            expected,
            rtol=0,
            atol=1e-4,
            what=f"your q, {len(p)} numbers, then your r, {len(r)}, after 200 rounds",
            do=_meanfield_advice(came, p, r),
            figure=scene(
                _beside(came[0], want[0], "x", "q(x)"), _beside(came[1], want[1], "y", "r(y)")
            ),
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
