"""The cluster simulator equals SimPy event by event, closed forms, and what its chapter derives."""

import ast
import inspect
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import simpy

from dlcourse.parallel import simulator
from dlcourse.parallel.simulator import Bounded, Push, Rounds, lognormal_times, pushes

ROOT = Path(__file__).resolve().parents[2]


def first(n: int, *args: object, **kwargs: float) -> list[Push]:
    return list(itertools.islice(pushes(*args, **kwargs), n))


def simpy_trace(n, need, slack, workers, compute, wire, serve) -> list[tuple]:
    """(worker, seen, version, time) of the first n pushes, with its own bookkeeping of who may go on."""
    env, trace = simpy.Environment(), []
    inbox = simpy.Store(env)
    mail = [simpy.Store(env) for _ in range(workers)]

    def worker(w):
        while True:
            seen = yield mail[w].get()
            yield env.timeout(wire)
            yield env.timeout(compute(w))
            yield env.timeout(wire)
            yield inbox.put((w, seen))

    def server():
        version, arrived, done, held = 0, [], [0] * workers, []
        for box in mail:
            yield box.put(0)
        while len(trace) < n:
            w, seen = yield inbox.get()
            yield env.timeout(serve)
            if need is None:
                version, done[w] = version + 1, done[w] + 1
                held.append(w)
                go = [h for h in held if done[h] - min(done) <= slack]
            elif seen != version:
                go = [w]
            else:
                arrived.append(w)
                go = []
                if len(arrived) == need:
                    version, go, arrived = version + 1, arrived, []
            trace.append((w, seen, version, round(env.now, 9)))
            for g in go:
                if g in held:
                    held.remove(g)
                yield mail[g].put(version)

    env.process(server())
    for w in range(workers):
        env.process(worker(w))
    while len(trace) < n:
        env.step()
    return trace


CASES = [(4, None, 4), (3, None, 4), (None, math.inf, 4), (None, 2, 4), (None, 0, 3), (1, None, 5)]


@pytest.mark.parametrize(("need", "slack", "workers"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_the_same_events_as_simpy(need, slack, workers, seed):
    def times():
        return lognormal_times(0.02, 0.5, slow=(3.0,), seed=seed)

    policy = Rounds(need) if need else Bounded(workers, slack)
    ours = first(300, policy, workers, times(), wire=0.001, serve=0.002)
    theirs = simpy_trace(300, need, slack, workers, times(), 0.001, 0.002)
    assert [(p.worker, p.seen, p.version, round(p.done, 9)) for p in ours] == theirs


def test_equal_workers_in_rounds_take_one_step_a_round():
    run = first(40, Rounds(4), 4, lambda w: 1.0, wire=0.25, serve=0.125)
    assert run[-1].version == 10
    assert run[-1].done == pytest.approx(10 * (1.0 + 2 * 0.25 + 4 * 0.125))
    assert {p.staleness for p in run} == {0}


def test_a_busy_server_is_the_limit_and_staleness_is_the_others():
    run = first(2000, Bounded(16, math.inf), 16, lambda w: 1.0, serve=0.25)
    assert len(run) / run[-1].done == pytest.approx(1 / 0.25, rel=0.01)
    assert np.mean([p.staleness for p in run[200:]]) == pytest.approx(15)


def test_mean_staleness_of_the_asynchronous_mode_is_the_number_of_others():
    """Between two pulls of one worker every other worker's pushes count: on average workers − 1."""
    run = first(6000, Bounded(8, math.inf), 8, lognormal_times(1.0, 0.8, slow=(5.0,), seed=1))
    assert np.mean([p.staleness for p in run]) == pytest.approx(7, rel=0.02)


def test_bounded_staleness_keeps_its_bound():
    steps = [0] * 4
    for p in first(500, Bounded(4, 2), 4, lognormal_times(1.0, 0.5, slow=(6.0,))):
        steps[p.worker] += 1
        assert max(steps) - min(steps) <= 3  # two ahead, and the step under way


def test_backup_workers_drop_the_late_and_average_the_rest():
    run = first(300, Rounds(3), 4, lognormal_times(1.0, 0.1, slow=(10.0,)))
    dropped = [p for p in run if p.staleness]
    assert {p.worker for p in dropped} == {0} and not any(p.used for p in dropped)
    assert {len(p.used) for p in run} == {0, 3}


def test_step_times_are_paired_between_policies():
    a, b = (lognormal_times(1.0, 0.5, seed=3) for _ in range(2))
    left = [a(0), a(0), a(1)]
    assert [b(1), b(0), b(0)] == [left[2], left[0], left[1]]


def test_step_times_have_the_mean_they_are_given():
    draw = lognormal_times(2.0, 0.6, slow=(3.0,), seed=0)
    assert np.mean([draw(0) for _ in range(20000)]) == pytest.approx(6.0, rel=0.02)


@pytest.mark.parametrize(
    "make",
    [
        lambda: first(1, Rounds(1), 0, lambda w: 1.0),
        lambda: first(1, Rounds(1), 1, lambda w: 1.0, wire=-1.0),
        lambda: first(9, Rounds(3), 2, lambda w: 1.0),  # waits for a third worker that is not there
        lambda: lognormal_times(0.0),
        lambda: lognormal_times(1.0, slow=(0.0,)),
    ],
)
def test_bad_input_is_told_in_a_sentence(make):
    with pytest.raises(ValueError, match=r"expected|waits"):
        make()


def bare(tree: ast.AST) -> str:
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree)


@pytest.mark.parametrize("name", ["Rounds", "Bounded"])
def test_the_policies_are_those_of_the_chapter(name):
    path = ROOT / "notebooks/parallelism/parameter_server.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    nodes = (n for s in sources for n in ast.parse(s).body if isinstance(n, ast.ClassDef))
    chapter = next(n for n in nodes if n.name == name)
    package = ast.parse(inspect.getsource(getattr(simulator, name))).body[0]
    assert bare(chapter) == bare(package)
