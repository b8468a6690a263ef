"""What the site adds to a chapter as it is read; the notebook on disk stays as it is.

* A named figure (``figures.show(…, name="fig-…")`` and its kin leave the name and the caption in the
  output's metadata) becomes a numbered figure that ``{numref}`` can point at.
* A folded cell tagged ``solution`` is labelled as one.
"""

from __future__ import annotations

import json
from typing import Any

from sphinx.application import Sphinx

Cell = dict[str, Any]
SOLUTION_PROMPTS = {
    "code_prompt_show": "Show the solution",
    "code_prompt_hide": "Hide the solution",
}


def figure_of(output: dict[str, Any]) -> dict[str, str]:
    """Return MyST-NB's figure options for one output, empty if it is not a named figure."""
    ours = output.get("metadata", {}).get("dlcourse", {})
    if not isinstance(ours, dict) or not ours.get("name"):
        return {}
    return {"name": ours["name"], "caption": ours.get("caption") or ours["name"]}


def with_options(cell: Cell, **options: Any) -> Cell:
    """Return a copy of a cell with more MyST-NB options in its metadata."""
    metadata = cell.get("metadata", {})
    return cell | {"metadata": metadata | {"mystnb": metadata.get("mystnb", {}) | options}}


def without_source(cell: Cell, part: int) -> Cell:
    """Return a copy of a cell that shows outputs only."""
    metadata = cell.get("metadata", {})
    tags = [tag for tag in metadata.get("tags", []) if tag != "hide-input"] + ["remove-input"]
    copy = cell | {"metadata": metadata | {"tags": tags}}
    return copy | {"id": f"{cell['id'][:58]}-{part}"} if "id" in cell else copy


def split_figures(cell: Cell) -> list[Cell]:
    """Give each named figure a cell of its own, for MyST-NB makes figures of whole cells only."""
    groups: list[tuple[dict[str, str], list[dict[str, Any]]]] = []
    for output in cell.get("outputs", []):
        figure = figure_of(output)
        if figure or not groups or groups[-1][0]:
            groups.append((figure, []))
        groups[-1][1].append(output)
    cells = []
    for part, (figure, outputs) in enumerate(groups):
        piece = (without_source(cell, part) if part else cell) | {"outputs": outputs}
        cells.append(with_options(piece, figure=figure) if figure else piece)
    return cells or [cell]


def prepare(cell: Cell) -> list[Cell]:
    """Return the cells that the page shows for one cell of the notebook."""
    if cell.get("cell_type") != "code":
        return [cell]
    if "solution" in cell.get("metadata", {}).get("tags", []):
        cell = with_options(cell, **SOLUTION_PROMPTS)
    return split_figures(cell)


def on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Rewrite a notebook's JSON before MyST-NB reads it."""
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    notebook["cells"] = [shown for cell in notebook["cells"] for shown in prepare(cell)]
    source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("source-read", on_source_read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
