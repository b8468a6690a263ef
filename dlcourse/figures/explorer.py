"""Figures without a clock: a still scene, a plain picture, and a scene that follows its controls."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from . import still
from .controls import Slider, checked, values_at
from .host import Figure, bundle, described, image_tag, page, sources
from .marks import Scene
from .store import Store


class Explorer(Figure):
    """A scene that follows its controls: `compute(**values) -> scene`.

    One keyword per control, a `Slider` or a `Choice`. With a kernel each move calls `compute`; the
    page without one shows the states that were recorded (every combination of the controls'
    recorded values). `pick=("x", "y")` names two sliders that a click or a drag in the first panel
    sets to the pointer's data coordinates. `compute` runs once here, so its mistakes show at once.

    Raises TypeError without alt text or with a control that is none, ValueError for a bad `pick`.
    """

    mode = "explore"
    advice = "lower static= of its sliders"
    note = "Recorded states. Run the notebook to compute with any value."

    def __init__(
        self,
        compute: Callable[..., Scene],
        *,
        alt: str,
        label: str = "Interactive figure",
        caption: str | None = None,
        name: str | None = None,
        pick: Sequence[str] | None = None,
        **controls: Slider,
    ) -> None:
        """Check the controls and compute the first scene."""
        super().__init__(alt, label, caption, name)
        self.compute, self.controls = compute, checked(controls)
        self.pick = self._picked(pick)
        self.first = self._at([c.start for c in self.controls.values()])

    def _picked(self, pick: Sequence[str] | None) -> list[int] | None:
        if pick is None:
            return None
        names = list(self.controls)
        if len(pick) != 2 or not all(n in names and self.controls[n].numeric for n in pick):
            raise ValueError(f"pick must name two controls with numbers among {names}, got {pick}")
        return [names.index(n) for n in pick]

    def _at(self, indices: Sequence[int]) -> Scene:
        return self.compute(**values_at(self.controls, indices))

    def _now(self) -> Scene:
        return self.first

    def _config(self, note: str = "") -> dict[str, Any]:
        return super()._config(note) | ({"pick": self.pick} if self.pick else {})

    def _dims(self) -> list[dict[str, Any]]:
        return [c.describe(name) for name, c in self.controls.items()]

    def _record(self) -> tuple[Store, Scene]:
        kept = [c.recorded() for c in self.controls.values()]
        dims = [c.describe(n, k) for (n, c), k in zip(self.controls.items(), kept, strict=True)]
        store = Store(self._config(self.note if dims else ""), dims)
        for indices in itertools.product(*kept):
            store.add(self._at(indices))
        return store, self.first

    def _answer(self, message: dict[str, Any]) -> None:
        self._send_scene(self._at(message["values"]), seq=message["seq"])


class Still(Figure):
    """A scene without controls that follows the theme of the page."""

    def __init__(self, scene: Scene, alt: str, caption: str | None, name: str | None) -> None:
        """Keep the scene."""
        super().__init__(alt, "Figure", caption, name)
        self.scene = scene

    def _now(self) -> Scene:
        return self.scene

    def _record(self) -> tuple[Store, Scene]:
        store = Store(self._config(), [])
        store.add(self.scene)
        return store, self.scene


def show(scene: Scene, *, alt: str, caption: str | None = None, name: str | None = None) -> Still:
    """Return a scene as a figure without controls, for the cell's last expression."""
    return Still(scene, alt, caption, name)


class Picture:
    """A Matplotlib figure as a PNG with alt text."""

    def __init__(self, fig: Any, alt: str, caption: str | None, name: str | None) -> None:
        """Draw the figure, then close it."""
        self.alt, self.caption, self.name = described(alt), caption, name
        inches = fig.get_size_inches()[0]
        self.width = round(100 * inches)  # CSS pixels
        dpi = min(160.0, max(100.0, 1000 / inches))  # two device pixels per CSS pixel of a phone
        self.png = still.shrink(still.figure_png(fig, dpi))
        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close(fig)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        image = image_tag(self.png, self.alt, "dlc-picture", self.width)
        shown = page(f"<style>{sources()[1]}</style>{image}", self.caption)
        return bundle("Picture", shown, self.png, self.alt, self.caption, self.name)


def picture(fig: Any, *, alt: str, caption: str | None = None, name: str | None = None) -> Picture:
    """Return a Matplotlib figure as a picture, for the cell's last expression; closes `fig`."""
    return Picture(fig, alt, caption, name)
