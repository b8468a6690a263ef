"""A notebook executed without anyone watching: recorded, deterministic, no widgets, same result as live."""

import json
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

SOURCE = """
import torch
from dlcourse.figures import Choice, Explorer, LiveTraining, Slider, panel, plot, scene

def curve(values): return scene(panel(plot(range(len(values)), values)), text=f"{len(values)} values")
def begin(rate): return {"random": torch.Generator().manual_seed(0), "rate": rate, "values": []}
def step(s): s["values"].append(s["rate"] * torch.rand((), generator=s["random"]).item())
def view(s, k): return curve(s["values"])
""".strip()
EXPLORER = 'Explorer(lambda n: curve(list(range(n))), alt="A line.", n=Slider(range(1, 9), 3), name="fig-a")'
TRAINING = (
    'run = LiveTraining(begin, step, view, alt="Noise.", max_steps=30, rate=Choice([1, 2]))\nrun'
)
FINISH = "print(run.k, f\"{sum(run.finish()['values']):.12f}\")"
WIDGET = "application/vnd.jupyter.widget-view+json"


def executed(monkeypatch: pytest.MonkeyPatch, headless: str | None) -> dict[str, Any]:
    if headless is None:
        monkeypatch.delenv("DLCOURSE_HEADLESS", raising=False)
    else:
        monkeypatch.setenv("DLCOURSE_HEADLESS", headless)
    cells = [
        nbformat.v4.new_code_cell(c, id=f"c{i}")
        for i, c in enumerate((SOURCE, EXPLORER, TRAINING, TRAINING, FINISH))
    ]
    book = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(book, record_timing=False, kernel_name="python3", timeout=120).execute()
    return json.loads(nbformat.writes(book))


def test_headless_runs_are_byte_identical_and_agree_with_live_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    once, twice = (executed(monkeypatch, None) for _ in range(2))
    assert once["cells"] == twice["cells"]
    shown = [c["outputs"][0] for c in once["cells"][1:4]]
    assert all(set(o["data"]) == {"text/plain", "text/html", "image/png"} for o in shown)
    assert shown[0]["metadata"]["dlcourse"] == {"name": "fig-a"}
    assert "widgets" not in once["metadata"]
    live = executed(monkeypatch, "0")
    assert WIDGET in live["cells"][2]["outputs"][0]["data"]
    recorded, watched = (b["cells"][4]["outputs"][0]["text"][0].split() for b in (once, live))
    assert recorded[0] == "30"  # trained when it was recorded
    assert watched[0] == "0"  # trained by finish()
    assert recorded[1] == watched[1]
