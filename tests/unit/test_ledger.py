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
sys.path.insert(0, {ext!r})
extensions = ["myst_nb", "sphinxcontrib.bibtex", "ledger"]
bibtex_bibfiles = ["book/references.bib"]
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "off"
suppress_warnings = ["mystnb.unknown_mime_type", "bibtex.missing_field"]
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


@pytest.fixture
def site(tmp_path):
    (tmp_path / "book").mkdir()
    for name in (
        "claims.yml",
        "errata.yml",
        "problems.yml",
        "references.bib",
        "claims.md",
        "errata.md",
    ):
        shutil.copy(BOOK / name, tmp_path / "book")
    (tmp_path / "conf.py").write_text(CONF.format(ext=str(BOOK / "_ext")))
    (tmp_path / "book" / "bibliography.md").write_text("# Sources\n```{bibliography}\n:all:\n```\n")
    (tmp_path / "index.md").write_text(
        "# Site\n```{toctree}\n:glob:\nbook/*\nnotebooks/*/*\n```\n{ref}`see <c-max>` and {ref}`this <e-esn>`\n"
    )
    write_notebook(
        tmp_path,
        "models/perceptron",
        exact("c-xor", True, {"second word": 0.75, "first word": 4}, "a < b"),
        exact("c-4x", True, {"ratio": 4.0}, condition="biases are left out"),
    )
    return tmp_path


def build(root):
    warnings = io.StringIO()
    out = root / "_out"
    Sphinx(root, root, out, root / "_trees", "html", status=None, warning=warnings).build()
    return {p.stem: p.read_text("utf-8") for p in out.rglob("*.html")}, warnings.getvalue()


def row_of(page, id):
    return re.search(rf'<tr[^>]* id="{id}".*?</tr>', page, re.S)[0]


def test_the_pages_show_every_record_and_link_to_the_chapters(site):
    pages, warnings = build(site)
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
    assert "book/claims.html#c-max" in pages["index"]
    assert "book/errata.html#e-esn" in pages["index"]


def test_the_score_adds_up(site):
    page, _ = build(site)
    rows = re.findall(r"<tr.*?</tr>", page["claims"].split("How to read")[0], re.S)
    cells = [re.findall(r"<p>(.*?)</p>", row) for row in rows]
    assert [cell.lower() for cell in cells[0][1:6]] == list(ledger.VERDICTS)
    *parts, total = [[int(cell) for cell in line[1:]] for line in cells[1:]]
    assert total == [sum(column) for column in zip(*parts, strict=True)]
    assert total == [1, 1, 0, 1, 198, 201]


def test_two_builds_are_equal(site):
    first, _ = build(site)
    shutil.rmtree(site / "_out")
    shutil.rmtree(site / "_trees")
    second, _ = build(site)
    assert first["claims"] == second["claims"]
    assert first["errata"] == second["errata"]


def test_a_new_notebook_and_a_changed_verdict_reach_the_page(site):
    build(site)
    write_notebook(site, "models/lstm_gru", exact("c-4x", False))
    pages, warnings = build(site)
    assert "does not hold here" in row_of(pages["claims"], "c-4x")
    assert "c-4x has different verdicts" in warnings


def test_an_unknown_id_is_a_warning(site):
    path = site / "notebooks" / "models" / "perceptron.ipynb"
    path.write_text(path.read_text().replace('"c-xor"', '"c-xro"'))
    pages, warnings = build(site)
    assert "verdict on 'c-xro'" in warnings
    assert "not yet on trial" in row_of(pages["claims"], "c-xor")


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


@pytest.mark.parametrize("directive", ["{ledger} nowhere", "{errata} q"])
def test_a_wrong_argument_is_named(site, directive):
    (site / "book" / "wrong.md").write_text(f"# Wrong\n```{directive}\n```\n")
    _, warnings = build(site)
    assert f"came '{directive.split()[-1]}'" in warnings
