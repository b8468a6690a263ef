"""Fixtures for tests in headless Chromium: browser, open_page, page, axe."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # chromium.py and lab.py are imported by name
from chromium import launched, watch


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a watched page in a context of its own."""
    contexts = []

    def make(**options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        return watch(contexts[-1].new_page())

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    return open_page(viewport={"width": 1100, "height": 900})


@pytest.fixture(scope="session")
def axe() -> Callable[..., list[str]]:
    """Return a function that lists a page's accessibility violations, one line each."""
    package = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
    source = next(Path(package.__path__[0]).rglob("axe.min.js")).read_text("utf-8")

    def check(page: Any, selector: str = "html", without: tuple[str, ...] = ()) -> list[str]:
        page.evaluate(source)
        rules = {rule: {"enabled": False} for rule in without}
        run = "([selector, rules]) => axe.run(selector, { rules })"
        found = page.evaluate(run, [selector, rules])["violations"]
        return [f"{v['id']}: {v['help']}: {n['html'][:200]}" for v in found for n in v["nodes"]]

    return check
