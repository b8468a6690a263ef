"""The checks of the exercises on living with an FPGA; the notebook imports this file as `exercises`."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, plot, scatter, scene, text

# --- 1. break even ----------------------------------------------------------------------------------
V, C_F, C_A, M, U, R = 20_000, 90.0, 20.0, 1e6, 2.0, 30.0


def _costs(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return V * (C_F + p * U), M + V * C_A + p * (M + V * (C_A + R))


def _meeting_point() -> float:
    """By bisection on the difference of the two costs."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        fpga, asic = _costs(np.array(middle))
        low, high = (middle, high) if fpga > asic else (low, middle)
    return low


def _chance_picture(p: float) -> dict:
    x = np.linspace(0, 1, 50)
    fpga, asic = _costs(x)
    marks = [plot(x, 1e-6 * fpga, label="FPGA"), plot(x, 1e-6 * asic, color="c2", dash="5 3", label="ASIC")]  # fmt: skip
    if 0 <= p <= 1:
        marks.append(scatter([p, p], 1e-6 * np.array(_costs(np.array(p))), color="fg", marker="x", size=6))  # fmt: skip
    return scene(panel(*marks, xlabel="chance of a fault", ylabel="expected cost, million dollars"))


def _check_chance(answer: Any) -> str:
    p = require.number(answer, "the chance")
    if not 0 <= p <= 1:
        raise Wrong(
            f"the chance: expected a probability between 0 and 1, came {p:g}. For per cent, divide by 100."
        )
    if abs(p - _meeting_point()) > 6e-4:
        fpga, asic = _costs(np.array(p))
        dearer = "FPGA" if fpga > asic else "ASIC"
        move = "Raise the chance." if fpga > asic else "Lower the chance."
        raise Wrong(
            f"at {p:g} the FPGA is expected to cost {1e-6 * fpga:.4g} and the ASIC {1e-6 * asic:.4g} million dollars, so the "
            f"{dearer} is dearer; expected equal costs. {move}",
            _chance_picture(p),
        )
    return "both chips cost the same there."


chance = Exercise(
    "fpga-chance",
    "Give the chance of a fault at which both chips cost the same",
    check=_check_chance,
    hints=(
        "Write both sides of eq-fpga-upgrade with the numbers; p is the only unknown.",
        "V c_f + p V u = M + V c_a + p (M + V (c_a + r)). Collect the terms with p on one side.",
        "p = (V (c_f − c_a) − M) / (M + V (c_a + r − u)), as in break_even.",
    ),
    answer="value",
)


# --- 2. schedule a graph --------------------------------------------------------------------------------
def _asap_reference(graph: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """By relaxation: raise ticks until no operation comes too early."""
    when = dict.fromkeys(graph, 0)
    for _ in graph:
        for name, inputs in graph.items():
            when[name] = max([0, *(when[i] + 1 for i in inputs)])
    return when


def _graph(rng: np.random.Generator) -> dict[str, tuple[str, ...]]:
    names = [f"v{i}" for i in rng.permutation(int(rng.integers(3, 12)))]
    graph = {}
    for i, name in enumerate(names):
        fan = int(rng.integers(0, 3)) if i else 0
        graph[name] = tuple(names[j] for j in rng.integers(0, i, fan)) if fan else ()
    keys = [names[i] for i in rng.permutation(len(names))]
    return {key: graph[key] for key in keys}


def _graph_picture(graph: dict[str, tuple[str, ...]], when: dict[str, int]) -> dict:
    row = {name: i for i, name in enumerate(graph)}
    x, y = [], []
    for name, inputs in graph.items():
        for i in inputs:
            x += [when[i], when[name], np.nan]
            y += [row[i], row[name], np.nan]
    marks = [plot(x, y, color="muted")] if x else []
    marks.append(scatter([when[n] for n in graph], [row[n] for n in graph], size=5))
    marks += [text(when[n] + 0.1, row[n] + 0.1, n) for n in graph]
    return scene(panel(*marks, title="the right schedule", xlabel="tick", yticks={}, ylabel="operation"))  # fmt: skip


def _check_asap(asap: Callable) -> str:
    for _ in range(20):
        graph = _graph(require.rng())
        came = require.call(asap, graph)
        if type(came) not in (dict, defaultdict, OrderedDict):
            raise Wrong(f"expected a dictionary name → tick, came a {type(came).__name__}.")
        if set(came) != set(graph):
            odd = sorted(map(str, set(came) ^ set(graph)))
            raise Wrong(
                f"expected a tick for each of {sorted(graph)} and for nothing else; look at {', '.join(odd)}."
            )
        wanted = _asap_reference(graph)
        for name, tick in wanted.items():
            value = require.integer(came[name], f"the tick of {name}")
            if value != tick:
                raise Wrong(
                    f"{name} has the inputs {graph[name]}, expected tick {tick}, came {value}. "
                    "An operation runs one tick after the latest of its inputs; without inputs at tick 0.",
                    _graph_picture(graph, wanted),
                )
    return "20 random graphs are scheduled as early as possible."


asap = Exercise(
    "fpga-asap",
    "Schedule every operation as soon as its inputs are there",
    check=_check_asap,
    hints=(
        "An operation can be scheduled once all its inputs have a tick. Which can be scheduled first?",
        "Go through the graph again and again until every operation has a tick, or let a function call itself.",
        "when[name] = 1 + max((when[i] for i in inputs), default=-1)",
    ),
)


# --- 3. the initiation interval --------------------------------------------------------------------------
def _interval_reference(needs: dict, units: dict, latency: int, distance: int) -> int:
    """By trial: the first interval that satisfies both conditions."""
    interval = 1
    while (
        any(units[kind] * interval < n for kind, n in needs.items())
        or interval * distance < latency
    ):
        interval += 1
    return interval


def _interval_inputs(rng: np.random.Generator) -> tuple:
    kinds = ["mul", "add", "load"][: int(rng.integers(1, 4))]
    needs = {kind: int(rng.integers(0, 13)) for kind in kinds}
    units = {kind: int(rng.integers(1, 5)) for kind in ["shift", *reversed(kinds)]}  # another order
    return needs, units, int(rng.integers(1, 12)), int(rng.integers(1, 5))


def _interval_picture(needs: dict, units: dict, interval: int) -> dict:
    marks = []
    for row, kind in enumerate(needs):
        marks.append(text(-0.6, row - 0.1, kind, anchor="end"))
        starts = [k // units[kind] for k in range(needs[kind])]
        marks += [scatter(starts, [row + 0.08 * (k % units[kind]) for k in range(len(starts))])] if starts else []  # fmt: skip
    marks.append(plot([interval, interval], [-0.5, len(needs)], color="c2", dash="4 3"))
    return scene(
        panel(*marks, title="operations of one round; dashed: next round", xlabel="tick",
              xlim=(-3, interval + 1), ylim=(-0.5, len(needs)), yticks={}),
    )  # fmt: skip


def _check_interval(interval: Callable) -> str:
    for _ in range(40):
        needs, units, latency, distance = _interval_inputs(require.rng())
        came = require.integer(
            require.call(interval, needs, units, latency, distance), "the interval"
        )
        wanted = _interval_reference(needs, units, latency, distance)
        if came != wanted:
            raise Wrong(
                f"needs {needs}, units {units}, latency {latency}, distance {distance}: expected {wanted}, came {came}. "
                "Every kind of unit sets a limit, and so does the value handed on; the largest counts.",
                _interval_picture(needs, units, wanted),
            )
    return "40 random loops are right."


interval = Exercise(
    "fpga-interval",
    "Return the smallest initiation interval",
    check=_check_interval,
    hints=(
        "With 2 multipliers and 5 products a round, how many ticks must lie between two rounds?",
        "For the value handed on: after `distance` rounds, that is distance × interval ticks, it must be ready.",
        "The largest of 1, ceil(needs / units) for each kind, and ceil(latency / distance).",
    ),
)
