"""``{live-figure} notebooks/part/chapter.ipynb`` shows a chapter's named figure on another page.

The option ``name`` picks the figure; without it the first named figure of the chapter is shown. The figure
stands on its own there: no number, no label, the chapter's caption under it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def named_outputs(notebook: Path) -> dict[str, dict[str, Any]]:
    """Return the notebook's outputs that are named figures, by name, in their order."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    ours = [(output.get("metadata", {}).get("dlcourse", {}), output) for output in outputs]
    return {meta["name"]: output for meta, output in ours if meta.get("name")}


class LiveFigure(SphinxDirective):
    """The directive."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"name": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Copy the figure's HTML into this page."""
        notebook = Path(self.env.srcdir, self.arguments[0])
        self.env.note_dependency(str(notebook))
        figures = named_outputs(notebook)
        name = self.options.get("name") or next(iter(figures), None)
        if name not in figures:
            raise self.error(f"{notebook} has no figure named {name!r}; it has {list(figures)}")
        html = "".join(figures[name]["data"]["text/html"])
        caption = figures[name]["metadata"]["dlcourse"].get("caption") or ""
        figure = nodes.container(classes=["live-figure"])
        figure += nodes.raw("", html, format="html")
        parsed, _ = self.parse_inline(caption, lineno=self.lineno)
        figure += nodes.paragraph("", "", *parsed, classes=["live-figure-caption"])
        return [figure]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    app.add_directive("live-figure", LiveFigure)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
