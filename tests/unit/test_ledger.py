"""The ledger says what the notebooks' outputs say, and complains when they contradict each other."""

import importlib.util
import io
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sphinx.application import Sphinx

from dlcourse.claims import claims, exact

BOOK = Path(__file__).parents[2] / "book"
CONF = """
import sys
from docutils import nodes
sys.path.insert(0, {ext!r})
extensions = ["myst_nb", "ledger"]
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "off"
suppress_warnings = ["mystnb.unknown_mime_type"]


def setup(app):
    app.add_generic_role("cite", nodes.emphasis)  # the bibliography is another extension's business, and slow
"""


def load_ledger():
    spec = importlib.util.spec_from_file_location("ledger_under_test", BOOK / "_ext" / "ledger.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ledger = load_ledger()


def write_notebook(root, chapter, *cards):
    outputs = [new_output("display_data", card._repr_mimebundle_()) for card in cards]
    cells = [new_markdown_cell(f"# Title of {chapter}"), new_code_cell("verdict", outputs=outputs)]
    path = root / "notebooks" / f"{chapter}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells), path)


def make_site(root):
    (root / "book").mkdir(parents=True)
    for name in ("claims.yml", "errata.yml", "problems.yml", "claims.md", "errata.md"):
        shutil.copy(BOOK / name, root / "book")
    (root / "conf.py").write_text(CONF.format(ext=str(BOOK / "_ext")))
    (root / "book" / "bibliography.md").write_text("# Sources\n")
    (root / "index.md").write_text(
        "# Site\n```{toctree}\n:glob:\nbook/*\nnotebooks/*/*\n```\n{ref}`see <c-max>` and {ref}`this <e-esn>`\n"
    )
    write_notebook(
        root,
        "models/perceptron",
        exact("c-xor", True, {"second word": 0.75, "first word": 4}, "a < b"),
        exact("c-4x", True, {"ratio": 4.0}, condition="biases are left out"),
    )
    return root


def build(root):
    warnings = io.StringIO()
    out = root / "_out"
    Sphinx(root, root, out, root / "_trees", "html", status=None, warning=warnings).build()
    return {p.stem: p.read_text("utf-8") for p in out.rglob("*.html")}, warnings.getvalue()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site") / "a")


@pytest.fixture(scope="module")
def built(site):
    return build(site)


def row_of(page, id):
    return re.search(rf'<tr[^>]* id="{id}".*?</tr>', page, re.S)[0]


def test_the_pages_show_every_record_and_link_to_the_chapters(built):
    pages, warnings = built
    assert "ledger" not in warnings
    page = pages["claims"]
    assert all(f'id="{id}"' in page for id in claims())
    decided = row_of(page, "c-xor")
    assert "<strong>holds</strong>" in decided
    assert "Title of models/perceptron" in decided
    assert "../notebooks/models/perceptron.html" in decided
    assert decided.index("second word: 0.75") < decided.index("first word: 4")  # the cell's order
    assert "holds only if biases are left out" in row_of(page, "c-4x")
    waiting = row_of(page, "c-max")
    assert "not yet on trial" in waiting
    assert "planned: pooling" in waiting
    assert "cited only" in row_of(page, "c-four")
    assert page.count('class="dlc-scroll') == page.count('tabindex="0" role="region"') == 9
    assert pages["errata"].count('<tr class="row-') == 169 + 3
    assert "hinton2002" in row_of(pages["errata"], "e-rbm-sign")
    assert "book/claims.html#c-max" in pages["index"]
    assert "book/errata.html#e-esn" in pages["index"]


def test_the_score_adds_up(built):
    pages, _ = built
    rows = re.findall(r"<tr.*?</tr>", pages["claims"].split("How to read")[0], re.S)
    cells = [re.findall(r"<p>(.*?)</p>", row) for row in rows]
    assert [cell.lower() for cell in cells[0][1:6]] == list(ledger.VERDICTS)
    *parts, total = [[int(cell) for cell in line[1:]] for line in cells[1:]]
    assert total == [sum(column) for column in zip(*parts, strict=True)]
    assert total == [1, 1, 0, 1, 199, 202]


def test_two_builds_are_equal(built, tmp_path):
    again, _ = build(make_site(tmp_path / "b"))
    assert again["claims"] == built[0]["claims"]
    assert again["errata"] == built[0]["errata"]


def test_changes_reach_the_page_and_contradictions_are_warned_of(site, built):
    write_notebook(site, "models/lstm_gru", exact("c-4x", False))
    path = site / "notebooks" / "models" / "perceptron.ipynb"
    path.write_text(path.read_text().replace('"c-xor"', '"c-xro"'))
    for name, directive in {"a": "{ledger} nowhere", "b": "{errata} q"}.items():
        (site / "book" / f"{name}.md").write_text(f"# Wrong\n```{directive}\n```\n")
    pages, warnings = build(site)
    assert "does not hold here" in row_of(pages["claims"], "c-4x")
    assert "c-4x has different verdicts" in warnings
    assert "verdict on 'c-xro'" in warnings
    assert "not yet on trial" in row_of(pages["claims"], "c-xor")
    assert "expected a part of the course, came 'nowhere'" in warnings
    assert "expected the first letter of an erratum's id, came 'q'" in warnings


def test_the_own_chapter_decides_and_agreement_is_no_complaint():
    known = claims()
    tour = ledger.Outcome(
        "notebooks/start/tour", {"id": "c-max", "verdict": "holds", "condition": ""}
    )
    own = tour._replace(document="notebooks/models/pooling")
    settled, complaints = ledger.settle(known, [tour, own])
    assert settled["c-max"] == own
    assert complaints == []


def test_numbers_of_a_trial_fit_in_a_line():
    pair = {
        "budget": "short",
        "first": "max",
        "second": "average",
        "mean_first": 0.9,
        "mean_second": 0.8,
    }
    data = {"unit": "points", "numbers": [pair | {"advantage": 0.1, "low": 0.05, "high": 0.15}]}
    line = "short: max 0.9, average 0.8 points; advantage 0.1 (0.05 to 0.15)"
    assert ledger.numbers_of(data) == [line]
