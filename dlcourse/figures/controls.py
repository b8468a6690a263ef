"""The controls of a figure: what the kernel offers, and which of it is recorded for the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, ClassVar

import numpy as np


@dataclass
class Slider:
    """A slider over `values`, which a running kernel offers in full.

    `static` of them, spread evenly, are recorded for the page without a kernel. It starts at `init`
    (the nearest value counts) or in the middle. `fmt` prints a value beside the slider.
    """

    values: Iterable[Any]
    init: Any = None
    label: str | None = None
    fmt: str = "{:.3g}"
    static: int | None = 9
    start: int = field(init=False)  # index of the initial value
    kind: ClassVar[str] = "slider"

    def __post_init__(self) -> None:
        """Check the values and find the initial one."""
        self.values = [v.item() if isinstance(v, np.generic) else v for v in self.values]
        if not self.values:
            raise ValueError(f"{type(self).__name__} needs at least one value, got none")
        self.start = self._middle() if self.init is None else self._nearest(self.init)

    def _middle(self) -> int:
        return len(self.values) // 2

    def _nearest(self, value: Any) -> int:
        if value in self.values:
            return self.values.index(value)
        if not self.numeric or not min(self.values) <= value <= max(self.values):
            raise ValueError(f"init={value!r} is not among the values {self.values}")
        return min(range(len(self.values)), key=lambda i: abs(self.values[i] - value))

    @property
    def numeric(self) -> bool:
        """Whether every value is a real number."""
        return all(isinstance(v, Real) for v in self.values)

    def recorded(self) -> list[int]:
        """Indices of the values that are recorded; the ends and the initial value always are."""
        n = len(self.values)
        if self.static is None or self.static >= n:
            return list(range(n))
        kept = {round(i) for i in np.linspace(0, n - 1, max(self.static, 2))}
        near = min(kept, key=lambda i: abs(i - self.start))
        if near not in (0, n - 1):
            kept.discard(near)
        return sorted(kept | {self.start})

    def show(self, value: Any) -> str:
        """Print one value as it stands beside the slider."""
        try:
            return self.fmt.format(value)
        except (ValueError, TypeError):
            return str(value)

    def describe(self, name: str, indices: list[int] | None = None) -> dict[str, Any]:
        """Describe the control for the front end, with all values or the recorded ones."""
        kept = list(range(len(self.values))) if indices is None else indices
        out = {
            "kind": self.kind,
            "label": self.label or name,
            "labels": [self.show(self.values[i]) for i in kept],
            "init": kept.index(self.start),
        }
        return out | ({"values": [float(self.values[i]) for i in kept]} if self.numeric else {})


@dataclass
class Choice(Slider):
    """A drop-down list of `values`; it starts at `init` or at the first, and all of it is recorded."""

    fmt: str = field(default="{}", init=False)
    static: int | None = field(default=None, init=False)
    kind: ClassVar[str] = "choice"

    def _middle(self) -> int:
        return 0


def values_at(controls: dict[str, Slider], indices: Iterable[int]) -> dict[str, Any]:
    """Name the values that stand at these indices, one per control."""
    return {name: c.values[i] for (name, c), i in zip(controls.items(), indices, strict=True)}


def checked(controls: dict[str, Any]) -> dict[str, Slider]:
    """Return the controls, or say which keyword is not one."""
    for name, control in controls.items():
        if not isinstance(control, Slider):
            raise TypeError(f"{name}= must be a Slider or a Choice, got {type(control).__name__}")
    return controls
