"""What `training.fit` costs beyond a bare PyTorch loop: paired, interleaved, medians.

Run: `python -m pytest -s tests/benchmarks/test_fit.py`. Processor time of one thread is compared,
so that other work on the machine counts as little as possible.
"""

import time
from statistics import median, quantiles

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlcourse import data
from dlcourse.training import fit

LIMIT = 0.05  # of the bare loop's time


def mlp():
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    return model, data.digits(flat=True), 10  # epochs in one measurement


def lenet():
    model = nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),  # (n, 6, 14, 14)
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),  # (n, 400)
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    return model, data.digits(32), 1


def bare(model, x, y, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(64):
            loss = F.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def ours(model, x, y, epochs):
    return fit(model, x, y, epochs=epochs).losses


def seconds(run, *arguments):
    start = time.process_time()
    run(*arguments)
    return time.process_time() - start


@pytest.mark.parametrize(("make", "pairs"), [(mlp, 40), (lenet, 20)])
def test_fit_costs_at_most_five_per_cent_more_than_a_bare_loop(make, pairs):
    torch.set_num_threads(1)
    model, split, epochs = make()
    case = model, torch.tensor(split.x_train), torch.tensor(split.y_train), epochs
    for run in (bare, ours):
        run(*case)
    times = {bare: [], ours: []}
    for k in range(pairs):
        for run in (bare, ours) if k % 2 else (ours, bare):
            times[run].append(seconds(run, *case))
    steps = epochs * -(-len(split.x_train) // 64)
    extra = [b / a - 1 for a, b in zip(times[bare], times[ours], strict=True)]
    low, middle, high = quantiles(extra, n=4)
    print(f"\n{make.__name__:6} {steps} steps x {pairs} pairs    microseconds a step, median")
    for run in times:
        print(f"       {run.__name__:5} {1e6 * median(times[run]) / steps:8.1f}")
    print(f"       extra, median (quartiles): {middle:+.1%} ({low:+.1%} to {high:+.1%})")
    assert middle <= LIMIT
