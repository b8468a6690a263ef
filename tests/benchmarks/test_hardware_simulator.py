"""How many clock ticks of the digits network the simulator does in a second of processor time.

Run: `python -m pytest -s tests/benchmarks/test_hardware_simulator.py`.
"""

import time

import numpy as np
import pytest

from tests.exercises.chapter import solutions

pytest.importorskip("amaranth", reason="amaranth is not installed; run make lab")

SLOWEST = 500  # ticks per second with 8 lanes; the chapter needs about 5 000 ticks in all


@pytest.mark.parametrize("lanes", [1, 8])
def test_the_chapters_network_is_simulated_fast_enough(lanes: int) -> None:
    made = solutions("hardware/fpga")
    rng = np.random.default_rng(0)
    weights = rng.integers(-127, 128, (64, 16)), rng.integers(-127, 128, (16, 10))
    net = made["IntegerNet"](*weights, 6, 8)
    images = rng.integers(0, 17, (3, 64))
    start = time.process_time()
    came = made["simulate"](made["Network"](net, lanes), images)
    spent = time.process_time() - start
    ticks = int(came[:, 2].sum()) + 65 * len(images)
    print(f"\n{lanes} lanes: {ticks} ticks in {spent:.2f} s, {ticks / spent:.0f} a second")
    assert (came[:, 0] == made["scores"](images, net).argmax(1)).all()
    assert ticks / spent > SLOWEST
