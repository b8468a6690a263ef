"""``{model-tree}``: the family tree of models from book/models.yml; a click on a model opens its chapter.

It is a list within lists, so that it can be read aloud, walked with the keyboard and printed; every branch folds.
A model whose chapter is not written yet stands there without a link.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

Model = dict[str, Any]


def raw(text: str) -> nodes.raw:
    """HTML of ours."""
    return nodes.raw("", text, format="html")


def all_below(model: Model) -> int:
    """How many models grew out of this one."""
    return sum(1 + all_below(child) for child in model.get("branches", []))


class ModelTree(SphinxDirective):
    """The directive."""

    def run(self) -> list[nodes.Node]:
        """Read the tree, note that this page depends on it and on the chapters that exist."""
        source = Path(self.env.srcdir, "book", "models.yml")
        self.env.note_dependency(str(source))
        self.env.note_reread()  # a planned chapter may have appeared
        roots = yaml.safe_load(source.read_text(encoding="utf-8"))
        opening = '<div class="dlc-tree" role="region" aria-label="Family tree of models"><ul>'
        return [raw(opening), *self.items(roots), raw("</ul></div>")]

    def items(self, models: list[Model]) -> list[nodes.Node]:
        """The list items of one level, oldest first, each with its branches."""
        made = []
        for model in sorted(models, key=lambda m: m["year"]):
            made += [raw("<li>"), self.line(model), *self.branches(model), raw("</li>")]
        return made

    def line(self, model: Model) -> nodes.paragraph:
        """Year, name with its link, idea."""
        idea = nodes.inline("", f" {model['idea']}", classes=["dlc-idea"])
        year = nodes.inline("", f"{model['year']} ", classes=["dlc-year"])
        return nodes.paragraph("", "", year, self.link(model), idea)

    def branches(self, model: Model) -> list[nodes.Node]:
        """What grew out of a model, folded open."""
        below = model.get("branches", [])
        if not below:
            return []
        count = all_below(model)
        words = f"{count} {'model' if count == 1 else 'models'} after {model['name']}"
        fold = f"<details open><summary>{html.escape(words)}</summary><ul>"
        return [raw(fold), *self.items(below), raw("</ul></details>")]

    def link(self, model: Model) -> nodes.Node:
        """The name, leading to the chapter if there is one."""
        document = f"notebooks/{model['chapter']}"
        if document not in self.env.found_docs:
            return nodes.inline("", model["name"], classes=["dlc-planned"])
        target = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{document}"}
        name = nodes.inline("", model["name"])
        options = {"refdoc": self.env.docname, "refwarn": True, "refexplicit": True}
        return addnodes.pending_xref("", name, **target, **options)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    app.add_directive("model-tree", ModelTree)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
