"""The checks of the data-parallel chapter's exercises; the notebook imports this file as `exercises`."""

from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Queue
from typing import Any

import cloudpickle
import numpy as np
import torch
import torch.distributed as dist

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scene
from dlcourse.parallel import WorkerFailed, launch

WEIGHTS, WORKERS = 60_965_224, 16
WAIT = 4.0  # s for a message from the thread next door


# --- 1. how many bytes --------------------------------------------------------------------------
def _traffic_picture(came: float) -> dict:
    n = np.arange(2, 33)
    ring = 2 * (n - 1) / n * 4 * WEIGHTS / 1e6
    marks = [
        plot(n, ring, color="c1", label="ring"),
        plot([2, 32], [came, came], color="c2", dash="6 4", label="your answer"),
    ]
    return scene(panel(*marks, xlabel="workers", ylabel="megabytes sent by each worker"))


def _check_traffic(answer: Any) -> str:
    came = require.number(answer, "the megabytes")
    wanted = 2 * (WORKERS - 1) / WORKERS * 4 * WEIGHTS / 1e6
    if abs(came - wanted) > 0.5:
        slips = {
            wanted / 2: "That is the adding up alone; the finished chunks travel round as well.",
            wanted / 4: "Each weight is 4 bytes.",
            WORKERS * wanted: "That is what all workers send together; the question is about one.",
            wanted * 1e6 / 2**20: "A megabyte has 10⁶ bytes here, not 2²⁰.",
            wanted * 1e6: "Divide by 10⁶ for megabytes.",
            2
            * 4
            * WEIGHTS
            / 1e6: "Close: each worker sends N − 1 of N chunks in each half, not all N.",
            2
            * (WORKERS - 1)
            * 4
            * WEIGHTS
            / 1e6: "A message holds one chunk, a sixteenth of the gradient.",
        }
        why = next((s for v, s in slips.items() if abs(came - v) < 0.005 * v), "")
        do = why or "Count the messages of one worker, and the bytes of one chunk."
        raise Wrong(f"expected another number than {came:g} MB. {do}", _traffic_picture(came))
    return "less than twice the gradient, and it would hardly be more with a thousand workers."


traffic = Exercise(
    "dp-traffic",
    "Give the megabytes that each of sixteen workers sends in one step",
    check=_check_traffic,
    hints=(
        "How many messages does one worker send in one ring, and how long is each?",
        "2 (N − 1) messages, each 1/N of the gradient.",
        "2 × 15/16 × 4 bytes × 60 965 224, divided by 10⁶.",
    ),
    answer="value",
)


# --- 2. uneven parts ----------------------------------------------------------------------------
def _least_squares(rng: np.random.Generator, some_empty: bool) -> tuple[list, list, np.ndarray]:
    """Gradients of a linear model's mean loss on parts of random sizes, their sizes, the whole batch's gradient."""
    workers, d = int(rng.integers(2, 6)), int(rng.integers(1, 5))
    counts = [int(c) for c in rng.integers(1, 9, workers)]
    if some_empty:
        counts[int(rng.integers(workers))] = 0
    A, b = rng.normal(size=(sum(counts), d)), rng.normal(size=sum(counts))
    w, cuts = rng.normal(size=d), np.cumsum(counts)[:-1]
    parts = zip(np.split(A, cuts), np.split(b, cuts), strict=True)
    gradients = [2 * a.T @ (a @ w - c) / max(len(c), 1) for a, c in parts]
    return gradients, counts, 2 * A.T @ (A @ w - b) / len(b)


def _check_combine(combine: Any) -> str:
    for trial in range(8):
        gradients, counts, wanted = _least_squares(require.rng(), some_empty=trial % 2 == 1)
        came = require.array(
            require.call(combine, gradients, counts), "the gradient", shape=wanted.shape
        )
        marks = [
            bar(np.arange(len(wanted)) - 0.2, wanted, color="c1", label="whole batch", width=0.35),
            bar(np.arange(len(wanted)) + 0.2, came, color="c2", label="yours", width=0.35),
        ]
        require.close(
            came,
            wanted,
            what=f"the gradient of parts with {counts} examples",
            do="Weigh each part's gradient by its share of the examples, B_n / B. All shares add up to one, but they are not equal.",
            figure=scene(panel(*marks, xlabel="weight", ylabel="gradient")),
        )
    return "equal to the gradient of the undivided batch, also when a worker had no examples."


combine = Exercise(
    "dp-combine",
    "Combine the gradients of unequal parts",
    check=_check_combine,
    hints=(
        "What would the plain mean do with a worker that had a single example?",
        "A gradient of a mean, times its count, is the gradient of a sum. Sums can be added.",
        "Add count × gradient over the workers, then divide by the sum of the counts.",
    ),
)


# --- 3. share out the data ----------------------------------------------------------------------
def _apart(share: Any) -> Any:
    """A copy with a memory of its own, as another worker would have it."""
    try:
        return cloudpickle.loads(cloudpickle.dumps(share))
    except Exception:  # it refers to something that cannot travel
        return share


def _shares(share: Any, examples: int, size: int, epoch: int) -> list[np.ndarray]:
    rows = []
    for rank in range(size):
        came = require.call(_apart(share), examples, rank, size, epoch)
        what = f"the rows of worker {rank} of {size}"
        mine = require.array(came, what)
        if mine.ndim != 1 or (mine != np.round(mine)).any():
            raise Wrong(f"{what}: expected a list of whole row numbers, came shape {mine.shape}.")
        rows.append(mine.astype(int))
    return rows


def _check_share(share: Any) -> str:
    rng = require.rng()
    for gap in (2, 10, 100, 256):
        examples, size = int(rng.integers(40, 90)), int(rng.integers(2, 7))
        first = int(rng.integers(1000))
        rows = _shares(share, examples, size, first)
        seen = np.bincount(np.clip(np.concatenate(rows), -1, examples) + 1, minlength=examples + 2)
        if seen[0] or seen[-1] or (seen[1:-1] != 1).any():
            wrong = int((seen[1:-1] != 1).sum())
            picture = scene(
                panel(
                    bar(np.arange(examples), seen[1:-1]),
                    xlabel="row",
                    ylabel="times seen in one epoch",
                )
            )
            raise Wrong(
                f"with {examples} rows and {size} workers, {wrong} rows are not seen exactly once in an epoch "
                "(or a row does not exist). All workers must cut the same order; does it depend on rank, or on something that only one worker knows?",
                picture,
            )
        lengths = [len(r) for r in rows]
        if max(lengths) - min(lengths) > 1:
            raise Wrong(
                f"expected shares that differ by at most one row, came {lengths}; the others would wait."
            )
        again = _shares(share, examples, size, first)
        if any(not np.array_equal(a, b) for a, b in zip(rows, again, strict=True)):
            raise Wrong("asked twice for the same epoch, came two answers; seed by the epoch.")
        for second in (first + 1, first + gap):
            other = _shares(share, examples, size, second)
            if all(set(a.tolist()) == set(b.tolist()) for a, b in zip(rows, other, strict=True)):
                raise Wrong(
                    f"expected another order, but epochs {first} and {second} give every worker the same rows. "
                    "Shuffle all rows anew in each epoch, with the epoch as the seed."
                )
    return "each row once, even shares, a new order in every epoch, and nobody had to ask."


share = Exercise(
    "dp-share",
    "Return the rows that one worker sees in one epoch",
    check=_check_share,
    hints=(
        "Let every worker shuffle all rows in the same way, then take its own part.",
        "The same way: a generator seeded by something that all workers know and that changes with the epoch.",
        "np.random.default_rng(epoch).permutation(examples), and then every size-th row starting at rank.",
    ),
)


# --- 4. the butterfly ---------------------------------------------------------------------------
def _meeting() -> Any:
    """What each worker runs. A function made here travels by value: the workers need not import this file."""

    def meet(worker: Any, learner: Any, inputs: np.ndarray) -> tuple[Any, list]:
        log: list[tuple[int, int]] = []

        def exchange(partner: int, x: Any) -> np.ndarray:
            partner = int(partner)
            if not 0 <= partner < worker.size or partner == worker.rank:
                raise ValueError(f"worker {worker.rank} cannot meet {partner} of {worker.size}")
            given = torch.tensor(np.asarray(x, float))
            came = torch.empty_like(given)
            log.append((partner, given.numel()))
            sending = dist.isend(given, partner)
            dist.recv(came, partner)
            sending.wait()
            return came.numpy()

        result = learner(worker.rank, worker.size, inputs[worker.rank].copy(), exchange)
        return (None if result is None else np.array(result, float)), log

    return meet


def _rehearse(learner: Any, inputs: np.ndarray) -> list[tuple[Any, list]]:
    """The same in threads: at once, and a wait for a message that nobody sends has an end."""
    size = len(inputs)
    mail: dict[tuple[int, int], Queue] = {(a, b): Queue() for a in range(size) for b in range(size)}
    logs: list[list] = [[] for _ in inputs]

    def run(rank: int) -> Any:
        def exchange(partner: int, x: Any) -> np.ndarray:
            partner = int(partner)
            if not 0 <= partner < size or partner == rank:
                raise ValueError(f"worker {rank} cannot meet {partner} of {size}")
            if len(logs[rank]) == 2 * size:
                raise Wrong(
                    f"expected {size.bit_length() - 1} exchanges for {size} workers, came more than {2 * size}; "
                    "does the loop end?"
                )
            given = np.array(x, float)
            logs[rank].append((partner, given.size))
            mail[rank, partner].put(given)
            return mail[partner, rank].get(timeout=WAIT)

        return require.call(
            learner, rank, size, inputs[rank].copy(), exchange, may_change_input=True
        )

    with ThreadPoolExecutor(size) as pool:
        runs = [pool.submit(run, rank) for rank in range(size)]
    faults = [run.exception() for run in runs]
    for fault in faults:
        if fault is not None and type(fault) is not Empty:
            raise fault
    if any(faults):
        late = next(rank for rank, fault in enumerate(faults) if fault)
        raise Wrong(
            f"worker {late} of {size} named worker {logs[late][-1][0]} in exchange {len(logs[late])}, and no message came. "
            "Two workers must name each other as partners in the same round.",
            _butterfly_picture(size, [[p for p, _ in log] for log in logs]),
        )
    return [(run.result(), log) for run, log in zip(runs, logs, strict=True)]


def _run(learner: Any, inputs: np.ndarray) -> list[tuple[Any, list]]:
    try:
        return launch(_meeting(), learner, inputs, ranks=len(inputs), timeout=120)
    except WorkerFailed as failure:
        raise Wrong(
            f"right in threads, but in real processes: {failure} Does it use anything but its arguments? "
            "If the machine is busy, run the cell again."
        ) from None


def _butterfly_picture(size: int, meetings: list[list[int]]) -> dict:
    marks = []
    for rank, partners in enumerate(meetings):
        x = np.arange(len(partners) + 1)
        marks += [plot(x, np.full(len(x), rank), color="muted")]
        marks += [plot([k, k + 1], [p, rank], color="c1") for k, p in enumerate(partners)]
    return scene(panel(*marks, xlabel="exchange", ylabel="worker", title="who met whom"))


def _check_butterfly(learner: Any) -> str:
    rng = require.rng()
    for size in (2, 4, 8, 4):
        inputs = rng.normal(size=(size, int(rng.integers(3, 9))))
        _check_sums(_rehearse(learner, inputs), inputs)
    inputs = rng.normal(size=(4, 5))
    _check_sums(_run(learner, inputs), inputs)
    return "eight workers needed three exchanges, four real processes two: log₂ N."


def _check_sums(runs: list[tuple[Any, list]], inputs: np.ndarray) -> None:
    size, length = inputs.shape
    rounds = size.bit_length() - 1
    picture = _butterfly_picture(size, [[p for p, _ in log] for _, log in runs])
    for rank, (came, log) in enumerate(runs):
        what = f"the result of worker {rank} of {size}"
        result = require.array(came, what, shape=(length,))
        require.close(
            result,
            inputs.sum(0),
            what=what,
            do="After round k each worker holds the sum of 2ᵏ workers; the next partner must hold the other ones.",
            figure=picture,
        )
        if len(log) != rounds or sum(n for _, n in log) != rounds * length:
            raise Wrong(
                f"the sum is right, but worker {rank} of {size} made {len(log)} exchanges of "
                f"{[n for _, n in log]} numbers; expected {rounds} of {length}.",
                picture,
            )


butterfly = Exercise(
    "dp-butterfly",
    "Add up over N workers with log₂ N exchanges",
    check=_check_butterfly,
    hints=(
        "With two workers one exchange is enough. With four: first make pairs, then let the pairs meet.",
        "In round k meet the worker whose number differs from yours by 2ᵏ, up or down: one binary digit.",
        "partner = rank ^ distance with distance 1, 2, 4, …; x = x + exchange(partner, x).",
    ),
    time_limit=180,  # the first launch in a session starts a server
    repeats=1,  # four rehearsals with fresh numbers come first
)
