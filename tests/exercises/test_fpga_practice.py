"""The checks on living with an FPGA have been seen failing, and accept right answers in any style."""

import math
from collections import defaultdict

import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

pytest.importorskip("amaranth", reason="amaranth is not installed; run make lab")
checks = load_checks("hardware/fpga_practice")
SOLUTIONS = solutions("hardware/fpga_practice")


def recursive(graph, start=0, pick=max):
    def tick(name):
        return start if not graph[name] else 1 + pick(tick(i) for i in graph[name])

    return {name: tick(name) for name in graph}


def one_pass(graph):
    when = {}
    for name, inputs in graph.items():
        when[name] = max((when.get(i, 0) + 1 for i in inputs), default=0)
    return when


def interval(needs, units, latency, distance, *, up=True, carry=True, most=max):
    parts = [n / units[kind] for kind, n in needs.items()]
    parts += [latency / distance] if carry else []
    return max(1, most(math.ceil(p) if up else int(p) for p in parts))


WRONG = [
    ("chance", 0.5, "a guess"),
    ("chance", 20.4, "in per cent"),
    ("chance", (20_000 * 70 - 1e6) / (1e6 + 20_000 * 50), "forgets the update"),
    ("chance", (20_000 * 70 - 1e6) / (20_000 * 48), "forgets the new masks"),
    ("chance", AlwaysEqual(0.5), "an object that lies"),
    ("asap", lambda g: recursive(g, start=1), "counts from one"),
    ("asap", lambda g: recursive(g, pick=min), "the earliest input"),
    ("asap", lambda g: dict(zip(g, range(len(g)), strict=True)), "one after the other"),
    ("asap", lambda g: list(g), "a list"),
    ("asap", lambda g: {**recursive(g), "x": 0}, "an operation too many"),
    ("asap", lambda g: {name: t for name, t in recursive(g).items() if t}, "no memory reads"),
    ("asap", one_pass, "in the order of the dictionary"),
    ("asap", lambda g: dict.fromkeys(g, AlwaysEqual(0.0)), "an object that lies"),
    ("interval", lambda *a: interval(*a, up=False), "rounds down"),
    ("interval", lambda *a: interval(*a, carry=False), "forgets the value handed on"),
    ("interval", lambda *a: interval(*a, most=min), "the smallest limit"),
    ("interval", lambda *a: 1, "always one"),
    (
        "interval",
        lambda n, u, *a: interval(n, dict(zip(n, u.values(), strict=False)), *a),
        "units by place",
    ),
    ("interval", lambda *a: AlwaysEqual(1.0), "an object that lies"),
]

RIGHT = [
    ("chance", 0.204),
    ("asap", recursive),
    ("asap", lambda g: defaultdict(int, recursive(g))),
    ("interval", interval),
]

NAMED = {"interval": "initiation_interval_solution"}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, named = WRONG, RIGHT, NAMED
