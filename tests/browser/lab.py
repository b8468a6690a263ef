"""JupyterLab on 127.0.0.1 with a token and an empty folder, driven through its commands."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parents[2]
IDLE = (
    "() => [...document.querySelectorAll('.jp-InputPrompt')].every(e => !e.innerText.includes('*'))"
)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Lab:
    """A running server; `open` shows a notebook in a page."""

    def __init__(self, folder: Path, port: int, token: str) -> None:
        self.folder, self.url, self.token = folder, f"http://127.0.0.1:{port}", token

    def write(self, name: str, *cells: str) -> None:
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        book.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(book, self.folder / name)

    def open(self, page: Any, name: str) -> "Notebook":
        page.goto(f"{self.url}/lab/tree/{name}?token={self.token}")
        page.wait_for_selector(".jp-Notebook .jp-InputPrompt", timeout=60_000)
        page.wait_for_selector(".jp-NotebookPanel-toolbar", timeout=60_000)
        return Notebook(page)


class Notebook:
    """An open notebook."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )

    def command(self, name: str) -> None:
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)

    def run_all(self) -> None:
        self.command("notebook:run-all-cells")
        self.page.wait_for_timeout(300)
        self.idle()

    def idle(self) -> None:
        self.page.wait_for_function(IDLE, timeout=90_000)

    def cell(self, i: int) -> Any:
        return self.page.locator(".jp-CodeCell").nth(i)

    def output(self, i: int) -> str:
        """Return a cell's output as text, also where it is scrolled out of sight."""
        return self.cell(i).locator(".jp-OutputArea").text_content()

    def select(self, i: int) -> None:
        self.page.evaluate(
            "i => { const n = window.jupyterapp.shell.currentWidget.content; n.activeCellIndex = i; n.mode = 'command'; }",
            i,
        )

    def run_cell(self, i: int) -> None:
        self.select(i)
        self.command("notebook:run-cell")
        self.page.wait_for_timeout(200)
        self.idle()

    def active(self) -> int:
        return self.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex")

    def figure(self, label: str) -> Any:
        return self.page.locator(f'.dlc[aria-label="{label}"]')

    def button(self, label: str, name: str) -> Any:
        return self.figure(label).get_by_role("button", name=name)

    def press(self, label: str, name: str) -> None:
        self.button(label, name).click()

    def drawn(self, label: str) -> None:
        self.page.wait_for_selector(f'.dlc[aria-label="{label}"][data-drawn]', timeout=60_000)

    def readout(self, label: str) -> str:
        return self.figure(label).locator(".dlc-read").inner_text()

    def expect(self, label: str, text: str, seconds: float = 20) -> None:
        found = "([l, t]) => document.querySelector(`.dlc[aria-label='${l}'] .dlc-read`)?.innerText === t"
        self.page.wait_for_function(found, arg=[label, text], timeout=1000 * seconds)

    def beyond(self, label: str, step: int) -> None:
        """Wait until the readout's first number is larger than `step`."""
        found = "([l, n]) => +document.querySelector(`.dlc[aria-label='${l}'] .dlc-read`).innerText.match(/\\d+/)[0] > n"
        self.page.wait_for_function(found, arg=[label, step], timeout=20_000)

    def settled(self, label: str) -> str:
        """Return the readout once it has stood still for half a second."""
        now = ""
        while now != (now := self.readout(label)):
            self.page.wait_for_timeout(500)
        return now


@contextmanager
def serve(folder: Path) -> Iterator[Lab]:
    """Run a server for `folder`; its settings and history stay in a folder beside it."""
    home = folder.parent / "jupyter"
    home.mkdir(exist_ok=True)
    port, token = free_port(), secrets.token_hex(16)
    settings = {
        "ServerApp": {"ip": "127.0.0.1", "port": port, "port_retries": 0, "root_dir": str(folder), "open_browser": False,
                      "allow_root": True},
        "IdentityProvider": {"token": token},
        "LabApp": {"expose_app_in_browser": True, "news_url": None, "check_for_updates_class": "jupyterlab.NeverCheckForUpdate"},
    }  # fmt: skip
    (home / "jupyter_lab_config.json").write_text(json.dumps(settings))
    env = os.environ | {"JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter"), "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_RUNTIME_DIR": str(home), "IPYTHONDIR": str(home),
                        "JUPYTERLAB_SETTINGS_DIR": str(home), "JUPYTERLAB_WORKSPACES_DIR": str(home), "OMP_NUM_THREADS": "1"}  # fmt: skip
    env.pop("DLCOURSE_HEADLESS", None)
    log = (home / "log.txt").open("w")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab"], cwd=ROOT, env=env, stdout=log, stderr=log
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={token}", server, home / "log.txt")
        yield Lab(folder, port, token)
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def wait_for(url: str, server: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
