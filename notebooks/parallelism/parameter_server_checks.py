"""The checks of the parameter-server chapter's exercises; the notebook imports this file as `exercises`."""

import heapq
import math
from collections import deque
from itertools import islice
from typing import Any

import numpy as np
from parameter_server_figures import delay_scene, gantt, steps_of

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scene
from dlcourse.parallel.simulator import Push, lognormal_times, pushes

# --- 1. a safe rate -----------------------------------------------------------------------------
DELAY, CURVATURE = 11, 5.0


def _roots(product: float) -> np.ndarray:
    """Roots of z^(τ+1) − z^τ + ηλ."""
    return np.roots([1.0, -1.0, *[0.0] * (DELAY - 1), product])


def _path(product: float) -> np.ndarray:
    path = [1.0] * (DELAY + 1)
    for _ in range(150):
        path.append(path[-1] - product * path[-1 - DELAY])
    return np.array(path[DELAY:])


def _check_rate(answer: Any) -> str:
    came = require.number(answer, "the rate")
    if came <= 0:
        raise Wrong(
            f"the rate: expected a number above 0, came {came:g}. Is the angle of your sine in radians?"
        )
    limit = 2 * math.sin(math.pi / (2 * (2 * DELAY + 1)))
    product = came * CURVATURE
    drawable = product < 1e3  # above it there is nothing but a wall to be seen
    picture = delay_scene(_path(product), _roots(product), product, limit) if drawable else None
    if abs(came / (limit / CURVATURE) - 1) <= 0.003:
        return f"just below it every root lies inside the circle: ηλ = {product:.4f}."
    if product > limit:
        why = "at this rate the path grows: a root lies outside the circle"
    else:
        why = "this rate is stable, but a larger one is too"
    raise Wrong(
        f"a rate of {came:.4g} with curvature 5 gives ηλ = {product:.4g}; {why}. "
        "Put τ = 11 into the limit, then solve for η.",
        picture,
    )


rate = Exercise(
    "ps-rate",
    "Give the largest stable rate for curvature 5 and gradients eleven updates old",
    check=_check_rate,
    hints=(
        "The limit is on the product of the rate and the curvature.",
        "With τ = 11 the sine is that of π / (2 · 23). Is your sine in radians?",
        "η = 2 sin(π / 46) / 5. Give at least three digits.",
    ),
    answer="value",
)


# --- 2. read the log ----------------------------------------------------------------------------
def _staleness_reference(log: list[int]) -> list[int]:
    """Pushes by others since the same worker's last push, counted backwards."""
    return [
        next((d for d, v in enumerate(reversed(log[:i])) if v == w), i) for i, w in enumerate(log)
    ]


def _staleness_picture(log: list[int], came: np.ndarray, wanted: list[int]) -> dict:
    at = np.arange(len(log))
    names = {k: str(w) for k, w in enumerate(log)}
    return scene(
        panel(bar(at - 0.2, wanted, color="c1", label="wanted", width=0.4),
              bar(at + 0.2, came, color="c2", label="yours", width=0.4),
              xlabel="worker of each push", ylabel="staleness (updates)", xticks=names)
    )  # fmt: skip


def _log(rng: np.random.Generator) -> list[int]:
    """Up to six workers with any numbers."""
    return rng.choice(rng.permutation(30)[:6], rng.integers(1, 25)).tolist()


def _check_staleness(answer: Any) -> str:
    for trial in range(12):
        rng = require.rng()
        log = [0, 1, 1, 2, 0] if trial == 0 else _log(rng)
        came = require.array(
            require.call(answer, log), "the list of staleness", shape=(len(log),), kind="integer"
        )
        wanted = _staleness_reference(log)
        if came.tolist() != wanted:
            i = int(np.argmax(came != np.array(wanted)))
            raise Wrong(
                f"for the log {log} expected {wanted[i]} at push {i} (worker {log[i]}), came {came[i]}. "
                "Count the updates between this worker's last pull and this push, its own not included.",
                _staleness_picture(log, came, wanted),
            )
    return "it agrees on twelve logs."


staleness = Exercise(
    "ps-staleness",
    "Return the staleness of every push in an asynchronous server's log",
    check=_check_staleness,
    hints=(
        "The version before push number i is i: each push made one update.",
        "Remember for each worker the version it pulled last; at the start that is 0.",
        "staleness = i − pulled[worker]; then pulled[worker] = i + 1, because the pusher gets the new weights.",
    ),
)


# --- 3. what is a backup worth? -----------------------------------------------------------------
def _backup_reference(times: np.ndarray, b: int) -> float:
    kth = [heapq.nlargest(b + 1, row)[-1] for row in times.tolist()]
    return sum(map(max, times.tolist())) / sum(kth)


def _backup_picture(times: np.ndarray) -> dict:
    gains = [_backup_reference(times, k) for k in range(times.shape[1])]
    return scene(
        panel(plot(range(len(gains)), gains, color="c1"), title="gain of these rounds",
              xlabel="backup workers", ylabel="times faster")
    )  # fmt: skip


def _check_backup(answer: Any) -> str:
    for _ in range(10):
        rng = require.rng()
        n = int(rng.integers(3, 9))
        times, b = rng.lognormal(0, 0.7, (int(rng.integers(2, 30)), n)), int(rng.integers(0, n))
        came = require.number(require.call(answer, times, b), "the gain")
        require.close(
            came,
            _backup_reference(times, b),
            what=f"the gain of {b} backups among {n} workers",
            do="Find in each round the time at which all but b are ready; take the means over the rounds, then divide.",
            figure=_backup_picture(times),
        )
    return "it agrees on ten random clusters."


backup = Exercise(
    "ps-backup",
    "Return how many times faster the mean round gets with b backup workers",
    check=_check_backup,
    hints=(
        "Sort each row. Where stands the slowest worker, and where the last one you wait for?",
        "After np.sort(times, axis=1) the columns go from the fastest to the slowest; you wait for column n − 1 − b.",
        "Divide the mean of the last column by the mean of that column. It is a ratio of means.",
    ),
)


# --- 4. a policy of your own --------------------------------------------------------------------
class _Checked:
    """Calls the learner's policy, and refuses answers that are none."""

    def __init__(self, policy: Any, workers: int) -> None:
        self.policy, self.workers, self.calls = policy, workers, []

    def arrive(self, worker: int, staleness: int) -> tuple[list[int], list[int]]:
        came = require.call(self.policy.arrive, worker, staleness)
        if type(came) not in (tuple, list) or len(came) != 2:
            raise Wrong(
                f"arrive: expected two lists, the workers used and the workers let go on, came a {type(came).__name__}."
            )
        used, free = (
            self._workers(part, what) for part, what in zip(came, ("used", "free"), strict=True)
        )
        self.calls.append((worker, staleness, sorted(used), sorted(free)))
        return used, free

    def _workers(self, part: Any, what: str) -> list[int]:
        if type(part) not in (list, tuple, set, frozenset, deque, np.ndarray):
            raise Wrong(
                f"arrive: expected a list of workers as {what}, came a {type(part).__name__}; put it in brackets."
            )
        return [require.integer(w, f"a worker in {what}") for w in part]


def _soft_reference(calls: list, c: int) -> list:
    """What should have been answered to the same arrivals."""
    order = [worker for worker, *_ in calls]
    return [sorted(order[i + 1 - c : i + 1]) if (i + 1) % c == 0 else [] for i in range(len(order))]


def _soft_picture(log: list[Push], workers: int) -> dict:
    end = max((p.done for p in log), default=1.0)
    marks = gantt(steps_of(log), [p.done for p in log if p.used], workers, end)
    return scene(marks, text="your policy on the virtual clock")


def _check_soft(answer: Any) -> str:
    if not isinstance(answer, type):
        raise Wrong("expected a class: pass its name, Soft, without calling it.")
    if not callable(getattr(answer, "arrive", None)):
        raise Wrong(
            "expected a class with a method arrive(self, worker, staleness), came one without."
        )
    for workers, c in ((4, 2), (5, 3), (4, 4), (3, 1)):
        seed = int(require.rng().integers(10**9))
        policy = _Checked(require.call(answer, c), workers)
        times, log = lognormal_times(1.0, 0.4, slow=(3.0,), seed=seed), []
        try:
            for push in islice(pushes(policy, workers, times), 40):
                log.append(push)
        except ValueError as error:
            if "every worker waits" not in str(error):
                raise  # the learner's own
            _compare(policy.calls, c, workers, log)
            raise Wrong(
                f"with c = {c} and {workers} workers every worker waits after {len(policy.calls)} pushes. "
                "Whose gradient was just used must be let go on.",
                _soft_picture(log, workers),
            ) from None
        _compare(policy.calls, c, workers, log)
    return "the right gradients are used and the right workers go on, in four clusters."


def _compare(calls: list, c: int, workers: int, log: list[Push]) -> None:
    for i, wanted in enumerate(_soft_reference(calls, c)):
        worker, stale, used, free = calls[i]
        for came, what in ((used, "use"), (free, "let go on")):
            if came != wanted:
                raise Wrong(
                    f"with c = {c} and {workers} workers, arrival {i + 1} (worker {worker}, {stale} updates late): expected to {what} "
                    f"{wanted}, came {came}. Every c-th arrival makes an update from the last c, late ones too; until then all of them wait.",
                    _soft_picture(log, workers),
                )


soft = Exercise(
    "ps-soft",
    "Write a policy that updates whenever c gradients have come, late ones included",
    check=_check_soft,
    hints=(
        "It is close to Rounds. Which line of Rounds throws gradients away?",
        "Keep a list of who has come; the staleness plays no part in the decision.",
        "When the list has c names, return it twice and start an empty one; otherwise return [], [].",
    ),
)
