"""Where a figure is shown: a page without a kernel, or a front end with one."""

from __future__ import annotations

import asyncio
import base64
import functools
import gzip
import html
import os
import re
import warnings
from pathlib import Path
from typing import Any

from .marks import Scene
from .still import scene_png
from .store import Store, frame

HERE = Path(__file__).parent
MAX_BYTES = 300_000  # what one figure may add to a page
UNPACK = """
const bytes = Uint8Array.from(atob("%s"), (c) => c.charCodeAt(0));
const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
const source = new Blob([await new Response(stream).text()], { type: "text/javascript" });
const url = URL.createObjectURL(source);
await import(url);
URL.revokeObjectURL(url);
"""
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@functools.cache
def sources() -> tuple[str, str]:
    """Return the front end (JavaScript, CSS) without whole-line comments and indentation."""
    js = re.sub(r"^\s*(//.*\n)?", "", (HERE / "figure.js").read_text("utf-8"), flags=re.MULTILINE)
    css = re.sub(
        r"/\*.*?\*/|^\s+", "", (HERE / "figure.css").read_text("utf-8"), flags=re.DOTALL | re.M
    )
    return js, css


@functools.cache
def front_end() -> str:
    """Return the <style> and <script> of a page: the module travels as gzip and is a third as long."""
    js, css = sources()
    packed = base64.b64encode(gzip.compress(js.encode(), 9, mtime=0)).decode()
    return f'<style>{css}</style><script type="module">{UNPACK % packed}</script>'


def headless() -> bool:
    """Tell whether nobody can watch: nbclient, nbval, nbconvert, jupyter-book, plain Python.

    They execute with stdin forbidden, front ends allow it. DLCOURSE_HEADLESS=1 or 0 decides instead.
    """
    if (forced := os.environ.get("DLCOURSE_HEADLESS")) is not None:
        return forced not in ("", "0")
    kernel = _kernel()
    return kernel is None or not getattr(kernel, "_allow_stdin", False)


def _kernel() -> Any:
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return getattr(get_ipython(), "kernel", None)


def cell_id() -> str | None:
    """Return the id of the notebook cell that is running, if a front end told it."""
    kernel = _kernel()
    return kernel.get_parent().get("metadata", {}).get("cellId") if kernel else None


def main_loop() -> asyncio.AbstractEventLoop | None:
    """Return the kernel's event loop when called from a cell."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


@functools.cache
def _widget_class() -> type:
    import anywidget
    import traitlets

    js, css = sources()

    class FigureWidget(anywidget.AnyWidget):
        _esm, _css = js, css
        config = traitlets.Dict().tag(sync=True)
        latest = traitlets.Dict().tag(sync=True)  # a frame that a new view draws before it can ask

    return FigureWidget


def page(inner: str, caption: str | None) -> str:
    """Wrap a figure and its caption; a site that numbers figures hides `.dlc-caption`."""
    below = (
        f'<figcaption class="dlc-caption">{html.escape(caption)}</figcaption>' if caption else ""
    )
    return f'<figure class="dlc-figure">{inner}{below}</figure>'


def image_tag(png: bytes, alt: str, css_class: str, width: int | None = None) -> str:
    """Return an <img> that carries its PNG inside."""
    size = f' width="{width}"' if width else ""
    return (
        f'<img class="{css_class}" alt="{html.escape(alt, quote=True)}"{size} style="max-width:100%;height:auto" '
        f'src="data:image/png;base64,{base64.b64encode(png).decode()}">'
    )


def bundle(
    kind: str, page_html: str, png: bytes | None, alt: str, caption: str | None, name: str | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return data and metadata of one output: page, picture if there is one, words."""
    data = {"text/plain": f"{kind}: {alt}", "text/html": page_html}
    if png is not None:
        data["image/png"] = base64.b64encode(png).decode()
    named = {k: v for k, v in {"name": name, "caption": caption}.items() if v}
    return data, {"image/png": {"alt": alt}, "dlcourse": named}


def described(alt: str) -> str:
    """Return the alt text, or refuse a figure without one."""
    if not isinstance(alt, str) or not alt.strip():
        raise TypeError(
            "alt must say in words what is to be seen, for readers who cannot see the figure"
        )
    return alt.strip()


class Figure:
    """A figure for two hosts. Subclasses say how to record it and what to answer to a front end."""

    mode = "show"
    advice = "draw fewer points"
    note = ""

    def __init__(self, alt: str, label: str, caption: str | None, name: str | None) -> None:
        """Keep the words that describe the figure."""
        self.alt, self.label, self.caption, self.name = described(alt), label, caption, name
        self._widget: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._page: tuple[str, bytes | None] | None = None

    def _record(self) -> tuple[Store, Scene]:
        """Return every recorded state, and the scene of the still picture."""
        raise NotImplementedError

    def _now(self) -> Scene:
        """Return the scene to show first."""
        raise NotImplementedError

    def _answer(self, message: dict[str, Any]) -> None:
        """Answer a message of the front end; runs on the kernel's main loop."""

    def _dims(self) -> list[dict[str, Any]]:
        return []

    def _config(self, note: str = "") -> dict[str, Any]:
        return {"mode": self.mode, "label": self.label, "alt": self.alt, "note": note}

    def _html(self, store: Store, fallback: str) -> str:
        inner = (
            f'<div class="dlc-host">{fallback}'
            f'<script type="text/plain" class="dlc-store">{store.text()}</script></div>{front_end()}'
        )
        return page(inner, self.caption)

    def _recorded_page(self) -> tuple[str, bytes | None]:
        if self._page is None:
            store, still = self._record()
            png = scene_png(still)
            out = self._html(store, image_tag(png, self.alt, "dlc-fallback"))
            if len(out) > MAX_BYTES:
                size, limit = len(out) // 1000, MAX_BYTES // 1000
                sentence = f"This figure takes {size} kB of at most {limit} kB: {self.advice}."
                warnings.warn(sentence, stacklevel=2)
            self._page = out, png
        return self._page

    def _live_page(self) -> tuple[str, bytes | None]:
        """Return the first scene alone, without a still: somebody is waiting."""
        store = Store(self._config(self.note), [])
        store.add(self._now())
        words = f'<p class="dlc-fallback">{html.escape(self.alt)}</p>'
        return self._html(store, words), None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        live = not headless()
        out = self._live_page() if live else self._recorded_page()
        data, about = bundle(type(self).__name__, *out, self.alt, self.caption, self.name)
        if live and self.mode != "show":
            self._loop = main_loop()
            self._open()
            data[WIDGET_VIEW] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": self._widget.model_id,
            }
        return data, about

    def _open(self) -> None:
        if self._widget is None:
            config = self._config() | {"dims": self._dims(), "caption": self.caption or ""}
            self._widget = _widget_class()(config=config, latest=self._packed(self._now()))
            self._widget.on_msg(lambda _, message, buffers: self._receive(message))

    def _receive(self, message: dict[str, Any]) -> None:
        """Pass a message on to the main loop: it may have arrived on another thread."""
        if self._loop is None:
            self._guarded(message)
        else:
            self._loop.call_soon_threadsafe(self._guarded, message)

    def _guarded(self, message: dict[str, Any]) -> None:
        try:
            self._answer(message)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: BaseException, where: str = "") -> None:
        words = " ".join(str(error).split())
        self._send(
            {"type": "error", "text": f"{where}{type(error).__name__}: {words or 'no message'}"}
        )

    def _send(self, message: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        if self._widget is not None:
            self._widget.send(message, buffers)

    def _packed(self, scene: Scene, **about: Any) -> dict[str, Any]:
        message, buffers = frame(scene, **about)
        return message | {"data": buffers}

    def _send_scene(self, scene: Scene, **about: Any) -> None:
        self._send(*frame(scene, **about))
