"""A model of the package and the one its chapter derives are the same code."""

import ast
import inspect
import json
from pathlib import Path

import pytest
import torch

from dlcourse import models

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = {"LeNet5": "models/convolution"}


def bare(tree: ast.AST) -> str:
    """The code without docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def of_chapter(chapter: str, name: str) -> str:
    """The class `name` as the notebook defines it."""
    notebook = json.loads((ROOT / f"notebooks/{chapter}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and f"class {name}" in source:
            classes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ClassDef)]
            return bare(next(n for n in classes if n.name == name))
    raise AssertionError(f"{chapter} defines no class {name}")


def of_package(name: str) -> str:
    return bare(ast.parse(inspect.getsource(getattr(models, name))).body[0])


@pytest.mark.parametrize("name", CHAPTERS)
def test_package_and_chapter_define_the_same(name):
    assert of_package(name) == of_chapter(CHAPTERS[name], name)


def test_the_comparison_sees_a_changed_number():
    changed = inspect.getsource(models.LeNet5).replace("nn.Conv2d(6, 16, 5)", "nn.Conv2d(6, 15, 5)")
    assert bare(ast.parse(changed).body[0]) != of_package("LeNet5")


def test_every_public_model_has_a_chapter():
    classes = {
        n
        for n, v in vars(models).items()
        if isinstance(v, type) and v.__module__ == models.__name__
    }
    assert classes == set(CHAPTERS)


def test_lenet_shapes_and_parameters():
    net = models.LeNet5()
    shapes = {name: tuple(z.shape[1:]) for name, z in net.layers(torch.zeros(2, 1, 32, 32)).items()}
    assert list(shapes.values())[:4] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]
    assert list(shapes.values())[4:] == [(120,), (84,), (10,)]
    assert sum(p.numel() for p in net.parameters()) == 61_706
    assert models.LeNet5(classes=26)(torch.zeros(1, 1, 32, 32)).shape == (1, 26)
