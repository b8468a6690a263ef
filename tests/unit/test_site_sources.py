"""The site's sources fit together: contents, citations, links, labels, words for pictures."""

import base64
import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pybtex.database import parse_file

from dlcourse.figures.host import front_end, sources

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))
import chapters

ROOT = Path(__file__).parents[2]
Cell = dict[str, Any]


def toc_files() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"]] + [c["file"] for part in toc["parts"] for c in part["chapters"]]


def notebooks() -> list[Path]:
    found = (ROOT / "notebooks").rglob("*.ipynb")
    return sorted(p for p in found if ".ipynb_checkpoints" not in p.parts)


def cells(path: Path) -> list[Cell]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def prose(path: Path) -> str:
    """Return a page's text without code: fenced blocks and inline code that is no role."""
    if path.suffix == ".ipynb":
        texts = ["".join(c["source"]) for c in cells(path) if c["cell_type"] == "markdown"]
    else:
        texts = [path.read_text(encoding="utf-8")]
    text = re.sub(r"^(```+|~~~+)(?!\{)[^\n]*\n.*?^\1", "", "\n\n".join(texts), flags=re.M | re.S)
    return re.sub(r"(\{[\w:]+\})?`[^`]+`", lambda m: m[0] if m[1] else "", text)


PAGES = [
    *notebooks(),
    *sorted((ROOT / "book").glob("*.md")),
    *sorted((ROOT / "book").glob("*/*.md")),
]
PAGES = [p for p in PAGES if "_build" not in p.parts]
page = pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


def roles(path: Path, *names: str) -> list[str]:
    """Return what the roles of these names point at: {cite}`a,b` and {eq}`text <a>` alike."""
    found = re.findall(rf"\{{(?:{'|'.join(names)})\}}`([^`]+)`", prose(path))
    targets = [re.sub(r".*<(.+)>$", r"\1", f, flags=re.S) for f in found]
    return [t.strip() for target in targets for t in target.split(",")]


def outputs(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, cell in enumerate(cells(path)):
        for output in cell.get("outputs", []):
            yield number, output


def test_every_page_is_in_the_contents_once_and_exists() -> None:
    listed = toc_files()
    assert len(listed) == len(set(listed))
    pages = {str(p.relative_to(ROOT).with_suffix("")) for p in PAGES}
    assert set(listed) == pages


@page
def test_citations_are_in_the_bibliography(path: Path) -> None:
    known = parse_file(str(ROOT / "book" / "references.bib")).entries  # refuses a key given twice
    cited = roles(path, "cite", "cite:p", "cite:t", "cite:ps", "cite:ts")
    assert [key for key in cited if key not in known] == []


@page
def test_links_inside_the_course_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(path))
    inside = [t.split("#")[0] for t in targets if not re.match(r"[a-z]+:|#", t)]
    assert [t for t in inside if not (path.parent / t).exists()] == []


@page
def test_pictures_in_the_text_have_words(path: Path) -> None:
    text = prose(path)
    assert re.findall(r"!\[\s*\]\([^)]*\)", text) == []
    images = re.findall(r"<img\b[^>]*>", text)
    assert [i for i in images if not re.search(r'\balt="[^"]', i)] == []


def without_words(output: dict[str, Any]) -> bool:
    """Tell whether an output shows a picture that nothing describes."""
    data, about = output.get("data", {}), output.get("metadata", {})
    images = re.findall(r"<img\b[^>]*>", "".join(data.get("text/html", "")))
    if any(not re.search(r'\balt="[^"]', i) for i in images):
        return True
    bare = any(kind.startswith("image/") for kind in data) and "text/html" not in data
    return bare and not any(isinstance(a, dict) and a.get("alt") for a in about.values())


@pytest.mark.parametrize("path", notebooks(), ids=lambda p: p.stem)
def test_figures_have_words(path: Path) -> None:
    assert [number for number, output in outputs(path) if without_words(output)] == []


def front_ends(html: str) -> list[tuple[str, str]]:
    """Return the (JavaScript, CSS) that the figures of a page bring along."""
    found = re.findall(r"<style>([^<]*)</style><script[^>]*>\s*const bytes[^\"]*\"([^\"]*)\"", html)
    return [(gzip.decompress(base64.b64decode(packed)).decode(), css) for css, packed in found]


@pytest.mark.parametrize("path", notebooks(), ids=lambda p: p.stem)
def test_stored_figures_bring_the_front_end_of_today(path: Path) -> None:
    pages = ["".join(o.get("data", {}).get("text/html", "")) for _, o in outputs(path)]
    assert all(len(front_ends(p)) == 1 for p in pages if 'class="dlc-store"' in p)
    stale = [n for n, p in enumerate(pages) if any(f != sources() for f in front_ends(p))]
    assert not stale, f"outputs {stale} were drawn by an older figure.js: make run NB={path}"


def test_an_older_front_end_is_seen() -> None:
    js, css = sources()
    (found,) = front_ends(front_end())
    assert found == (js, css) and found != (js + " ", css)


def test_pictures_without_words_are_seen() -> None:
    png = {"image/png": "iVBO"}
    assert without_words({"data": png})
    assert without_words({"data": png, "metadata": {"image/png": {"alt": ""}}})
    assert without_words({"data": {"text/html": ['<img src="x">']}})
    assert not without_words({"data": png, "metadata": {"image/png": {"alt": "A line."}}})
    assert not without_words({"data": {"text/html": '<img alt="A line." src="x">'}})


def figure_names() -> list[str]:
    found = [chapters.figure_of(o).get("name") for p in notebooks() for _, o in outputs(p)]
    return [name for name in found if name]


def equation_labels() -> list[str]:
    return [label for p in PAGES for label in re.findall(r"\$\$ *\((eq-[\w-]+)\)", prose(p))]


def test_labels_are_unique_and_references_find_them() -> None:
    figures, equations = figure_names(), equation_labels()
    assert [name for name, times in Counter(figures + equations).items() if times > 1] == []
    assert {r for p in PAGES for r in roles(p, "numref")} - set(figures) == set()
    assert {r for p in PAGES for r in roles(p, "eq")} - set(equations) == set()


@pytest.mark.parametrize("path", notebooks(), ids=lambda p: p.stem)
def test_code_points_at_equations_that_exist(path: Path) -> None:
    code = "\n".join("".join(c["source"]) for c in cells(path) if c["cell_type"] == "code")
    named = set(re.findall(r"#.*?\b(eq-[\w-]*\w)", code))
    assert named - set(equation_labels()) == set()


# --- book/_ext/chapters.py ------------------------------------------------------------


def output(name: str | None = None, caption: str = "See.") -> dict[str, Any]:
    ours = {"dlcourse": {"name": name, "caption": caption}} if name else {}
    return {"output_type": "display_data", "data": {"text/html": "x"}, "metadata": ours}


def code(*outs: dict[str, Any], tags: tuple[str, ...] = ()) -> Cell:
    metadata = {"tags": list(tags)}
    return {
        "cell_type": "code",
        "id": "a",
        "source": "f()",
        "metadata": metadata,
        "outputs": [*outs],
    }


def test_a_named_figure_gets_its_number() -> None:
    (cell,) = chapters.prepare(code(output("fig-a", "A line.")))
    assert cell["metadata"]["mystnb"] == {"figure": {"name": "fig-a", "caption": "A line."}}


def test_other_cells_stay_as_they_are() -> None:
    plain = code(output(), output())
    assert chapters.prepare(plain) == [plain]
    text = {"cell_type": "markdown", "source": "words", "metadata": {}}
    assert chapters.prepare(text) == [text]


def test_what_stands_beside_a_figure_is_not_drawn_into_it() -> None:
    shown = chapters.prepare(code(output(), output("fig-a"), output("fig-b"), output()))
    names = [c["metadata"].get("mystnb", {}).get("figure", {}).get("name") for c in shown]
    assert names == [None, "fig-a", "fig-b", None]
    assert ["remove-input" in c["metadata"]["tags"] for c in shown] == [False, True, True, True]
    assert len({c["id"] for c in shown}) == 4


def test_a_folded_source_is_not_shown_twice() -> None:
    first, second = chapters.prepare(code(output("fig-a"), output("fig-b"), tags=("hide-input",)))
    assert first["metadata"]["tags"] == ["hide-input"]
    assert second["metadata"]["tags"] == ["remove-input"]


def test_a_solution_is_called_one() -> None:
    (cell,) = chapters.prepare(code(tags=("hide-cell", "solution")))
    assert cell["metadata"]["mystnb"] == chapters.SOLUTION_PROMPTS
