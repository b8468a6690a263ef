"""Our RBM beside scikit-learn's BernoulliRBM on the digits, at equal pseudo-likelihood, paired and interleaved.

Run: `python -m pytest -s tests/benchmarks/test_rbm_speed.py`. Both get persistent chains, the same first links, batches and rate, and
shuffled images in float32; processor time of one thread counts, so that other work on the machine matters little.
Pseudo-likelihood is exact and computed by one function for both, outside the clock.
"""

import time
from statistics import median
from typing import Any

import numpy as np
from sklearn.neural_network import BernoulliRBM

from dlcourse import data
from tests.exercises.chapter import solutions

HIDDEN, BATCH, RATE, EPOCHS, PAIRS = 64, 40, 0.2, 12, 5
IMAGES = 1320  # whole batches: BernoulliRBM weighs the phases unequally in a last, shorter one
SLACK = 0.3  # nats; seeds of one and the same method scatter by about as much

chapter = solutions("models/rbm")
RBM, gibbs, contrast, add = (chapter[name] for name in ("RBM", "gibbs", "contrast", "add"))
digits = data.digits(flat=True)
x_train, x_test = ((x > 0.5).astype(np.float32) for x in (digits.x_train, digits.x_test))


def ours(x: np.ndarray, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    W = rng.normal(0, 0.01, (x.shape[1], HIDDEN)).astype(np.float32)
    rbm, chains = RBM(W, 0 * W[:, 0], 0 * W[0]), np.zeros((BATCH, x.shape[1]), np.float32)
    for _ in range(EPOCHS):
        for batch in np.array_split(rng.permutation(len(x)), -(-len(x) // BATCH)):
            chains = gibbs(rbm, chains, rng)
            rbm = add(rbm, contrast(rbm, x[batch], chains), RATE)
    return rbm


def theirs(x: np.ndarray, seed: int) -> Any:
    options = {"learning_rate": RATE, "batch_size": BATCH, "n_iter": EPOCHS, "random_state": seed}
    rbm = BernoulliRBM(HIDDEN, **options).fit(x)
    return RBM(rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_)


def timed(fit: Any, x: np.ndarray, seed: int) -> tuple[float, float]:
    """Seconds of processor time, and mean pseudo-likelihood of unseen images in nats."""
    start = time.process_time()
    rbm = fit(x, seed)
    seconds = time.process_time() - start
    return seconds, float(chapter["pseudo_likelihood"](rbm, x_test).mean())


def test_our_rbm_is_at_least_as_fast_at_equal_pseudo_likelihood() -> None:
    mine, library = [], []
    for seed in range(PAIRS):
        x = np.random.default_rng(seed).permutation(x_train)[:IMAGES]
        mine.append(timed(ours, x, seed))
        library.append(timed(theirs, x, seed))
    ratios = [b[0] / a[0] for a, b in zip(mine, library, strict=True)]
    score, other = (float(np.mean([s for _, s in runs])) for runs in (mine, library))
    print(f"\n{'':14}{'s, median':>10}{'nats':>9}")
    for name, runs, nats in (("ours", mine, score), ("BernoulliRBM", library, other)):
        print(f"{name:14}{median(t for t, _ in runs):10.3f}{nats:9.2f}")
    print(f"BernoulliRBM / ours, paired: {', '.join(f'{r:.2f}' for r in ratios)}")
    assert score >= other - SLACK
    assert median(ratios) >= 1
