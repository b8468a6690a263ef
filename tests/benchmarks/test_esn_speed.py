"""Our echo state network beside reservoirpy on NARMA-10 and Mackey-Glass, paired and interleaved.

Run: `python -m pytest -s tests/benchmarks/test_esn_speed.py`. Both draw their own pool (300 units, a tenth of the connections,
Gaussian weights, one spectral radius, scale, leak and penalty), run it over the same steps, fit the read-out on the same examples
and answer the same unseen ones. Processor time of one thread counts, so that other work on the machine matters little.
The error is in standard deviations of the target.
"""

import time
from statistics import median
from typing import Any

import numpy as np
import pytest
from reservoirpy import mat_gen
from reservoirpy.nodes import Reservoir, Ridge
from scipy import stats

from tests.exercises.chapter import solutions

UNITS, DENSITY, PENALTY, PAIRS = 300, 0.1, 1e-7, 8
DIALS = {"NARMA-10": (0.9, 0.1, 1.0), "Mackey-Glass": (0.97, 0.5, 0.5)}  # radius, scale, leak
WARM, LEARN, TEST = slice(0, 200), slice(200, 2200), slice(2200, 3200)
SLACK = 0.1  # of the library's error: pools drawn by one and the same program scatter by more

chapter = solutions("models/echo_state")
pool, read_out, nrmse = (chapter[name] for name in ("pool", "read_out", "nrmse"))


def task(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets (3200, 1)."""
    if name == "NARMA-10":
        return chapter["narma"](3200, seed)
    first = 1.0 + 0.3 * np.random.default_rng(seed).random()
    y = 2 * (chapter["mackey_glass"](3400, 0.5, first)[400::2, None] - 0.9)
    return y[:3200], y[1:3201]


def ours(x: np.ndarray, y: np.ndarray, dials: tuple, seed: int) -> np.ndarray:
    radius, scale, leak = dials
    h = pool(UNITS, seed, radius, scale, leak, DENSITY).states(x)
    V, c = read_out(h[LEARN], y[LEARN], PENALTY)
    return h[TEST] @ V + c


def theirs(x: np.ndarray, y: np.ndarray, dials: tuple, seed: int) -> np.ndarray:
    radius, scale, leak = dials
    about: dict[str, Any] = {"rc_connectivity": DENSITY, "input_connectivity": 1.0}
    about |= {"Win": mat_gen.uniform, "input_scaling": scale, "seed": seed, "lr": leak}
    bias = np.random.default_rng(seed).uniform(-0.3, 0.3, UNITS)
    h = Reservoir(UNITS, sr=radius, bias=bias, **about).run(x)
    return Ridge(ridge=PENALTY).fit(h[LEARN], y[LEARN]).run(h[TEST])


def timed(network: Any, name: str, seed: int) -> tuple[float, float]:
    """Seconds of processor time, and error on unseen steps."""
    x, y = task(name, seed)
    start = time.process_time()
    came = network(x, y, DIALS[name], seed)
    seconds = time.process_time() - start
    return seconds, nrmse(y[TEST], came)


@pytest.mark.parametrize("name", DIALS)
def test_our_network_is_at_least_as_accurate_and_as_fast(name: str) -> None:
    for network in (ours, theirs):
        timed(network, name, PAIRS)  # first calls load libraries
    runs = [[timed(network, name, seed) for network in (ours, theirs)] for seed in range(PAIRS)]
    mine, library = (list(r) for r in zip(*runs, strict=True))
    ratios = [b[0] / a[0] for a, b in runs]
    errors = np.array([[a[1], b[1]] for a, b in runs])
    apart = np.log(errors[:, 0] / errors[:, 1])  # 0: equal
    half = stats.t.ppf(0.975, PAIRS - 1) * apart.std(ddof=1) / PAIRS**0.5
    print(f"\n{name}\n{'':13}{'s, median':>10}{'NRMSE':>10}")
    for who, rows, error in zip(
        ("ours", "reservoirpy"), (mine, library), errors.mean(0), strict=True
    ):
        print(f"{who:13}{median(t for t, _ in rows):10.3f}{error:10.2g}")
    print(f"seconds, reservoirpy / ours, paired: {', '.join(f'{r:.2f}' for r in ratios)}")
    print(
        f"error, ours / reservoirpy: {np.exp(apart.mean()):.3f}, 95 %: {np.exp(apart.mean() - half):.3f} to {np.exp(apart.mean() + half):.3f}"
    )
    assert np.exp(apart.mean()) <= 1 + SLACK
    assert median(ratios) >= 1
