"""A model of the package and the one its chapter derives are the same code."""

import ast
import inspect
import json
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from dlcourse import models

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = (
    {"LeNet5": "models/convolution"}
    | dict.fromkeys(["LSTMCell", "GRUCell"], "models/lstm_gru")
    | dict.fromkeys(["RBM", "contrast", "draw", "gibbs", "sigmoid", "softplus"], "models/rbm")
)


def bare(tree: ast.AST) -> str:
    """The code without docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def of_chapter(chapter: str, name: str) -> str:
    """The class or function `name` as the notebook defines it."""
    notebook = json.loads((ROOT / f"notebooks/{chapter}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and re.search(rf"(class|def) {name}\b", source):
            kinds = ast.ClassDef, ast.FunctionDef
            found = [n for n in ast.walk(ast.parse(source)) if isinstance(n, kinds)]
            return bare(next(n for n in found if n.name == name))
    raise AssertionError(f"{chapter} defines no {name}")


def of_package(name: str) -> str:
    return bare(ast.parse(inspect.getsource(getattr(models, name))).body[0])


@pytest.mark.parametrize("name", CHAPTERS)
def test_package_and_chapter_define_the_same(name):
    assert of_package(name) == of_chapter(CHAPTERS[name], name)


def test_the_comparison_sees_a_changed_number():
    changed = inspect.getsource(models.LeNet5).replace("nn.Conv2d(6, 16, 5)", "nn.Conv2d(6, 15, 5)")
    assert bare(ast.parse(changed).body[0]) != of_package("LeNet5")


def test_every_public_model_has_a_chapter():
    assert set(models.__all__) == set(CHAPTERS)


def test_lenet_shapes_and_parameters():
    net = models.LeNet5()
    shapes = {name: tuple(z.shape[1:]) for name, z in net.layers(torch.zeros(2, 1, 32, 32)).items()}
    assert list(shapes.values())[:4] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]
    assert list(shapes.values())[4:] == [(120,), (84,), (10,)]
    assert sum(p.numel() for p in net.parameters()) == 61_706
    assert models.LeNet5(classes=26)(torch.zeros(1, 1, 32, 32)).shape == (1, 26)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_cells_agree_with_torch(name):
    torch.manual_seed(0)
    ours, theirs = getattr(models, f"{name}Cell")(3, 5), getattr(torch.nn, f"{name}Cell")(3, 5)
    theirs.weight_ih.data, theirs.bias_ih.data = ours.x.weight.data, ours.x.bias.data
    theirs.weight_hh.data = ours.h.weight.data
    theirs.bias_hh.data = ours.h.bias.data if ours.h.bias is not None else torch.zeros(20)
    x, h, c = torch.randn(3, 2, 5)
    state = (h, c) if name == "LSTM" else h
    for a, b in zip(ours(x[:, :3], state), theirs(x[:, :3], state), strict=True):
        torch.testing.assert_close(a, b)


def test_rbm_counts_every_state():
    rng = np.random.default_rng(0)
    m = models.RBM(rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3))
    v, h = (np.array(list(product([0.0, 1.0], repeat=n))) for n in (4, 3))
    joint = np.exp(-m.energy(v[:, None], h))  # (16, 8)
    np.testing.assert_allclose(np.exp(-m.free_energy(v)), joint.sum(1))
    np.testing.assert_allclose(m.hidden(v), joint @ h / joint.sum(1, keepdims=True))
    np.testing.assert_allclose(m.visible(h), joint.T @ v / joint.T.sum(1, keepdims=True))


def test_gibbs_and_contrast_keep_shapes_and_leading_axes():
    rng = np.random.default_rng(0)
    m = models.RBM(np.zeros((2, 4, 3)), np.zeros((2, 1, 4)), np.zeros((2, 1, 3)))
    v = models.draw(np.full((2, 6, 4), 0.5), rng)
    free = models.gibbs(m, v, rng, k=2)
    up = models.contrast(m, v, free)
    assert free.shape == (2, 6, 4) and set(np.unique(free)) <= {0.0, 1.0}
    assert (up.W.shape, up.a.shape, up.b.shape) == (m.W.shape, m.a.shape, m.b.shape)
