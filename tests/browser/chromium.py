"""Headless Chromium for tests: where it is, how it starts, and what a page must not do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL = {"127.0.0.1", "localhost", "::1"}


@contextmanager
def launched() -> Iterator[Any]:
    """Start Chromium, or skip with the reason; on a build server (CI=true) fail instead."""
    give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        give_up("the Python package playwright is not installed")
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = own if Path(own).exists() else next(filter(None, map(shutil.which, NAMES)), None)
        if path is None:
            give_up(
                f"no Chromium found: install one of {NAMES} or run `playwright install chromium`"
            )
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


def watch(page: Any) -> Any:
    """Let a page record errors in `page.problems` and requests to other hosts in `page.outside`."""
    page.problems, page.outside = [], []
    page.on("console", lambda m: page.problems.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: page.problems.append(str(e)))
    page.on("request", lambda r: page.outside.append(r.url) if is_outside(r.url) else None)
    return page


def is_outside(url: str) -> bool:
    """Tell whether a request leaves this machine (files, data: and blob: do not)."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOCAL
