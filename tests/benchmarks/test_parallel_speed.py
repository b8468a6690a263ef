"""What worker processes cost to start, and what two of them gain on a workload where it should pay.

Run: `python -m pytest -s tests/benchmarks/test_parallel_speed.py`. Efficiency is judged by processor time, which other
work on the machine hardly changes; the clock is printed beside it.
"""

import os
import time
from statistics import median

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from dlcourse.parallel import launch

START = 0.3  # s, a repeated launch of two workers with an idle core for each
EFFICIENCY = 0.8  # of two processes, by processor time


def busy() -> bool:
    """Whether others use so much of the machine that the clock measures them."""
    return os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)


@pytest.mark.timeout(300)
def test_a_repeated_launch_takes_at_most_three_tenths_of_a_second() -> None:
    start = time.perf_counter()
    launch(lambda worker: worker.rank)
    first = time.perf_counter() - start
    clocks, own = [], time.process_time()
    for _ in range(10):
        start = time.perf_counter()
        assert launch(lambda worker: worker.rank) == [0, 1]
        clocks.append(time.perf_counter() - start)
    own = (time.process_time() - own) / 10
    print(f"\nfirst launch {first:.2f} s; repeated: fastest {min(clocks):.3f} s, median ", end="")
    print(f"{median(clocks):.3f} s; processor time of the notebook {own:.3f} s a launch")
    assert own < 0.05
    if busy():
        pytest.skip(
            f"the machine is busy (load {os.getloadavg()[0]:.1f}); fastest {min(clocks):.2f} s"
        )
    assert min(clocks) <= START


def make_steps():
    def cnn():
        torch.manual_seed(0)
        first = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        second = [nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(64 * 49, 10))

    def steps(worker, count=8):
        model = DistributedDataParallel(cnn()) if worker.size > 1 else cnn()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        draw = torch.Generator().manual_seed(0)
        x = torch.randn(128, 1, 28, 28, generator=draw)[worker.rank :: worker.size]
        y = torch.arange(128)[worker.rank :: worker.size] % 10
        clocks, busy = [], 0.0
        for k in range(count + 1):
            if k == 1:
                busy = time.process_time()  # the first step warms up
            start = time.perf_counter()
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            clocks.append(time.perf_counter() - start)
        return min(clocks[1:]), (time.process_time() - busy) / count

    return steps


@pytest.mark.timeout(600)
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: nothing to gain")
def test_two_processes_share_a_convolutional_net_efficiently() -> None:
    steps = make_steps()
    best = 0.0
    for _ in range(3):  # what is left of other work's influence only adds: keep the best of three
        ((alone, alone_cpu),) = launch(steps, ranks=1, timeout=300)
        pairs = launch(steps, ranks=2, timeout=300)
        clock, cpu = max(c for c, _ in pairs), max(c for _, c in pairs)
        print(f"\nclock {alone / clock:.2f}×  processor time {alone_cpu / cpu:.2f}×", end="")
        best = max(best, alone_cpu / cpu)
    print()
    assert best / 2 >= EFFICIENCY
