import io
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from sphinx.application import Sphinx

from tests.unit.test_claims import CHAPTERS, PLACES

BOOK = Path(__file__).parents[2] / "book"
CONF = f"""
import sys
sys.path.insert(0, {str(BOOK / "_ext")!r})
extensions = ["myst_nb", "model_tree"]
"""


def walk(models, parent=None):
    for model in models:
        yield model, parent
        yield from walk(model.get("branches", []), model)


TREE = list(walk(yaml.safe_load((BOOK / "models.yml").read_text(encoding="utf-8"))))


@pytest.mark.parametrize(("model", "parent"), TREE, ids=[m["name"] for m, _ in TREE])
def test_a_model_is_complete_and_younger_than_its_parent(model, parent):
    assert set(model) - {"branches"} == {"name", "year", "chapter", "idea"}
    assert model["chapter"] in PLACES
    assert (
        parent is None
        or parent["name"] == "Multilayer perceptron with backpropagation"
        or (parent["year"] <= model["year"])
    )


def test_every_chapter_of_the_part_has_a_model():
    known = {f"models/{name}" for name in CHAPTERS["models"].split()}
    assert {model["chapter"] for model, _ in TREE} == known


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    (root / "book").mkdir()
    shutil.copy(BOOK / "models.yml", root / "book")
    (root / "conf.py").write_text(CONF)
    chapter = root / "notebooks" / "models" / "rnn.md"
    chapter.parent.mkdir(parents=True)
    chapter.write_text("# A title\n")
    (root / "index.md").write_text(
        "# Site\n```{toctree}\n:glob:\nnotebooks/*/*\n```\n```{model-tree}\n```\n"
    )
    said = io.StringIO()
    Sphinx(root, root, root / "out", root / "trees", "html", status=None, warning=said).build()
    assert "model" not in said.getvalue()
    yield (root / "out" / "index.html").read_text(encoding="utf-8")
    sys.path.remove(str(BOOK / "_ext"))


def test_a_model_leads_to_its_chapter_and_a_planned_one_nowhere(page):
    tree = page[page.index('class="dlc-tree"') :]
    assert 'href="notebooks/models/rnn.html"' in tree
    assert tree.count("href=") >= 1
    assert 'class="dlc-planned">Perceptron<' in tree


def test_every_model_is_on_the_page_and_every_branch_folds(page):
    assert all(f">{model['name']}<" in page for model, _ in TREE)
    assert page.count("<details open>") == sum("branches" in model for model, _ in TREE)
    assert page.count("<li>") >= len(TREE)
    assert "1 model after LSTM" in page
