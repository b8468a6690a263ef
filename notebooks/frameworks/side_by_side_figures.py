"""Drawing for the side-by-side chapter: listings, tables, rankings, loss curves, costs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from IPython.display import Markdown

from dlcourse.figures import bar, panel, plot, scatter, scene

CONTEST = Path(__file__).parent / "contest"
COLOURS = ("c1", "c2", "c3", "c4", "c5", "c6")


def listing(script: str) -> Markdown:
    """The source of a contestant, with the highlighting of the page or of JupyterLab."""
    text = (CONTEST / f"{script}.py").read_text(encoding="utf-8")
    return Markdown(f"`contest/{script}.py`\n\n```python\n{text}```")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Markdown:
    """Rows as a table; the first column is text, numbers are aligned to the right."""
    line = "|".join([":--"] + ["--:"] * (len(head) - 1))
    body = ["|" + "|".join(str(cell) for cell in row) + "|" for row in rows]
    return Markdown("\n".join(["|" + "|".join(head) + "|", f"|{line}|", *body]))


def ranking(
    names: Sequence[str], scores: np.ndarray, ylabel: str, top: float, title: str = ""
) -> dict:
    """Bars sorted from best to worst; each framework keeps its colour."""
    order = np.argsort(-scores, kind="stable")
    bars = [
        bar([place], [scores[i]], color=COLOURS[i % len(COLOURS)], width=0.7)
        for place, i in enumerate(order)
    ]
    ticks = {place: names[i] for place, i in enumerate(order)}
    return panel(
        *bars, title=title, ylabel=ylabel, xticks=ticks, ylim=(0, top), xlim=(-0.6, len(names) - 0.4),
        size=(560, 280),
    )  # fmt: skip


def lying_bars(values: Mapping[str, float], xlabel: str, log: bool = False) -> dict:
    """One dot per name on its own line, the smallest value on top."""
    names = sorted(values, key=values.get)
    marks, low = [], 0 if not log else min(values.values()) / 1.6
    for row, name in enumerate(reversed(names)):
        marks.append(plot([low, values[name]], [row, row], color="muted", width=1))
        marks.append(scatter([values[name]], [row], color="c1", size=4))
    ticks = dict(enumerate(reversed(names)))
    return panel(
        *marks, xlabel=xlabel, yticks=ticks, xlog=log, ylim=(-0.7, len(names) - 0.3),
        xlim=(low, 1.25 * max(values.values())), size=(600, 60 + 19 * len(names)),
    )  # fmt: skip


def losses_and_gap(
    name: str, losses: Sequence[float], reference: Sequence[float], steps: int
) -> list[dict]:
    """Two panels: a run over PyTorch's, and how far apart they are, on a logarithmic axis."""
    k, n = np.arange(1, len(losses) + 1), len(reference)
    gap = np.maximum(np.abs(np.array(losses) - np.array(reference[: len(losses)])), 1e-9)
    runs = panel(
        plot(np.arange(1, n + 1), reference, color="c1", width=5, label="PyTorch"),
        plot(k, losses, color="c2", dash="5 4", label=name),
        xlabel="step", ylabel="loss of the batch", xlim=(0.5, steps + 0.5), ylim=(0, 2.5),
    )  # fmt: skip
    apart = panel(
        plot([1, steps], [1.2e-7, 1.2e-7], color="muted", dash="2 3", label="one float32 rounding at 1"),
        scatter(k, gap, color="c2", label="difference"),
        xlabel="step", ylabel="|difference|", ylog=True, xlim=(0.5, steps + 0.5), ylim=(5e-10, 1e-3),
    )  # fmt: skip
    return [runs, apart]


def total_time(results: Mapping[str, dict], steps: int, top: int = 12) -> dict:
    """CPU seconds of a whole job of `steps` steps, for the `top` quickest."""
    total = {name: whole_job(r, steps) for name, r in results.items()}
    kept = dict(sorted(total.items(), key=lambda item: item[1])[:top])
    first = min(kept, key=kept.get)
    dots = lying_bars(kept, "CPU seconds of the whole job", log=True)
    return scene(dots, text=f"{steps} steps: the quickest is {first}, {kept[first]:.1f} s")


def whole_job(r: dict, steps: int) -> float:
    """Seconds of CPU from an empty process to the end of `steps` steps."""
    return r["import_s"] + r["setup_s"] + r["first_s"] + (steps - 1) * r["ms"] / 1000


def relative(results: Mapping[str, dict], name: str) -> float:
    """CPU time of one step in units of PyTorch's, both measured here."""
    return results[name]["ms"] / results["torch"]["ms"]
