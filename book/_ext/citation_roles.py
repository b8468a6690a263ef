"""Bibliography entries that screen readers accept.

Docutils marks each entry ``role="doc-biblioentry"``, which ARIA 1.2 deprecates and which is no child of the
``role="list"`` around it; ``listitem`` is the replacement that the DPUB-ARIA module names.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def on_page(app: Sphinx, pagename: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Replace the role in the body of one page."""
    body = context.get("body", "")
    context["body"] = body.replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.connect("html-page-context", on_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
