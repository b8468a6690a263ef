"""The checks of the parameter-server chapter have been seen failing, and accept right answers in any style."""

import math
from typing import ClassVar

import numpy as np

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("parallelism/parameter_server")
SOLUTIONS = solutions("parallelism/parameter_server")
LIMIT = 2 * math.sin(math.pi / 46)


def includes_itself(log):
    pulled, late = {}, []
    for i, worker in enumerate(log):
        late.append(i - pulled.get(worker, 0) + 1)
        pulled[worker] = i + 1
    return late


def since_the_last_push(log):
    last, late = {}, []
    for i, worker in enumerate(log):
        late.append(i - last.get(worker, 0))
        last[worker] = i
    return late


def counts_itself_after_the_first(log):
    return [min(i, len(set(log)) - 1) for i in range(len(log))]


def backwards(log):
    late = []
    for i, worker in enumerate(log):
        k = i
        while k > 0 and log[k - 1] != worker:
            k -= 1
        late.append(i - k)
    return late


def for_five(log):
    pulled, late = [0] * 5, []
    for i, worker in enumerate(log):
        late.append(i - pulled[worker % 5])
        pulled[worker % 5] = i + 1
    return late


def no_return(log):
    _ = backwards(log)


def mean_of_ratios(times, b):
    ordered = np.sort(times, axis=1)
    return (ordered[:, -1] / ordered[:, times.shape[1] - 1 - b]).mean()


def drops_columns(times, b):
    return times.max(1).mean() / times[:, : times.shape[1] - b].max(1).mean()


def by_loops(times, b):
    full = ended = 0.0
    for row in times:
        ready = sorted(row)
        full, ended = full + ready[-1], ended + ready[len(ready) - 1 - b]
    return full / ended


class Soft:
    """Right, in another style; the switches spoil it."""

    drop = sloth = greedy = hasty = False

    def __init__(self, c):
        self.c, self.order = c, ()

    def arrive(self, worker, staleness):
        if self.drop and staleness:
            return [], [worker]
        self.order += (worker,)
        if len(self.order) % self.c or not self.order:
            return [], [worker] if self.hasty else []
        last = list(self.order[-self.c :])
        if self.sloth:
            return last, last[:-1]
        return (list(set(self.order)) if self.greedy else last), ([] if self.hasty else last)


def spoiled(name):
    return type(name.capitalize(), (Soft,), {name: True})


class OneTooMany(Soft):
    def __init__(self, c):
        super().__init__(c + 1)


class Lies(Soft):
    def arrive(self, worker, staleness):
        return AlwaysEqual([0.0]), AlwaysEqual([0.0])


class NotTwo(Soft):
    def arrive(self, worker, staleness):
        return [worker]


class Ghost(Soft):
    def arrive(self, worker, staleness):
        used, free = super().arrive(worker, staleness)
        return used, [99] * bool(free)


class Raises(Soft):
    def arrive(self, worker, staleness):
        raise ValueError("a fault of its own")


class NoArrive:
    def __init__(self, c):
        self.c = c


class OneMemory(Soft):
    """The list belongs to the class: a second server starts with the first one's."""

    order: ClassVar[list] = []

    def __init__(self, c):
        self.c = c

    def arrive(self, worker, staleness):
        self.order.append(worker)
        return (self.order[-self.c :],) * 2 if len(self.order) % self.c == 0 else ([], [])


class InArrays(Soft):
    def arrive(self, worker, staleness):
        used, free = super().arrive(worker, staleness)
        return np.array(used, int), frozenset(free)


class Blank(Soft):
    def arrive(self, worker, staleness):
        return ...


GAPS = [("soft", Blank)]

WRONG = [
    ("rate", LIMIT, "forgets the curvature"),
    ("rate", LIMIT * 5, "multiplies by the curvature"),
    ("rate", 2 * math.sin(math.pi / 50) / 5, "a delay of twelve"),
    ("rate", 0.4, "no delay"),
    ("rate", 2 * math.sin(180 / 46) / 5, "a sine of degrees"),
    ("rate", 0.01, "stable, but not the largest"),
    ("rate", -LIMIT / 5, "negative"),
    ("rate", AlwaysEqual([LIMIT / 5]), "an object that lies"),
    ("rate", "0.0273", "a text"),
    ("rate", 2 * math.sin(math.radians(math.pi / 46)) / 5, "degrees"),
    ("staleness", includes_itself, "counts its own update"),
    ("staleness", since_the_last_push, "counts from its own push"),
    ("staleness", counts_itself_after_the_first, "workers minus one everywhere"),
    ("staleness", lambda log: [0, 1, 0, 3, 3], "remembers the example"),
    ("staleness", lambda log: AlwaysEqual([0.0, 1.0, 0.0, 3.0, 3.0]), "an object that lies"),
    ("staleness", no_return, "no return"),
    ("staleness", for_five, "five workers, numbered from 0"),
    ("rate", 1e300, "far too large to be drawn"),
    ("backup", mean_of_ratios, "mean of ratios"),
    ("backup", drops_columns, "drops the last columns, not the slowest"),
    ("backup", lambda t, b: 1 / by_loops(t, b), "upside down"),
    ("backup", lambda t, b: by_loops(t, 1), "ignores b"),
    ("backup", lambda t, b: t.sort(axis=1) or by_loops(t, b), "sorts the input in place"),
    ("backup", lambda t, b: AlwaysEqual([1.0]), "an object that lies"),
    ("soft", spoiled("drop"), "drops late gradients, as Rounds does"),
    ("soft", spoiled("sloth"), "leaves one worker waiting for ever"),
    ("soft", spoiled("greedy"), "uses gradients again"),
    ("soft", spoiled("hasty"), "lets workers go on before the update"),
    ("soft", OneTooMany, "waits for one too many"),
    ("soft", Soft(2), "an object instead of a class"),
    ("soft", NotTwo, "one list instead of two"),
    ("soft", Lies, "objects that lie"),
    ("soft", Ghost, "lets a worker go on that does not exist"),
    ("soft", NoArrive, "no such method"),
    ("soft", OneMemory, "a list of the class"),
]

RIGHT = [
    ("rate", 0.0273),
    ("rate", np.float32(LIMIT / 5)),
    ("staleness", backwards),
    ("staleness", lambda log: np.array(backwards(log))),
    ("backup", by_loops),
    ("soft", Soft),
    ("soft", InArrays),
]

NAMED = {
    "staleness": "staleness_of_solution",
    "backup": "backup_gain_solution",
    "soft": "SoftSolution",
}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, gaps, named = WRONG, RIGHT, GAPS, NAMED


def test_the_sentence_names_the_fault_and_the_picture_draws() -> None:
    assert "a fault of its own" in checks.soft.check(Raises).text
    assert "came [99]" in checks.soft.check(Ghost).text
    for name, answer, _ in WRONG:
        if name in ("rate", "soft"):
            page = getattr(checks, name).check(answer)._repr_mimebundle_()["text/html"]
            assert "could not be drawn" not in page
