"""The checks of the FPGA chapter have been seen failing, and accept right answers in any style."""

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

pytest.importorskip("amaranth", reason="amaranth is not installed; run make lab")
checks = load_checks("hardware/fpga")
SOLUTIONS = solutions("hardware/fpga")


def counted(fmax, layers, lanes, *, load=1, wait=1, write=True, whole=True):
    ticks = load * (layers[0][0] + 1)
    for K, N in layers:
        jobs = -(-N // lanes) if whole else N / lanes
        ticks += jobs * (K + wait) + write * N
    return 1e6 * fmax / ticks


def without_first(m, x, first, largest):
    with m.If(x > largest):
        m.d.sync += largest.eq(x)
    return m


def combinational(m, x, first, largest):
    m.d.comb += largest.eq(x)
    return m


def minimum(m, x, first, largest):
    with m.If(first | (x < largest)):
        m.d.sync += largest.eq(x)
    return m


def first_to_zero(m, x, first, largest):
    with m.If(first):
        m.d.sync += largest.eq(0)
    with m.Elif(x > largest):
        m.d.sync += largest.eq(x)
    return m


def raises(m, x, first, largest):
    m.d.sync += largest.eq("x")
    return m


def at_once(m, x, first, largest):
    from amaranth.hdl import Mux, Signal, signed

    kept = Signal(signed(8))
    m.d.comb += largest.eq(Mux(first | (x > kept), x, kept))
    m.d.sync += kept.eq(largest)
    return m


def rising(m, x, first, largest):
    from amaranth.hdl import Signal

    before = Signal()
    m.d.sync += before.eq(first)
    with m.If((first & ~before) | (x > largest)):
        m.d.sync += largest.eq(x)
    return m


def unsigned(m, x, first, largest):
    with m.If(first | (x.as_unsigned() > largest.as_unsigned())):
        m.d.sync += largest.eq(x)
    return m


def swaps_the_simulator(m, x, first, largest):
    import amaranth.sim

    amaranth.sim.Simulator = None  # the check keeps its own
    return without_first(m, x, first, largest)


def with_mux(m, x, first, largest):
    from amaranth.hdl import Mux

    m.d.sync += largest.eq(Mux(first, x, Mux(x > largest, x, largest)))
    return m


WRONG = [
    ("table", 0x8000, "only address 15"),
    ("table", 0xFFFE, "forgets d"),
    ("table", 0x7F01, "bits in the other order"),
    ("table", -1, "out of range"),
    ("table", 0.5, "not whole"),
    ("table", "1000000011111110", "a text"),
    ("table", AlwaysEqual(0x80FE), "an object that lies"),
    ("images", lambda f, la, n: counted(f, la, n, load=0), "forgets loading"),
    ("images", lambda f, la, n: counted(f, la, n, wait=0), "forgets the wait"),
    ("images", lambda f, la, n: counted(f, la, n, write=False), "forgets writing"),
    ("images", lambda f, la, n: counted(f, la, n, whole=False), "parts of jobs"),
    ("images", lambda f, la, n: counted(f, la, n) / 1e6, "per microsecond"),
    ("images", lambda f, la, n: AlwaysEqual(1.0), "an object that lies"),
    ("rounding", lambda a, s, t: np.clip(a >> s, 0, t), "rounds down"),
    ("rounding", lambda a, s, t: np.clip((a + 1) >> s, 0, t), "adds one"),
    ("rounding", lambda a, s, t: (a + (1 << (s - 1))) >> s, "does not clip"),
    ("rounding", lambda a, s, t: np.clip(np.round(a / 2**s), 0, t), "halves to even"),
    ("rounding", lambda a, s, t: np.clip(np.floor(a / 2**s + 0.5), 0, t), "floating point"),
    ("rounding", lambda a, s, t: np.clip((a + (1 << (s - 1)) - 1) >> s, 0, t), "halves go down"),
    ("rounding", lambda a, s, t: AlwaysEqual([0.0] * 60), "an object that lies"),
    ("running_max", without_first, "never restarts"),
    ("running_max", combinational, "remembers nothing"),
    ("running_max", minimum, "the smallest"),
    ("running_max", first_to_zero, "loses the first value"),
    ("running_max", raises, "raises"),
    ("running_max", at_once, "shows the next value before its tick"),
    ("running_max", rising, "restarts only when first rises"),
    ("running_max", unsigned, "compares without the sign"),
    ("running_max", lambda m, x, first, largest: AlwaysEqual(1.0), "an object that lies"),
    ("running_max", lambda m, x, first, largest: m, "an empty circuit"),
]

RIGHT = [
    ("table", 33022),
    ("images", lambda f, la, n: f / sum([la[0][0] + 1, *((N + n - 1) // n * (K + 1) + N for K, N in la)]) * 1e6),
    ("rounding", lambda a, s, t: np.minimum(np.maximum(((a >> (s - 1)) + 1) >> 1, 0), t)),
    ("running_max", with_mux),
]  # fmt: skip

NAMED = {
    "table": "my_table_solution",
    "images": "images_per_second_solution",
    "rounding": "nearest_solution",
}


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right, named = WRONG, RIGHT, NAMED


def test_a_replaced_simulator_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = pytest.importorskip("amaranth.sim")
    monkeypatch.setattr(sim, "Simulator", sim.Simulator)
    assert "came" in checks.running_max.check(swaps_the_simulator).text
    assert checks.running_max.check(SOLUTIONS["running_max_solution"]).status == "right"
