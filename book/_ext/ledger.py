"""Pages made from data: the ledger of claims, the errata, the navigator of problems.

``{ledger}`` alone counts the verdicts; ``{ledger} models`` lists the claims of one part. A verdict is read from the
notebooks' committed outputs (`dlcourse.claims` leaves a machine-readable copy there), so nobody types it. ``{errata} e``
lists the errata whose id begins with ``e-``. ``{problems}`` maps the problems of deep learning to chapters.

Every claim and every erratum can be linked: ``{ref}`c-max <c-max>```, or ``book/claims.html#c-max``.
"""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from dlcourse import claims
from dlcourse.claims import CITED, HOLDS, MIME, NOT_HERE, ONLY_IF, Claim

OPEN = "not yet on trial"
VERDICTS = (HOLDS, ONLY_IF, NOT_HERE, CITED, OPEN)
SHOWN = 4  # numbers of one claim that the table shows; the chapter has all
OPEN_ICON = '<svg class="dlc-icon" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="7" stroke-dasharray="2.5 2"/></svg>'
STYLE = """<style>
.dlc-scroll{overflow-x:auto;margin:1rem 0}.dlc-scroll .pst-scrollable-table-container{overflow:visible}
.dlc-scroll table{margin:0;width:100%;font-size:.92em}
.dlc-scroll td,.dlc-scroll th{vertical-align:top;padding:.35rem .5rem}.dlc-scroll p{margin:0 0 .2rem}
.dlc-score table{min-width:34rem}.dlc-score :is(td,th):not(:first-child){text-align:right;font-variant-numeric:tabular-nums}
:is(.dlc-ledger,.dlc-errata) table{table-layout:fixed;overflow-wrap:anywhere}.dlc-ledger th:nth-child(2){width:25%}
.dlc-errata th:first-child{width:17%}.dlc-errata th:last-child{width:22%}
.dlc-scroll svg.dlc-icon{width:1.1em;height:1.1em;vertical-align:-.18em;margin-right:.4em;fill:none;stroke:currentColor;stroke-width:1.6}
tr:target{outline:3px solid var(--pst-color-primary,currentColor);outline-offset:-3px}
@media (max-width:44rem){:is(.dlc-ledger,.dlc-errata) :is(tbody,tr,td){display:block;width:auto!important;border:0}
:is(.dlc-ledger,.dlc-errata) thead{position:absolute;clip-path:inset(50%)}
:is(.dlc-ledger,.dlc-errata) tr{padding:.5rem 0;border-bottom:1px solid currentColor}
.dlc-errata td:nth-child(2)::before{content:"Says";font-weight:600}.dlc-errata td:nth-child(3)::before{content:"Right";font-weight:600}}
</style>"""
log = logging.getLogger(__name__)


# --- the data -------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What one output of a notebook says about one claim."""

    document: str  # "notebooks/models/pooling"
    data: dict[str, Any]

    @property
    def words(self) -> str:
        """The verdict with its condition."""
        return f"{self.data['verdict']} {self.data.get('condition', '')}".strip()


def notebooks(root: Path) -> list[Path]:
    """The course's notebooks in a fixed order."""
    found = (root / "notebooks").rglob("*.ipynb")
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def outcomes(root: Path) -> list[Outcome]:
    """Every verdict that the notebooks' outputs carry."""
    made = []
    for path in notebooks(root):
        document = path.relative_to(root).with_suffix("").as_posix()
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        bundles = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
        made += [Outcome(document, bundle[MIME]) for bundle in bundles if MIME in bundle]
    return made


def settle(
    known: dict[str, Claim], found: Iterable[Outcome]
) -> tuple[dict[str, Outcome], list[str]]:
    """One outcome for each claim (its own chapter's before others'), and what is wrong with the rest."""
    by_id: dict[str, list[Outcome]] = {}
    for outcome in found:
        by_id.setdefault(outcome.data["id"], []).append(outcome)
    settled, complaints = {}, []
    for id, several in by_id.items():
        if id not in known:
            complaints.append(
                f"{several[0].document} gives a verdict on {id!r}, which book/claims.yml does not know"
            )
            continue
        if len({outcome.words for outcome in several}) > 1:
            said = "; ".join(f"{outcome.document}: {outcome.words}" for outcome in several)
            complaints.append(f"{id} has different verdicts: {said}")
        own = [
            outcome for outcome in several if outcome.document == f"notebooks/{known[id].chapter}"
        ]
        settled[id] = (own or several)[0]
    return settled, complaints


def verdict_of(claim: Claim, settled: dict[str, Outcome]) -> str:
    """One of the five words; a claim that a page of the book discusses is only cited."""
    if claim.chapter.startswith("book/"):
        return CITED
    return settled[claim.id].data["verdict"] if claim.id in settled else OPEN


def numbers_of(data: dict[str, Any]) -> list[str]:
    """The few numbers worth a line in the table."""
    numbers = data.get("numbers", [])[:SHOWN]
    return [
        _pair(n, data["unit"]) if "budget" in n else f"{n['label']}: {_say(n['value'])}"
        for n in numbers
    ]


def _pair(pair: dict[str, Any], unit: str) -> str:
    budget = "" if pair["budget"] == "one" else f"{pair['budget']}: "
    means = (
        f"{pair['first']} {_say(pair['mean_first'])}, {pair['second']} {_say(pair['mean_second'])}"
    )
    interval = f"advantage {_say(pair['advantage'])} ({_say(pair['low'])} to {_say(pair['high'])})"
    return f"{budget}{means}{f' {unit}' if unit else ''}; {interval}"


def _say(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# --- nodes ------------------------------------------------------------------------------------------------


def raw(text: str) -> nodes.raw:
    """HTML of ours."""
    return nodes.raw("", text, format="html")


def paragraph(*parts: nodes.Node | str) -> nodes.paragraph:
    """A paragraph of nodes and plain text."""
    made = nodes.paragraph()
    made += [nodes.Text(part) if isinstance(part, str) else part for part in parts]
    return made


def sign(verdict: str) -> nodes.raw:
    """The icon of a verdict; the words always stand next to it."""
    return raw(OPEN_ICON if verdict == OPEN else claims.icon(verdict))


def table(
    kind: str, label: str, head: Sequence[str], rows: Iterable[nodes.row]
) -> list[nodes.Node]:
    """A table inside a container that scrolls by itself and that the keyboard can reach."""
    group = nodes.tgroup("", *[nodes.colspec(colwidth=1) for _ in head], cols=len(head))
    group += nodes.thead("", nodes.row("", *[entry(nodes.paragraph(text=title)) for title in head]))
    group += nodes.tbody("", *rows)
    opening = f'<div class="dlc-scroll {kind}" tabindex="0" role="region" aria-label="{html.escape(label)}">'
    return [raw(opening), nodes.table("", group, classes=["colwidths-auto"]), raw("</div>")]


def entry(*content: nodes.Node) -> nodes.entry:
    """One cell."""
    return nodes.entry("", *content)


class _Page(SphinxDirective):
    """What the three directives share."""

    has_content = False

    def link(self, document: str) -> nodes.Node:
        """A link to a page under its title, or the planned chapter's name."""
        if document not in self.env.found_docs:
            name = document.rsplit("/", 1)[-1].replace("_", " ")
            return nodes.inline("", f"planned: {name}")
        target = {
            "refdomain": "std",
            "reftype": "doc",
            "reftarget": f"/{document}",
            "refexplicit": False,
        }
        return addnodes.pending_xref(
            "", nodes.inline(), refdoc=self.env.docname, refwarn=True, **target
        )

    def named(self, row: nodes.row, id: str) -> nodes.row:
        """Give a row an anchor of its own and a label that {ref} finds."""
        row["ids"] = [id]
        domain = self.env.get_domain("std")
        domain.labels[id] = (self.env.docname, id, id)
        domain.anonlabels[id] = (self.env.docname, id)
        return row

    def style(self) -> list[nodes.Node]:
        """The style sheet, once a page."""
        if self.env.temp_data.get("dlc-ledger-style"):
            return []
        self.env.temp_data["dlc-ledger-style"] = True
        return [raw(STYLE)]


class Ledger(_Page):
    """``{ledger}``: the score. ``{ledger} part``: the claims of one part."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Read the claims and the notebooks, note that this page depends on them."""
        root = Path(self.env.srcdir)
        source = root / "book" / "claims.yml"
        for path in [source, *notebooks(root)]:
            self.env.note_dependency(str(path))
        self.env.note_reread()  # a new notebook is nobody's dependency yet
        known = claims.claims(source)
        settled, complaints = settle(known, outcomes(root))
        if self.arguments:
            return self.style() + self.part(self.arguments[0], known, settled)
        for complaint in complaints:
            log.warning(complaint, location=self.get_location(), type="ledger")
        return self.style() + self.score(known, settled)

    def score(self, known: dict[str, Claim], settled: dict[str, Outcome]) -> list[nodes.Node]:
        """How many of each verdict, part by part."""
        counts = Counter((claim.part, verdict_of(claim, settled)) for claim in known.values())
        parts = list(dict.fromkeys(claim.part for claim in known.values()))
        lines = [
            (part.capitalize(), [counts[part, verdict] for verdict in VERDICTS]) for part in parts
        ]
        lines.append(
            ("All", [sum(column) for column in zip(*[line for _, line in lines], strict=True)])
        )
        rows = [
            nodes.row("", *[entry(paragraph(str(cell))) for cell in [name, *line, sum(line)]])
            for name, line in lines
        ]
        head = ["Part", *(verdict.capitalize() for verdict in VERDICTS), "Claims"]
        return table("dlc-score", "Verdicts, counted by part", head, rows)

    def part(
        self, part: str, known: dict[str, Claim], settled: dict[str, Outcome]
    ) -> list[nodes.Node]:
        """The claims of one part, in the order of the data file."""
        chosen = [claim for claim in known.values() if claim.part == part]
        if not chosen:
            raise self.error(
                f"expected a part of the course, came {part!r}; book/claims.yml has no claim of it"
            )
        rows = [
            self.row(claim, settled.get(claim.id), verdict_of(claim, settled)) for claim in chosen
        ]
        head = ["Claim", "Verdict", "What decided it, or will"]
        return table("dlc-ledger", f"Claims of the part {part}", head, rows)

    def row(self, claim: Claim, outcome: Outcome | None, verdict: str) -> nodes.row:
        """Statement and place; verdict and chapter; numbers, or the experiment that is still to come."""
        words = outcome.words if outcome else verdict
        document = (
            claim.chapter if claim.chapter.startswith("book/") else f"notebooks/{claim.chapter}"
        )
        document = outcome.document if outcome else document
        lines = (numbers_of(outcome.data) if outcome else []) or [claim.how]
        row = nodes.row(
            "",
            entry(
                paragraph(nodes.literal("", claim.id), " ", claim.statement),
                paragraph(", ".join(claim.surveys)),
            ),
            entry(
                paragraph(sign(verdict), nodes.strong("", words)),
                paragraph(self.link(document)),
            ),
            entry(*[paragraph(line) for line in lines]),
        )
        return self.named(row, claim.id)


class Errata(_Page):
    """``{errata} e``: the errata whose id begins with ``e-``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Read the errata of one kind; sources that are keys of the bibliography become citations."""
        source = Path(self.env.srcdir, "book", "errata.yml")
        self.env.note_dependency(str(source))
        records = yaml.safe_load(source.read_text(encoding="utf-8"))
        chosen = [record for record in records if record["id"].split("-")[0] == self.arguments[0]]
        if not chosen:
            raise self.error(
                f"expected the first letter of an erratum's id, came {self.arguments[0]!r}"
            )
        head = ["Where", "What it says", "What is right", "Source"]
        label = "Errata, " + chosen[0]["id"] + " to " + chosen[-1]["id"]
        return self.style() + table(
            "dlc-errata", label, head, [self.row(record) for record in chosen]
        )

    def row(self, record: dict[str, Any]) -> nodes.row:
        """One erratum."""
        keys = ", ".join(f"{{cite}}`{key}`" if key.isalnum() else key for key in record["source"])
        checked = f"{record['checked']}; confidence {record['confidence']}"
        row = nodes.row(
            "",
            entry(paragraph(nodes.literal("", record["id"])), paragraph(record["where"])),
            entry(self.markdown(record["says"])),
            entry(self.markdown(record["right"])),
            entry(*([self.markdown(keys)] if keys else []), paragraph(checked)),
        )
        return self.named(row, record["id"])

    def markdown(self, text: str) -> nodes.paragraph:
        """A paragraph with formulas, code and citations."""
        parsed, _ = self.parse_inline(text, lineno=self.lineno)
        return nodes.paragraph("", "", *parsed)


class Problems(_Page):
    """``{problems}``: which notebooks take on which problem."""

    def run(self) -> list[nodes.Node]:
        """One row for each problem, grouped."""
        source = Path(self.env.srcdir, "book", "problems.yml")
        self.env.note_dependency(str(source))
        self.env.note_reread()  # a planned chapter may have appeared
        groups = yaml.safe_load(source.read_text(encoding="utf-8"))
        rows = [self.row(group, problem) for group in groups for problem in group["problems"]]
        return self.style() + table(
            "dlc-ledger", "Problems and chapters", ["Problem", "Group", "Chapters"], rows
        )

    def row(self, group: dict[str, Any], problem: dict[str, Any]) -> nodes.row:
        """A problem, its group, links to its chapters."""
        links = [paragraph(self.link(f"notebooks/{chapter}")) for chapter in problem["chapters"]]
        return nodes.row(
            "", entry(paragraph(problem["name"])), entry(paragraph(group["group"])), entry(*links)
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives with Sphinx."""
    app.add_directive("ledger", Ledger)
    app.add_directive("errata", Errata)
    app.add_directive("problems", Problems)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
