"""Drawing for the chapter on living with an FPGA."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dlcourse.figures import imshow, panel, plot, scatter, scene, text

BOOK = Path(__file__).parents[2] / "book" / "references.bib"
WIDE = (520, 200)
ROADMAP = {  # key of the bibliography -> what it stands for
    "thompson1996": "evolved circuit",
    "farabet2009": "CNP, a convolution processor",
    "farabet2011": "NeuFlow and luaFlow",
    "putnam2014": "Catapult, servers",
    "zhang2015fpga": "roofline design",
    "lacey2016": "a survey",
    "han2017": "ESE, sparse speech",
    "umuroglu2017": "FINN, one-bit networks",
    "duarte2018": "hls4ml, physics",
    "fowers2018": "Brainwave, servers",
    "shah2019": "open tools",
    "umuroglu2020": "LogicNets",
}


def swap_scene(
    sums: np.ndarray, wanted: np.ndarray, net: np.ndarray, inputs: np.ndarray, at: int
) -> dict:
    """The adder's results with errors crossed out, and the network's output beside AND and XOR."""
    tick = np.arange(len(sums))
    wrong = sums != wanted
    inside = (tick >= at) & (tick < at + 2)
    right = np.where(tick < at, inputs[0] & inputs[1], inputs[0] ^ inputs[1])
    upper = panel(
        plot(tick, wanted, color="muted", label="expected sum"),
        scatter(tick[~wrong], sums[~wrong], label="adder"),
        scatter(tick[wrong], sums[wrong], color="c2", marker="x", size=6, label="wrong"),
        plot([at, at], [0, 34], color="fg", dash="4 3"),
        title="the adder", xlabel="tick", ylabel="sum", ylim=(0, 34), size=WIDE,
    )  # fmt: skip
    lower = panel(
        scatter(tick, right, color="muted", size=6, label="AND, then XOR"),
        scatter(tick, net, color="c3", size=3, marker="s", label="network"),
        plot([at, at], [-0.2, 1.2], color="fg", dash="4 3"),
        title="the network", xlabel="tick", ylabel="output", ylim=(-0.2, 1.6), size=WIDE,
    )  # fmt: skip
    settled = int(((net != right) & ~inside).sum())
    said = f"{wrong.sum()} of {len(sums)} sums wrong; network wrong at {settled} ticks outside the writing"
    return scene(upper, lower, text=said)


def evolution_scene(
    bits: np.ndarray, right: Sequence[int], came: np.ndarray, wanted: np.ndarray, k: int
) -> dict:
    """The configuration bits, the score so far, and the 64 answers."""
    grid = np.where(came == wanted, came * 1.0, 0.5).reshape(8, 8)
    bad = np.argwhere((came != wanted).reshape(8, 8))
    crosses = [scatter(bad[:, 1], bad[:, 0], color="c2", marker="x", size=6)] if len(bad) else []
    panels = (
        panel(imshow(bits.reshape(2, 16), cmap="gray", lim=(-0.4, 1.4)), title="tables A and B",
              axes=False, size=(300, 90)),
        panel(plot(np.arange(len(right)), right), title="right answers of 64", xlabel="flips tried",
              xlim=(0, 600), ylim=(20, 66), size=(300, 200)),
        panel(imshow(grid, cmap="gray", lim=(-0.4, 1.4)), *crosses, title="answers for 0 to 63; × wrong",
              axes=False, size=(220, 220)),
    )  # fmt: skip
    return scene(*panels, text=f"after {k} flips: {right[-1]} of 64 right")


def queue_scene(latencies: Callable, poisson: Callable, batch: int) -> dict:
    """99th percentiles of both machines against the load, batch by batch."""
    rates = np.array([100, 200, 400, 600, 800, 900, 950, 1200, 1600, 2400])  # requests per second
    machines = {"FPGA, one at a time": (1.0, 0.0, 1), "GPU, batches": (2.0, 0.1, batch)}
    marks, said = [], []
    for (name, (fixed, each, limit)), color, dash in zip(
        machines.items(), ("c1", "c2"), (None, "6 3"), strict=True
    ):
        capacity = 1000 * limit / (fixed + limit * each)
        able = rates[rates < 0.97 * capacity]
        p99 = [np.percentile(latencies(poisson(r / 1000, 6000, 1), fixed, each, limit), 99) for r in able]  # fmt: skip
        marks += [plot(able, p99, color=color, dash=dash, label=name)] if len(able) else []
        said.append(f"{name}: at most {capacity:.0f} requests a second")
    shown = panel(
        *marks, xlabel="requests per second", ylabel="99th percentile, ms", xlim=(0, 2500),
        ylim=(0.8, 100), ylog=True, size=(560, 320),
    )  # fmt: skip
    return scene(shown, text="; ".join(said))


def market_scene(present_value: Callable, delay: int, saving: int) -> dict:
    """Present value of both products against the ASIC's months to market."""
    months = np.arange(6, 37)
    fpga = present_value(6, 100.0, 20.0)
    asic = [present_value(int(m), 2000.0, 20.0 + saving) for m in months]
    here = present_value(delay, 2000.0, 20.0 + saving)
    winner = "the ASIC" if here > fpga else "the FPGA"
    shown = panel(
        plot(months, np.full(len(months), fpga), label="FPGA, sold from month 6"),
        plot(months, asic, color="c2", dash="6 3", label="ASIC"),
        scatter([delay], [here], color="c2", size=7, marker="s"),
        xlabel="months until the ASIC sells", ylabel="present value, thousand dollars", size=(560, 320),
    )  # fmt: skip
    return scene(shown, text=f"FPGA {fpga:.0f}, ASIC {here:.0f} thousand dollars: {winner} wins")


def roadmap_scene() -> dict:
    """Years and subjects of primary papers, read from the bibliography."""
    source = BOOK.read_text(encoding="utf-8")
    dated = []
    for key, subject in ROADMAP.items():
        entry = re.search(rf"@\w+\{{{key},.*?\n\}}", source, re.S)
        if entry is None:
            raise LookupError(f"expected {key} in {BOOK.name}, found none; add the entry")
        dated.append((int(re.search(r"year = \{(\d+)\}", entry[0])[1]), subject))
    dated.sort()
    years, rows = [y for y, _ in dated], range(len(dated), 0, -1)
    labels = [
        text(y - 0.5 if y > 2008 else y + 0.5, r - 0.15, f"{y}  {s}", anchor="end" if y > 2008 else "start")
        for (y, s), r in zip(dated, rows, strict=True)
    ]  # fmt: skip
    shown = panel(
        scatter(years, list(rows), size=5), *labels, xlabel="year", xlim=(1984, 2022),
        ylim=(0, len(dated) + 1), yticks={}, size=(600, 330),
    )  # fmt: skip
    return scene(shown)
