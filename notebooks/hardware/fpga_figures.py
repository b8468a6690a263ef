"""Drawing for the FPGA chapter, and the record of real runs that its pictures read."""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlcourse.figures import Still, bar, panel, plot, scatter, scene, show, text

HERE = Path(__file__).parent
NAMES = {"up5k": "iCE40 UP5K", "hx8k": "iCE40 HX8K", "ecp5": "ECP5-25K"}
LANES = (1, 4, 8, 16)
SMALL = (250, 210)
LOADING = 64 + 1  # one tick a pixel, one for start
TICKS = {
    1: 1236,
    4: 337,
    8: 190,
    16: 108,
}  # eq-fpga-cycles; the chapter checks it against simulation


def plan() -> list[dict[str, Any]]:
    """Every run of the record: chip, lanes, bits, pipelined."""
    keys = ("chip", "lanes", "bits", "pipelined")
    folded = [(chip, lanes, 8, False) for chip in ("up5k", "ecp5") for lanes in LANES]
    folded += [("hx8k", 8, 8, False), ("up5k", 8, 8, True)]
    narrow = [("hx8k", 8, bits, False) for bits in (3, 4, 5, 6)]
    return [dict(zip(keys, row, strict=True)) for row in folded + narrow]


class Runs:
    """The recorded runs of the tools, one dictionary each."""

    def __init__(self, name: str) -> None:
        self.path = HERE / name
        stored = json.loads(self.path.read_text(encoding="utf-8"))
        self.rows, made, tools = stored["runs"], stored["made"], stored["tools"]
        said = ", ".join(f"{tool} {number}" for tool, number in tools.items())
        self.about = f"{len(self.rows)} recorded runs, made {made} with {said}"

    @property
    def chips(self) -> list[str]:
        """Names of the chips that are recorded with every number of lanes."""
        seen = {(row["chip"], row["lanes"]) for row in self.rows if not row["pipelined"]}
        return [name for key, name in NAMES.items() if all((key, n) in seen for n in LANES)]

    def find(self, **wanted: Any) -> dict[str, Any]:
        """The one run with these settings; LookupError if it is not recorded."""
        for row in self.rows:
            if all(row[key] == value for key, value in wanted.items()):
                return row
        raise LookupError(f"expected a recorded run with {wanted}, found none; remake the record")

    def remake(
        self, measure: Callable[..., dict], tools: Mapping[str, str], refused: type[Exception]
    ) -> None:
        """Run every line of `plan` again and replace the file."""
        rows = []
        for settings in plan():
            try:
                rows.append({**settings, **measure(**settings)})
            except refused as error:
                rows.append({**settings, "error": str(error)})
        made = datetime.date.today().isoformat()
        stored = {"made": made, "tools": dict(tools), "runs": rows}
        self.path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        self.rows = rows

    def folding_scene(self, chip: str, lanes: int) -> dict:
        """Look-up tables, speed and images per second of one chip against the lanes."""
        key = next(k for k, name in NAMES.items() if name == chip)
        rows = [self.find(chip=key, lanes=n, bits=8, pipelined=False) for n in LANES]
        rate = [1e-3 * images(row) for row in rows]
        row, k = rows[LANES.index(lanes)], LANES.index(lanes)
        panels = (
            _bars([r.get("luts", 0) for r in rows], k, "look-up tables"),
            _bars([r.get("fmax_mhz", 0) for r in rows], k, "fastest clock, MHz"),
            _bars(rate, k, "thousand images per second"),
        )
        if "error" in row:
            return scene(*panels, text=f"{lanes} lanes do not fit; the tool says: {row['error']}")
        blocks = row["multipliers"] or "no"
        said = (
            f"{lanes} lanes: {row['luts']} look-up tables, {blocks} multiplier blocks, {row['flipflops']} registers, "
            f"{row['memories']} memory blocks, {row['fmax_mhz']:.1f} MHz, "
            f"{LOADING + TICKS[lanes]} ticks an image: {rate[k]:.1f} thousand images a second"
        )
        return scene(*panels, text=said)

    def pipeline_table(self, ticks: Callable[..., int]) -> str:
        """Clock and images per second on the UP5K with 8 lanes, plain and pipelined."""
        lines = []
        for pipelined in (False, True):
            row = self.find(chip="up5k", lanes=8, bits=8, pipelined=pipelined)
            mhz = row["fmax_mhz"]
            rate = 1e6 * mhz / (LOADING + ticks(8, pipelined))
            kind = "pipelined" if pipelined else "plain"
            lines.append(
                f"{kind:10} {row['luts']} look-up tables, {mhz:.1f} MHz, {rate / 1000:.1f} thousand images a second"
            )
        return "\n".join(lines)


def images(row: Mapping[str, Any]) -> float:
    """Images per second of a recorded run, loading included; 0 if it did not fit."""
    if "error" in row:
        return 0.0
    return 1e6 * row["fmax_mhz"] / (LOADING + TICKS[row["lanes"]])


def _bars(heights: Sequence[float], chosen: int, title: str) -> dict:
    marks = [bar([i], [h], color="c2" if i == chosen else "c1") for i, h in enumerate(heights)]
    ticks = {i: str(n) for i, n in enumerate(LANES)}
    top = 1.12 * max(heights)
    return panel(*marks, title=title, xlabel="lanes", xticks=ticks, ylim=(0, top), size=SMALL)


def beside(live: Any, record: Mapping[str, Any]) -> str:
    """A table of one run made now (None: a dash in its place) and the recorded one."""
    labels = {
        "luts": "look-up tables", "flipflops": "registers", "multipliers": "multiplier blocks",
        "memories": "memory blocks", "logic_cells": "logic cells after placing", "fmax_mhz": "fastest clock, MHz",
        "bitstream_bytes": "bitstream, bytes", "design": "circuit",
    }  # fmt: skip
    now = live.as_dict() if live else dict.fromkeys(labels, "–")
    lines = [f"{'':28}{'now':>14}{'record':>14}"]
    lines += [f"{label:28}{now[key]!s:>14}{record[key]!s:>14}" for key, label in labels.items()]
    return "\n".join(lines)


def training_scene(
    loss: Sequence[float], right: Sequence[tuple[int, float]], net: Any, k: int, steps: int
) -> dict:
    """Loss, accuracy of the integer network, histogram of its first layer."""
    top = 2 ** (net.bits - 1) - 1
    at, percent = np.array(right).T
    width = max(1, (2 * top + 1) // 32)
    edges = np.arange(-top - width / 2, top + width, width)
    count, _ = np.histogram(net.W1, edges)
    middle = (edges[:-1] + edges[1:]) / 2
    curve = [plot(np.arange(1, len(loss) + 1), loss, color="c2")] if loss else []
    panels = (
        panel(*curve, title="loss", xlabel="step", xlim=(0, steps), ylim=(0, 3), size=SMALL),
        panel(plot(at, percent), scatter(at, percent), title="test digits right, %", xlabel="step",
              xlim=(0, steps), ylim=(0, 100), size=SMALL),
        panel(bar(middle, count, width=0.9 * width), title="integer weights", xlabel="value",
              xlim=(-top - 1, top + 1), ylim=(0, 1.1 * max(count)), size=SMALL),
    )  # fmt: skip
    return scene(*panels, text=f"step {k}: {percent[-1]:.1f} % of the test digits right")


def roofline_scene(tile: Callable, m: int, n: int, bandwidth: int) -> dict:
    """All tile shapes under the roof of one memory bandwidth; one is marked, with the roof of its multipliers."""
    work = 16 * 6 * 100 * 25  # products of the layer

    def point(i: int, j: int) -> tuple[float, float]:
        t = tile(i, j)
        return work / t.traffic, work / max(t.compute, t.traffic / bandwidth)

    dots = np.array([point(i, j) for i in range(1, 17) for j in range(1, 7)])
    x, y = point(m, n)
    t = tile(m, n)
    reach = np.array([3.0, 50.0])
    slow = "memory" if t.traffic / bandwidth > t.compute else "computing"
    said = (
        f"{t.multipliers} multipliers, {max(t.compute, t.traffic / bandwidth):.0f} ticks for the layer, {slow} is the limit; "
        f"each multiplier is busy {100 * y / t.multipliers:.0f} % of the time"
    )
    roof = panel(
        scatter(*dots.T, color="c1", size=3, label="a tile shape"),
        plot(reach, bandwidth * reach, color="fg", dash="5 3", label="memory roof"),
        plot(reach, 0 * reach + t.multipliers, color="c2", dash="2 3", label="your multipliers' roof"),
        scatter([x], [y], color="c2", size=7, marker="s", label="yours"),
        xlabel="products per byte fetched", ylabel="products per tick", xlog=True, ylog=True,
        xlim=(3, 50), ylim=(0.7, 150), size=(560, 330),
    )  # fmt: skip
    return scene(roof, text=said)


def width_figure(trained: Mapping[tuple[int, int], float], luts: Mapping[int, int]) -> Still:
    """Accuracy of every start and look-up tables against the width."""
    widths = sorted(luts)
    marks = [
        scatter([b] * n, [v for (w, _), v in trained.items() if w == b])
        for b in widths
        if (n := sum(w == b for w, _ in trained))
    ]
    means = [np.mean([v for (w, _), v in trained.items() if w == b]) for b in widths]
    left = panel(*marks, plot(widths, means), title="test digits right, %", xlabel="bits", size=(330, 240))  # fmt: skip
    sizes = [luts[b] for b in widths]
    right = panel(
        bar(widths, sizes), *(text(b, s + 40, str(s), anchor="middle") for b, s in luts.items()),
        title="look-up tables, HX8K, 8 lanes", xlabel="bits", ylim=(0, 1.1 * max(sizes)), size=(330, 240),
    )  # fmt: skip
    return show(
        scene(left, right),
        alt="Left: accuracy of five starts at 3, 4, 5, 6 and 8 bits, low at 3 and level from 5 or 6 on. "
        "Right: look-up tables, which grow with every bit.",
        caption="Accuracy levels off while the circuit keeps growing: bits beyond the bend buy nothing here.",
        name="fig-fpga-width",
    )
