"""How fast the systolic chapter's simulator is: beside a plain loop over its cells, and beside SCALE-Sim.

Run: `python -m pytest -s tests/benchmarks/test_simulators_speed.py`. Processor time of one thread, best of several.
"""

import time
from collections.abc import Callable

import numpy as np
import pytest

from dlcourse.hardware.systolic import scale_sim
from tests.unit.test_systolic import MACHINES, of_the_chapter

SIDE = 32
PRODUCT = (64, 64, 64)  # M, K, N: four folds on 32 × 32
FASTER_THAN_A_LOOP = 2  # about 6 was measured; half of that is left to a busy machine


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def cell_by_cell(A: np.ndarray, B: np.ndarray) -> list[list[int]]:
    """The output-stationary array as a loop over cells, from the last to the first, with plain integers."""
    (R, T), C = A.shape, B.shape[1]
    rows, columns = A.tolist(), B.T.tolist()
    a, b, s = ([[0] * C for _ in range(R)] for _ in range(3))
    for t in range(R + C + T - 2):
        for i in reversed(range(R)):
            for j in reversed(range(C)):
                k = t - i - j
                a[i][j] = a[i][j - 1] if j else (rows[i][k] if 0 <= k < T else 0)
                b[i][j] = b[i - 1][j] if i else (columns[j][k] if 0 <= k < T else 0)
                s[i][j] += a[i][j] * b[i][j]
    return s


@pytest.fixture(scope="module")
def chapter() -> dict:
    return of_the_chapter(MACHINES)


def test_the_simulator_beats_a_loop_over_cells(chapter) -> None:
    rng = np.random.default_rng(0)
    A, B = rng.integers(-127, 128, (SIDE, 64)), rng.integers(-127, 128, (64, SIDE))
    machine = lambda: chapter["run"](chapter["OutputStationary"](A, B))[0]  # noqa: E731
    assert np.array_equal(machine(), cell_by_cell(A, B))
    ours, loop = seconds(machine), seconds(lambda: cell_by_cell(A, B))
    updates = SIDE * SIDE * (2 * SIDE + 64 - 2)
    print(f"\n{SIDE} × {SIDE} cells: {updates / ours / 1e6:.0f} million cell clocks a second, loop {updates / loop / 1e6:.1f}")  # fmt: skip
    assert loop / ours >= FASTER_THAN_A_LOOP


def test_the_simulator_beside_scale_sim(chapter) -> None:
    pytest.importorskip("scalesim", reason="the package scalesim is not installed")
    M, K, N = PRODUCT
    rng = np.random.default_rng(0)
    X, W = rng.integers(-127, 128, (M, K)), rng.integers(-127, 128, (K, N))
    for flow in ("output", "weight"):
        ours = seconds(lambda f=flow: chapter["product"](X, W, SIDE, SIDE, f))
        referee = seconds(lambda f=flow: scale_sim([PRODUCT], SIDE, SIDE, f))
        print(f"\n{flow} stationary {M}×{K}×{N}: ours with results {1e3 * ours:.0f} ms, SCALE-Sim with memory traffic {1e3 * referee:.0f} ms")  # fmt: skip
        assert ours < 1.0
