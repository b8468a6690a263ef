"""Two referees of the systolic chapter that come from outside: the SCALE-Sim simulator, and Yosys for gates against tables."""

import builtins
import contextlib
import csv
import io
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FLOWS = {"output": "os", "weight": "ws", "input": "is"}

# Nothing is waited for: buffers of 64 kB and a memory as fast as the layer asks for (CALC).
_CONFIG = """[general]
run_name = run
[architecture_presets]
ArrayHeight: {rows}
ArrayWidth: {columns}
IfmapSramSzkB: 64
FilterSramSzkB: 64
OfmapSramSzkB: 64
IfmapOffset: 0
FilterOffset: 10000000
OfmapOffset: 20000000
Bandwidth : 10
Dataflow : {flow}
ReadRequestBuffer: 64
WriteRequestBuffer: 64
[layout]
IfmapCustomLayout: False
IfmapSRAMBankBandwidth: 10
IfmapSRAMBankNum: 10
IfmapSRAMBankPort: 2
FilterCustomLayout: False
FilterSRAMBankBandwidth: 10
FilterSRAMBankNum: 10
FilterSRAMBankPort: 2
[sparsity]
SparsitySupport: False
SparseRep: ellpack_block
OptimizedMapping: False
BlockSize: 4
RandomNumberGeneratorSeed: 40
[run_presets]
InterfaceBandwidth: CALC
UseRamulatorTrace: False
"""


class ScaleSim(NamedTuple):
    """What SCALE-Sim reports of one product: clocks, and words that it says went to and from its buffers."""

    clocks: int
    reads_x: int
    reads_w: int
    writes_y: int


def scale_sim(
    shapes: Sequence[tuple[int, int, int]], rows: int, columns: int, flow: str = "output"
) -> list[ScaleSim]:
    """Let SCALE-Sim 3.0.0 count the products (M, K) @ (K, N) of `shapes` = [(M, K, N), …] on a rows × columns array.

    flow: "output", "weight" or "input" (what stays in the cells). Everything is written to a temporary folder.
    Raises ValueError for another flow, ModuleNotFoundError if the package scalesim is not installed.
    """
    if flow not in FLOWS:
        raise ValueError(f"flow must be one of {', '.join(FLOWS)}, not {flow!r}")
    with tempfile.TemporaryDirectory(prefix="dlcourse_") as folder, _patched() as simulator:
        paths = _inputs(
            Path(folder), shapes, {"rows": rows, "columns": columns, "flow": FLOWS[flow]}
        )
        with contextlib.redirect_stdout(io.StringIO()):
            run = simulator(save_disk_space=True, verbose=False, input_type_gemm=True, **paths)
            run.run_scale(top_path=folder)
        return list(_reports(Path(folder) / "run"))


@contextlib.contextmanager
def _patched() -> Iterator[Any]:
    """The simulator class, with one repair that is undone afterwards.

    SCALE-Sim 3.0.0 takes int(max(…)) of arrays with one element, which NumPy refuses from 2.4 on. The name `max` of
    that one module is pointed at a function that returns a plain number.
    """
    from scalesim.memory import double_buffered_scratchpad_mem as memory
    from scalesim.scale_sim import scalesim

    def largest(*values: Any) -> Any:
        found = builtins.max(*values)
        return found.item() if hasattr(found, "item") else found

    memory.max = largest
    try:
        yield scalesim
    finally:
        del memory.max


def _inputs(folder: Path, shapes: Sequence[tuple[int, int, int]], array: dict) -> dict[str, str]:
    names = [f"product{i}" for i in range(len(shapes))]
    rows = [f"{n},{m},{n_},{k}," for n, (m, k, n_) in zip(names, shapes, strict=True)]
    texts = {
        "config": _CONFIG.format(**array),
        "topology": "\n".join(["Layer,M,N,K,", *rows]) + "\n",
        "layout": "\n".join(
            ["Layer name," + "x," * 20, *(n + "," + "1," * 20 for n in names)]
        ),  # it is read, though no layout is simulated
    }
    for name, content in texts.items():
        (folder / f"{name}.csv").write_text(content + "\n", encoding="utf-8")
    return {name: str(folder / f"{name}.csv") for name in texts}


def _reports(folder: Path) -> Iterator[ScaleSim]:
    clocks, words = (
        _table(folder / f"{name}.csv") for name in ("COMPUTE_REPORT", "DETAILED_ACCESS_REPORT")
    )
    for time, access in zip(clocks, words, strict=True):
        yield ScaleSim(
            int(float(time["Total Cycles"])),
            *(
                int(float(access[f"SRAM {name}"]))
                for name in ("IFMAP Reads", "Filter Reads", "OFMAP Writes")
            ),
        )


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return [
            {k.strip(): v for k, v in row.items() if k}
            for row in csv.DictReader(file, skipinitialspace=True)
        ]


# --- the same arithmetic as gates and as look-up tables --------------------------------------------

CELL = """module cell8(input signed [7:0] a, b, input signed [23:0] s, output signed [23:0] y);
  assign y = s + a * b;
endmodule
"""
_REGISTERED = """module top(input clk, input signed [7:0] a, b, input signed [23:0] s, output reg signed [23:0] y);
  reg signed [7:0] ra, rb;
  reg signed [23:0] rs;
  wire signed [23:0] sum;
  cell8 cell(.a(ra), .b(rb), .s(rs), .y(sum));
  always @(posedge clk) begin ra <= a; rb <= b; rs <= s; y <= sum; end
endmodule
"""
_MAPS = {  # Yosys' own flows for two-input gates and for tables with four inputs
    "gates": "synth -flatten -top cell8; abc -g AND,NAND,OR,NOR,XOR,XNOR,MUX",
    "tables": "synth -flatten -top cell8 -lut 4",
}
_OUT = "opt_clean; tee -o depth.txt ltp -noff; write_json netlist.json"


def synthesise_cell() -> dict[str, Any]:
    """Map `CELL`, one cell of an array, twice with Yosys: to two-input gates, and to four-input look-up tables.

    Returns counts of gates by kind, of tables by the number of inputs they use, and both depths (cells on the
    longest path). Raises MissingTools if Yosys is not installed.
    """
    from dlcourse.hardware.synthesis import run_yosys

    found: dict[str, Any] = {}
    for kind, mapping in _MAPS.items():
        script = f"read_verilog design.v; {mapping}; {_OUT}"
        out = run_yosys(script, {"design.v": CELL}, ["depth.txt", "netlist.json"])
        cells = json.loads(out["netlist.json"])["modules"]["cell8"]["cells"].values()
        found[kind] = dict(sorted(Counter(_kind(cell) for cell in cells).items()))
        found[f"{kind}_depth"] = int(re.search(r"length=(\d+)", out["depth.txt"])[1])
    return found


def route_cell(seed: int = 1) -> dict[str, float]:
    """Place and route `CELL` between registers on an iCE40 HX8K, made of tables alone (no carry chains).

    Returns the nanoseconds that its slowest path spends in tables and registers, and in the wiring between them.
    """
    from dlcourse.hardware.synthesis import place, run_yosys

    script = "read_verilog design.v; synth_ice40 -nocarry -flatten -top top -json top.json"
    netlist = run_yosys(script, {"design.v": CELL + _REGISTERED}, ["top.json"])["top.json"]
    paths = place(netlist, "hx8k", seed=seed)[0]["critical_paths"]
    inside = next(p["path"] for p in paths if p["from"] == p["to"] != "<async>")
    spent = Counter()
    for leg in inside:
        spent["wiring" if leg["type"] == "routing" else "tables"] += leg["delay"]
    return {f"{kind}_ns": round(spent[kind], 2) for kind in ("tables", "wiring")}


def _kind(cell: dict) -> str:
    """AND, XOR, …, or the number of inputs that a look-up table uses (constants do not count)."""
    if cell["type"] == "$lut":
        return str(sum(isinstance(wire, int) for wire in cell["connections"]["A"]))
    return cell["type"].strip("$_")
