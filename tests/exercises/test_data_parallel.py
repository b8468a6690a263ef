"""The checks of the data-parallel chapter have been seen failing; its training function runs under the entry."""

import json
import random
import subprocess
import sys

import cloudpickle
import numpy as np
import pytest
import torch.distributed as dist

from tests.exercises.chapter import NOTEBOOKS, AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("parallelism/data_parallel")
SOLUTIONS = solutions("parallelism/data_parallel")
MEGABYTES = 2 * 15 / 16 * 4 * 60_965_224 / 1e6
pytestmark = pytest.mark.timeout(300)
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as functions of a notebook


def plain_mean(gradients, counts):
    return sum(gradients) / len(gradients)


def mean_of_the_busy(gradients, counts):
    return np.mean([g for g, c in zip(gradients, counts, strict=True) if c], axis=0)


def plain_sum(gradients, counts):
    return sum(c * g for g, c in zip(gradients, counts, strict=True))


def vectorised(gradients, counts):
    return np.asarray(counts) @ np.stack(gradients) / np.sum(counts)


def blocks(examples, rank, size, epoch):
    return np.array_split(np.random.default_rng(epoch).permutation(examples), size)[rank]


def by_python(examples, rank, size, epoch):
    rows = list(range(examples))
    random.Random(epoch).shuffle(rows)
    return rows[rank::size]


def unshuffled(examples, rank, size, epoch):
    return range(rank, examples, size)


def own_order(examples, rank, size, epoch):
    return np.random.default_rng([epoch, rank]).permutation(examples)[rank::size]


def drops_the_rest(examples, rank, size, epoch):
    return np.random.default_rng(epoch).permutation(examples)[: examples // size * size][rank::size]


def last_takes_the_rest(examples, rank, size, epoch):
    order, n = np.random.default_rng(epoch).permutation(examples), examples // size
    return order[rank * n :] if rank == size - 1 else order[rank * n : (rank + 1) * n]


def unseeded(examples, rank, size, epoch):
    return np.random.default_rng().permutation(examples)[rank::size]


def shuffles_inside_only(examples, rank, size, epoch):
    return np.random.default_rng(epoch).permutation(np.arange(rank, examples, size))


def remembering():
    orders: dict = {}

    def share(examples, rank, size, epoch):
        key = examples, epoch
        orders[key] = orders[key] if key in orders else np.random.permutation(examples)
        return orders[key][rank::size]

    return share


def ring(rank, size, x, exchange):
    total = x
    for k in range(1, size):  # everybody with everybody, one after another
        total = total + exchange(rank ^ k, x)
    return total


def one_round(rank, size, x, exchange):
    return x + exchange(rank ^ 1, x)


def forgets_what_it_heard(rank, size, x, exchange):
    total, distance = x, 1
    while distance < size:
        total = total + exchange(rank ^ distance, x)
        distance *= 2
    return total


def never_sends(rank, size, x, exchange):
    return x * size


def past_the_log(rank, size, x, exchange):
    import torch

    total = torch.tensor(x)
    dist.all_reduce(total)
    return total.numpy()


def past_the_partners(rank, size, x, exchange):
    distance = 1
    while distance < size:
        exchange(rank ^ distance, x)
        distance *= 2
    return past_the_log(rank, size, x, exchange)


def two_and_four(rank, size, x, exchange):
    x = x + exchange(size - 1 - rank, x)
    return x if size == 2 else x + exchange(rank ^ 1, x)


def next_ones(rank, size, x, exchange):
    return x + exchange((rank + 1) % size, x) if size > 2 else one_round(rank, size, x, exchange)


def for_ever(rank, size, x, exchange):
    distance = 1
    while distance < size:
        x = x + exchange(rank ^ distance, x)
    return x


def in_place(rank, size, x, exchange):
    for k in range(size.bit_length() - 1):
        x += exchange(rank ^ 2**k, x)
    return x.tolist()


def stops(rank, size, x, exchange):
    return x + unknown  # noqa: F821


def half_written(rank, size, x, exchange):
    exchange(rank ^ 1, x)
    return ...


def halving(rank, size, x, exchange):
    distance = size // 2
    while distance:
        x = exchange(rank ^ distance, x) + x
        distance //= 2
    return x


GAPS = [("butterfly", half_written)]

WRONG = [
    ("traffic", MEGABYTES / 2, "adding up alone"),
    ("traffic", MEGABYTES / 4, "numbers, not bytes"),
    ("traffic", MEGABYTES * 1e6, "bytes, not megabytes"),
    ("traffic", 2 * 4 * 60.965224, "all N chunks"),
    ("traffic", 16 * MEGABYTES, "all workers together"),
    ("traffic", AlwaysEqual(MEGABYTES), "an object that lies"),
    ("combine", plain_mean, "plain mean"),
    ("combine", mean_of_the_busy, "plain mean of those with examples"),
    ("combine", plain_sum, "forgets to divide"),
    ("combine", lambda gradients, counts: AlwaysEqual([0.0]), "an object that lies"),
    ("share", unshuffled, "the same order in every epoch"),
    ("share", own_order, "every worker shuffles for itself"),
    ("share", drops_the_rest, "drops rows"),
    ("share", last_takes_the_rest, "uneven shares"),
    ("share", unseeded, "no common seed"),
    ("share", shuffles_inside_only, "each worker always sees the same rows"),
    ("share", lambda n, r, s, e: blocks(n, r, s, e // 10), "the same order for ten epochs"),
    ("share", lambda n, r, s, e: blocks(n, r, s, e % 10), "the same order every ten epochs"),
    ("share", remembering(), "an order that one worker drew and kept"),
    ("butterfly", ring, "N − 1 exchanges"),
    ("butterfly", one_round, "one round only"),
    ("butterfly", forgets_what_it_heard, "passes on only its own"),
    ("butterfly", never_sends, "sends nothing"),
    ("butterfly", past_the_log, "uses the library past the exchange"),
    ("butterfly", past_the_partners, "meets them, and asks the library"),
    ("butterfly", two_and_four, "two rounds for any number of workers"),
    ("butterfly", next_ones, "partners that do not name each other"),
    ("butterfly", for_ever, "a loop that does not end"),
    ("butterfly", lambda rank, size, x, exchange: [].clear(), "no return"),
    ("butterfly", lambda rank, size, x, exchange: x + exchange(rank, x), "meets itself"),
]

RIGHT = [
    ("traffic", 457.24),
    ("combine", vectorised),
    ("share", blocks),
    ("share", by_python),
    ("butterfly", halving),
    ("butterfly", in_place),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps = WRONG, RIGHT, GAPS


def test_the_sentence_tells_what_went_wrong() -> None:
    assert "NameError" in checks.butterfly.check(stops).text
    card = checks.butterfly.check(next_ones)
    assert "name each other" in card.text
    assert "could not be drawn" not in card._repr_mimebundle_()["text/html"]


def test_the_training_function_of_the_notebook_runs_outside_it() -> None:
    """The same function, two workers, no kernel: what torchrun runs on several machines."""
    target = f"{NOTEBOOKS / 'parallelism' / 'data_parallel.ipynb'}:train_digits"
    command = [sys.executable, "-m", "dlcourse.parallel", target, "20"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert ran.returncode == 0, ran.stderr
    ends = [json.loads(line) for line in ran.stdout.splitlines() if '"end"' in line]
    alone = SOLUTIONS["train_alone"](*digits(), 20, 64)
    total = sum(p.sum().item() for p in alone)
    assert [e["result"] for e in ends] == pytest.approx([total, total], abs=2e-3)


def digits() -> tuple:
    import torch

    from dlcourse import data

    split = data.digits(size=8, flat=True)
    return torch.tensor(split.x_train), torch.tensor(split.y_train)
