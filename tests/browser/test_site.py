"""The built site as readers meet it: every page, light and dark, on a phone, without JavaScript."""

import functools
import http.server
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SITE = ROOT / "book" / "_build" / "html"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 900}
CHAPTER = "notebooks/models/perceptron"  # has equations, an explorer and a training


def toc_pages() -> list[str]:
    """Return the pages of the book, from its table of contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"]] + [c["file"] for part in toc["parts"] for c in part["chapters"]]


PAGES = [*toc_pages(), "search", "genindex"]


def newest_source() -> float:
    """Return when the last file that the site is made from was changed."""
    made = ROOT / "book" / "_build"
    files = [f for folder in ("book", "notebooks") for f in (ROOT / folder).rglob("*")]
    files += [ROOT / "_config.yml", ROOT / "_toc.yml", ROOT / "dlcourse" / "claims.py"]
    return max(f.stat().st_mtime for f in files if f.is_file() and made not in f.parents)


@pytest.fixture(scope="session")
def site() -> Path:
    """Return the folder of the site, built anew unless it is newer than all its sources."""
    stamp = SITE / "searchindex.js"
    if not stamp.exists() or stamp.stat().st_mtime < newest_source():
        command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "."]
        command += ["--path-output", "book", "--all", "-W", "--keep-going"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (
            f"make book failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )
    return SITE


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Path], str]]:
    """Return a function that serves a folder on this machine and tells its address."""
    servers = []

    def start(folder: Path) -> str:
        handler = functools.partial(QuietHandler, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def address(site: Path, serve: Callable[[Path], str]) -> str:
    return serve(site)


@pytest.fixture(scope="module")
def readers(open_page: Callable[..., Any]) -> dict[str, Any]:
    """Return a laptop's page in light and in dark mode; both note failing responses."""
    pages = {s: open_page(color_scheme=s, viewport=LAPTOP) for s in ("light", "dark")}
    for page in pages.values():
        page.failed = []
        page.on("requestfailed", lambda r, p=page: p.failed.append(f"{r.url}: {r.failure}"))
        page.on(
            "response",
            lambda r, p=page: p.failed.append(f"{r.url}: {r.status}") if r.status >= 400 else None,
        )
    return pages


@pytest.fixture(scope="module")
def axe_source() -> str:
    """Return axe-core, the accessibility checker, from its Python wheel."""
    package = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
    return Path(package.__path__[0], "axe.min.js").read_text(encoding="utf-8")


def settled(page: Any, url: str) -> Any:
    """Open a page and wait until its formulas are set and its visible figures drawn."""
    page.goto(url, wait_until="load")
    page.evaluate("window.MathJax?.startup?.promise")
    page.wait_for_function("() => document.querySelectorAll('.dlc-fallback').length === 0")
    return page


def violations(page: Any, options: dict[str, Any]) -> list[str]:
    found = page.evaluate("async o => (await axe.run(document, o)).violations", options)
    return [f"axe {v['id']}: {n['html'][:160]}" for v in found for n in v["nodes"]]


def poor_structure(page: Any) -> list[str]:
    """List what axe finds on the whole page, contrast aside."""
    return violations(page, {"runOnly": WCAG, "rules": {"color-contrast": {"enabled": False}}})


def poor_contrast(page: Any) -> list[str]:
    """List text that is hard to read; the page loses what is alike, for axe's time is quadratic."""
    page.evaluate(THIN_OUT)
    return violations(page, {"runOnly": ["color-contrast"]})


# Coloured code has a test of its own; of long lists and tables the first entries stay.
THIN_OUT = """() => {
    for (const e of document.querySelectorAll('.highlight pre, .math')) e.textContent = e.textContent;
    const more = 'tr:nth-child(n+8), .citation:nth-child(n+8), dl.glossary > :nth-child(n+16)';
    for (const e of document.querySelectorAll(more)) e.remove();
}"""


def faults(page: Any, url: str, axe_source: str, structure: bool = True) -> list[str]:
    """Open a page and list everything that a reader should not meet there, one line each."""
    for notes in (page.problems, page.outside, page.failed):
        notes.clear()
    settled(page, url)
    found = [f"console: {text}" for text in page.problems]
    found += [f"request to another host: {u}" for u in page.outside]
    found += [f"request failed: {text}" for text in page.failed]
    found += [f"image without alt: {html}" for html in page.evaluate(WITHOUT_ALT)]
    found += [f"formula left as text: {text}" for text in page.evaluate(UNSET_MATHS)]
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size(LAPTOP)
    found += [f"{width} px wide on a phone"] if width > PHONE["width"] else []
    page.evaluate(axe_source)
    return found + (poor_structure(page) if structure else []) + poor_contrast(page)


# The logo stands beside the course's name, so its own alt text is empty on purpose.
WITHOUT_ALT = """() => [...document.querySelectorAll('img:not(.logo__image)')]
    .filter(i => !(i.alt || '').trim()).map(i => i.outerHTML.slice(0, 160))"""
UNSET_MATHS = """() => [...document.querySelectorAll('.math')]
    .filter(m => !m.querySelector('mjx-container')).map(m => m.textContent.slice(0, 80))"""


def test_there_are_pages(site: Path) -> None:
    missing = [p for p in PAGES if not (site / f"{p}.html").exists()]
    assert len(PAGES) > 10
    assert not missing


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page(
    readers: dict[str, Any], address: str, axe_source: str, name: str, scheme: str
) -> None:
    url, structure = f"{address}/{name}.html", scheme == "light"  # the same in both schemes
    assert faults(readers[scheme], url, axe_source, structure) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_is_readable(
    readers: dict[str, Any], address: str, axe_source: str, scheme: str
) -> None:
    page = settled(readers[scheme], f"{address}/{CHAPTER}.html")
    cells = page.locator(".cell_input").evaluate_all(ONLY_CODE)
    page.evaluate(axe_source)
    assert cells == 12
    assert violations(page, {"runOnly": ["color-contrast"]}) == []


ONLY_CODE = """cells => {
    document.querySelector('article').replaceChildren(...cells.slice(0, 12));
    return document.querySelectorAll('.cell_input').length;
}"""

BROKEN = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>Broken</title><main><h1>Broken</h1><img src="missing.png"><p style="color:#ccc">Pale</p>
<div style="width:900px">Wide</div><span class="math">\\(x\\)</span></main>
<script>console.error("oops"); fetch("http://192.0.2.1/").catch(() => 0)</script></html>"""


def test_faults_are_seen(
    readers: dict[str, Any], serve: Callable[[Path], str], axe_source: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.html").write_text(BROKEN, encoding="utf-8")
    found = "\n".join(faults(readers["light"], f"{serve(tmp_path)}/broken.html", axe_source))
    for fault in (
        "console: oops",
        "request to another host: http://192.0.2.1/",
        "missing.png: 404",
        "image without alt",
        "formula left as text",
        "axe color-contrast",
        "px wide on a phone",
    ):
        assert fault in found


def test_the_address_of_the_site_opens_the_welcome_page(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_url("**/book/welcome.html")
    assert page.get_by_role("heading", level=1).inner_text().startswith("Deep Learning, Live")
    figure = page.locator(".live-figure .dlc")
    figure.wait_for()  # its module unpacks after the page has loaded
    assert figure.count() == 1


def test_search_finds_a_chapter(page: Any, address: str) -> None:
    page.goto(f"{address}/search.html?q=perceptron")
    hit = page.locator(f"#search-results a[href*='{CHAPTER}']").first
    hit.wait_for()
    hit.click()
    assert "erceptron" in page.get_by_role("heading", level=1).inner_text()
    assert not page.outside


def test_equations_and_figures_are_numbered_and_linked(page: Any, address: str) -> None:
    settled(page, f"{address}/{CHAPTER}.html")
    assert page.locator(".math .eqno").count() > 0
    assert page.locator("figure > figcaption .caption-number").first.inner_text().startswith("Fig")
    targets = "links => links.map(a => a.hash.slice(1)).filter(id => !document.getElementById(id))"
    assert page.locator("article a.reference.internal[href^='#']").evaluate_all(targets) == []


def test_formulas_are_set_by_our_own_mathjax(page: Any, address: str) -> None:
    settled(page, f"{address}/{CHAPTER}.html")
    sources = page.locator("script[src*=mathjax]").evaluate_all("all => all.map(s => s.src)")
    assert sources
    assert all(s.startswith(f"{address}/_static/mathjax/") for s in sources)
    assert page.locator("mjx-container").count() > 0


def drawing(figure: Any) -> str:
    return figure.locator(".dlc-panels").inner_html()


def test_a_slider_changes_its_figure(page: Any, address: str) -> None:
    settled(page, f"{address}/{CHAPTER}.html")
    figure = page.locator("figure .dlc:has(input[type=range])").first
    before = drawing(figure)
    slider = figure.locator("input[type=range]").first
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert drawing(figure) != before


def test_a_training_replays(page: Any, address: str) -> None:
    settled(page, f"{address}/{CHAPTER}.html")
    figure = page.locator(".dlc", has=page.get_by_role("button", name="Play")).first
    figure.get_by_role("button", name="Reset").click()
    start = drawing(figure)
    figure.get_by_role("button", name="Play").click()
    page.wait_for_timeout(500)
    assert drawing(figure) != start


def test_only_figures_with_a_number_hide_their_own_caption(page: Any, address: str) -> None:
    settled(page, f"{address}/{CHAPTER}.html")
    shown = "all => all.filter(c => c.offsetParent && c.closest('figure[id]')).length"
    assert page.locator("figure figure .dlc-caption").count() > 0
    assert page.locator(".dlc-caption").evaluate_all(shown) == 0


def test_a_solution_is_folded_and_named(page: Any, address: str) -> None:
    settled(page, f"{address}/{CHAPTER}.html")
    solution = page.locator(".tag_solution details").first
    assert solution.get_attribute("open") is None
    assert solution.locator("summary").inner_text().strip() == "Show the solution"


def test_without_javascript_stills_remain(open_page: Callable[..., Any], address: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{address}/{CHAPTER}.html")
    stills = page.locator("figure img").all()
    assert stills
    assert all(s.get_attribute("alt") and s.bounding_box()["width"] > 100 for s in stills)


def test_nothing_in_the_site_names_another_host_to_load_from(site: Path) -> None:
    loads = (
        'src="http',
        "src='http",
        'src="//',
        "@import url(http",
        "url(http",
        'stylesheet" href="http',
    )
    assert [
        f"{file.relative_to(site)}: {load}"
        for file in [*site.glob("**/*.html"), *(site / "_static").glob("**/*.css")]
        for load in loads
        if load in file.read_text(encoding="utf-8")
    ] == []
