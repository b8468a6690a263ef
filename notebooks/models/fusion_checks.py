"""The checks of the fusion chapter's exercises; the notebook imports this file as `exercises`."""

from typing import Any

import numpy as np
from fusion_figures import weights_panel

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import scene


# --- 1. half a bag --------------------------------------------------------------------------------
def _check_left_out(answer: Any) -> str:
    share = require.number(answer, "the share left out")
    right = (1 - 1 / 1000) ** 500
    if not 0 <= share <= 1:
        raise Wrong(
            f"expected a share between 0 and 1, came {share:g}; divide a count by 1 000, a percentage by 100."
        )
    if abs(share - (1 - right)) < 2e-3:
        raise Wrong(f"{share:.4f} is the share that is inside the bag; expected the share outside.")
    if abs(share - 0.5) < 2e-3:
        raise Wrong(
            "one half would be left out if no example could be drawn twice; expected a bag with replacement."
        )
    if abs(share - np.exp(-1)) < 2e-3:
        raise Wrong("0.368 belongs to as many draws as examples; expected 500 draws from 1 000.")
    if 1e-3 < abs(share - right) < 5e-3:
        raise Wrong(f"came {share:g}, which is nearly right; give at least three decimals.")
    if abs(share - right) > 1e-3:
        raise Wrong(
            f"came {share:.4f}; expected the chance that 500 draws in a row miss one given example of 1 000."
        )
    return "a bag of half the size leaves out about 61 %: more examples for the honest test, fewer for the tree."


left_out = Exercise(
    "fusion-left-out",
    "Give the share of 1 000 examples that 500 draws with replacement leave out",
    check=_check_left_out,
    hints=(
        "Follow a single example. What is the chance that one draw misses it?",
        "The draws are independent, so the chances multiply. How many draws are there?",
        "It is (1 − 1/1000) to the power of 500.",
    ),
    answer="value",
)


# --- 2. a committee with unequal say ----------------------------------------------------------------
def _shares_reference(f: np.ndarray, y: np.ndarray, a: np.ndarray) -> tuple[float, float]:
    committee = float(np.mean((np.sum(a[:, None] * f, 0) - y) ** 2))
    member = float(np.mean(np.sum(a[:, None] * np.square(f - y), 0)))
    return member, member - committee


def _check_shares(answer: Any) -> str:
    rng = require.rng()
    for M in (2, 3, 7):
        N = int(rng.integers(4, 9))
        y = rng.normal(0, 1, N)
        f = y + rng.normal(1.0, 1.0, (M, N)) * rng.uniform(0.5, 2.0, (M, 1))
        f[0] += 3.0  # the member with most to say is off, so equal say gives other numbers
        a = np.r_[0.7, 0.3 * rng.dirichlet(np.full(M - 1, 5.0))]
        came = require.array(
            require.call(answer, f, y, a),
            "the pair (member error, ambiguity), each a mean over the examples",
            shape=(2,),
        )
        wanted = _shares_reference(f, y, a)
        if np.allclose(came[::-1], wanted):
            raise Wrong(
                f"expected (member error, ambiguity), came the ambiguity {came[0]:.3g} first; exchange the two."
            )
        require.close(
            came[0],
            wanted[0],
            what="the members' error",
            do="Weigh the squared error of member m by a_m, then take the mean over the examples.",
        )
        require.close(
            came[1],
            wanted[1],
            what="the ambiguity",
            do="Weigh (f_m − f̄)² by a_m, with f̄ the weighted mean; the two must differ by the committee's error.",
        )
    return (
        "the identity holds for every sharing of the say. Which a would make the difference least?"
    )


shares = Exercise(
    "fusion-shares",
    "Return the members' error and the ambiguity of a committee with say a",
    check=_check_shares,
    hints=(
        "The committee's answer is a @ f, an array (N,).",
        "Both sums weigh member m by a_m, where the equal committee has 1/M.",
        "(a @ (f − y)²).mean() and (a @ (f − a @ f)²).mean().",
    ),
)


# --- 3. boosting with ten classes ---------------------------------------------------------------------
def _round_reference(wrong: np.ndarray, w: np.ndarray, K: int) -> tuple[float, np.ndarray]:
    bad, good = float(w[wrong].sum()), float(w[~wrong].sum())
    grown = np.where(wrong, w * (K - 1) * good / bad, w)
    return float(np.log((K - 1) * good / bad)), grown / grown.sum()


def _mistakes(rng: np.random.Generator, bad: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Mistakes (N,) and weights (N,) that sum to one, `bad` of it on the mistakes; None: well below one half."""
    N = int(rng.integers(6, 12))
    wrong = rng.permutation(np.arange(N) < max(2, N // 3))
    w = np.where(wrong, rng.uniform(0.5, 1.0, N), rng.uniform(1.0, 3.0, N))
    w[np.flatnonzero(wrong)[0]] *= 1.7
    if bad is not None:
        w[wrong] *= bad / (1 - bad) * w[~wrong].sum() / w[wrong].sum()
    return wrong, w / w.sum()


def _check_next_weights(answer: Any) -> str:
    rng = require.rng()
    # at K = 4 the learner is better than a coin with four sides, though not than one with two; at last, worse
    for K, bad in ((10, None), (3, None), (2, None), (5, None), (4, 0.6), (2, 0.7), (3, 0.9)):
        wrong, w = _mistakes(rng, bad)
        result = require.call(answer, wrong, w, K)
        if type(result) not in (tuple, list) or len(result) != 2:
            raise Wrong("expected a pair (alpha, weights); return both.")
        alpha, new = _round_reference(wrong, w, K)
        require.close(
            require.number(result[0], "α"),
            alpha,
            what=f"the votes α with {K} classes",
            do="ε is the weight of the mistakes, not their number; add log(K − 1)."
            + " A learner worse than the coin gets a negative α." * (alpha < 0),
        )
        came = require.array(result[1], "the next weights", shape=w.shape)
        require.close(
            came,
            new,
            what=f"the next weights with {K} classes",
            do="Multiply the weights of the mistakes by e^α, then divide by the sum of all.",
            figure=scene(weights_panel(w, came, wrong)),
        )
    return "with K classes the mistakes then weigh 1 − 1/K: to the next learner the last one looks like a coin with K sides."


next_weights = Exercise(
    "fusion-next-weights",
    "Return α and the next weights of multi-class AdaBoost",
    check=_check_next_weights,
    hints=(
        "ε = w[wrong].sum(), for weights that sum to one.",
        "Only the mistakes change: multiply their weights by e^α.",
        "alpha = log((1 − ε)/ε) + log(K − 1); w · exp(alpha · wrong), divided by its sum.",
    ),
)


# --- 4. an honest vote ------------------------------------------------------------------------------------
def _vote_reference(labels: np.ndarray, bags: np.ndarray, classes: int) -> np.ndarray:
    seen_by = [set(rows.tolist()) for rows in bags]
    winners = []
    for i in range(labels.shape[1]):
        said = [int(labels[m, i]) for m in range(len(labels)) if i not in seen_by[m]]
        counts = [said.count(k) for k in range(classes)]
        winners.append(counts.index(max(counts)) if said else -1)
    return np.array(winners)


def _vote_inputs(rng: np.random.Generator, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Seven trees, nine to twelve examples; the first six examples, before shuffling, are planted cases."""
    M, N = 7, int(rng.integers(9, 13))
    seen = rng.random((M, N)) < 0.5
    labels = rng.integers(0, classes, (M, N))
    seen[:, 0] = True  # seen by all: no judge
    seen[:, 1], labels[:, 1] = [True] * 5 + [False] * 2, [0] * 5 + [2, 2]  # the crowd saw it
    seen[:, 2], labels[:, 2] = [False] * 4 + [True] * 3, [2, 1, 2, 1, 0, 0, 0]  # a tie of 1 and 2
    seen[:, 3], labels[:, 3] = False, [0, 2, 1, 2, 0, 1, 2]  # all vote; mean and median are 1
    seen[:, 4], labels[:, 4] = [False] + [True] * 6, [classes - 1] + [1] * 6  # a single judge
    # seen votes would tip it, and so would the last judge's alone
    seen[:, 5], labels[:, 5] = [False] * 5 + [True] * 2, [2, 0, 0, 0, 2, 2, 2]
    seen[:, 6] = rng.permutation([True] * 4 + [False] * 3)
    order = rng.permutation(N)
    seen, labels = seen[:, order], labels[:, order]
    rows = [np.flatnonzero(s) for s in seen]
    bags = np.array([np.r_[r, rng.choice(r, N + 3 - len(r))] for r in rows])  # repeats, as in a bag
    return labels, rng.permuted(bags, axis=1)


def _check_honest_vote(answer: Any) -> str:
    rng = require.rng()
    one_tree = 4, np.array([[2, 0, 3]]), np.array([[0, 0]])
    for classes, labels, bags in (*((K, *_vote_inputs(rng, K)) for K in (3, 5, 3, 4)), one_tree):
        raw = require.call(answer, labels, bags, classes)
        came = require.array(raw, "the labels", shape=(labels.shape[1],), kind="integer")
        wanted = _vote_reference(labels, bags, classes)
        if (came == wanted).all():
            continue
        i = int(np.flatnonzero(came != wanted)[0])
        judges = [int(labels[m, i]) for m in range(len(bags)) if i not in bags[m]]
        if not judges:
            raise Wrong(
                f"example {i} is in every bag, so nobody may judge it: expected −1, came {came[i]}."
            )
        raise Wrong(
            f"example {i}: the trees that did not see it say {judges}; expected {wanted[i]}, came {came[i]}. "
            "Count the votes of those trees only; the smaller label wins a tie."
        )
    return "each example is judged by trees that never saw it, and no data was set aside for that."


honest_vote = Exercise(
    "fusion-honest-vote",
    "Return the out-of-bag vote for every example",
    check=_check_honest_vote,
    hints=(
        "np.isin(np.arange(N), bags[m]) tells which examples tree m has seen.",
        "For each class k count (labels == k) & unseen over the trees: an array (K, N).",
        "count.argmax(0) gives the smaller label in a tie. Where no tree is left, return −1.",
    ),
)
