"""A parameter server and its workers on a virtual clock: who waits, whose gradient is late.

Nothing is trained here and no process is started: only times and version numbers. A *policy* decides; its one method
``arrive(worker, staleness)`` is called when a gradient reaches the server, after `staleness` updates by others since its
worker pulled; it returns (the workers whose gradients are averaged into an update now, the workers that may go on now). The policies
are derived in ``notebooks/parallelism/parameter_server.ipynb``; the real server there uses the same classes.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Bounded", "Policy", "Push", "Rounds", "lognormal_times", "pushes"]


class Policy(Protocol):
    """What the server asks when a gradient arrives."""

    def arrive(self, worker: int, staleness: int) -> tuple[list[int], list[int]]:
        """Return the workers whose gradients are used now, and the workers that may go on now."""


class Rounds:
    """Rounds of `need` gradients, averaged; a gradient that comes after its round is dropped.

    `need` equal to the number of workers is the synchronous mode; fewer leaves backup workers {chen2016sync}.
    """

    def __init__(self, need: int) -> None:
        """Start the first round."""
        self.need, self.got = need, []

    def arrive(self, worker: int, staleness: int) -> tuple[list[int], list[int]]:
        """Return the workers whose gradients are used now, and those that may go on."""
        if staleness > 0:
            return [], [worker]  # too late: dropped, and on with the new weights
        self.got.append(worker)
        if len(self.got) < self.need:
            return [], []  # wait for the others
        used, self.got = self.got, []
        return used, used


class Bounded:
    """Every gradient is used at once; a worker waits while it is more than `slack` steps ahead of the slowest.

    `slack=math.inf` is the asynchronous mode; a finite one is bounded staleness {ho2013}.
    """

    def __init__(self, workers: int, slack: float) -> None:
        """Start with no step made."""
        self.slack, self.steps, self.waiting = slack, [0] * workers, []

    def arrive(self, worker: int, staleness: int) -> tuple[list[int], list[int]]:
        """Return the worker itself, and those that may go on."""
        self.steps[worker] += 1
        self.waiting.append(worker)
        limit = min(self.steps) + self.slack
        free = [w for w in self.waiting if self.steps[w] <= limit]
        self.waiting = [w for w in self.waiting if w not in free]
        return [worker], free


@dataclass(frozen=True)
class Push:
    """One gradient and what the server did with it; times in seconds of the virtual clock."""

    worker: int
    seen: int  # version of the weights that the gradient was computed on
    begun: float  # the worker starts to compute
    ready: float  # the worker has its gradient
    done: float  # the server has dealt with it
    version: int  # of the weights after it
    used: tuple[int, ...]  # workers whose gradients went into an update now; () if none did
    free: tuple[int, ...]  # workers that were sent the new weights now

    @property
    def staleness(self) -> int:
        """Updates that others made between the pull and the use of this gradient, in updates."""
        return self.version - bool(self.used) - self.seen


def pushes(
    policy: Policy,
    workers: int,
    compute: Callable[[int], float],
    *,
    wire: float = 0.0,
    serve: float = 0.0,
) -> Iterator[Push]:
    """Yield gradients in the order in which the server deals with them, for ever.

    compute(worker) -> seconds of its next step. wire: seconds one way. serve: seconds that the server, which handles
    one message at a time in order of arrival, spends on each gradient, its answer included. Raises ValueError for no
    worker, a negative time, or a policy that lets every worker wait for ever.
    """
    if workers < 1 or wire < 0 or serve < 0:
        raise ValueError(f"expected workers >= 1 and times >= 0, came {workers}, {wire}, {serve}")
    ticket, version, clock = itertools.count(), 0, 0.0
    queue: list[tuple[float, int, int, int, float, float]] = []

    def begin(worker: int, now: float) -> None:
        begun = now + wire
        ready = begun + compute(worker)
        heapq.heappush(queue, (ready + wire, next(ticket), worker, version, begun, ready))

    for worker in range(workers):
        begin(worker, 0.0)
    while queue:
        arrival, _, worker, seen, begun, ready = heapq.heappop(queue)
        clock = max(clock, arrival) + serve
        used, free = policy.arrive(worker, version - seen)
        version += bool(used)
        for other in free:
            begin(other, clock)
        yield Push(worker, seen, begun, ready, clock, version, tuple(used), tuple(free))
    raise ValueError("every worker waits: the policy must let at least one of them go on")


def lognormal_times(
    mean: float, spread: float = 0.0, slow: Sequence[float] = (), seed: int = 0
) -> Callable[[int], float]:
    """Return compute(worker) with log-normal step times; each worker draws from its own generator.

    So the k-th step of a worker takes the same time whatever the policy, and policies are compared in pairs. mean:
    seconds. spread: standard deviation of the logarithm, 0 for equal steps. slow: factors for the first workers, such
    as (4,) for a worker 0 that takes four times as long.
    """
    if mean <= 0 or spread < 0 or any(factor <= 0 for factor in slow):
        raise ValueError(
            f"expected mean > 0, spread >= 0, factors > 0, came {mean}, {spread}, {slow}"
        )
    generators: dict[int, random.Random] = {}

    def compute(worker: int) -> float:
        rng = generators.setdefault(worker, random.Random(f"{seed}/{worker}"))
        factor = slow[worker] if worker < len(slow) else 1.0
        return mean * factor * math.exp(spread * rng.gauss(0, 1) - spread**2 / 2)

    return compute
