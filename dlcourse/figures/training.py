"""Training that can be watched, paused, stepped and replayed."""

from __future__ import annotations

import asyncio
import itertools
import math
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from .controls import Slider, checked, values_at
from .host import Figure, cell_id
from .marks import Scene
from .store import Store

WATCHABLE = 6  # seconds that a run lasts at least unless `pace` says otherwise
BURST = 0.03  # seconds of steps between two looks at the event loop when nothing holds them back
AHEAD = 3  # frames that the browser may owe an answer for


class LiveTraining(Figure):
    """Training as a figure: `setup(**values) -> state`, `step(state)`, `view(state, k) -> scene`.

    `step` makes one step and changes the state; `view` draws it after k steps. With a kernel there
    are Start, Pause, Step, Reset and a slider back through the history; training then runs between
    cells, `every` steps at a time, at most `fps` pictures and `pace` steps a second (by default so
    that a run can be watched for six seconds; `math.inf`: as fast as it goes). Without one, a run of `max_steps` is recorded every `record_every` steps for each
    combination of the controls.

    `finish()` returns the trained state. It is the same live and recorded when the controls are
    untouched, provided that all randomness comes from generators made in `setup` and that `view`
    changes nothing.
    """

    mode = "train"
    advice = "raise record_every= or draw fewer points"
    note = "Recorded run. Run the notebook to train it yourself."
    _shown: ClassVar[dict[str | None, LiveTraining]] = {}  # notebook cell -> what it shows

    def __init__(
        self,
        setup: Callable[..., Any],
        step: Callable[[Any], None],
        view: Callable[[Any, int], Scene],
        *,
        alt: str,
        label: str = "Training",
        caption: str | None = None,
        name: str | None = None,
        max_steps: int = 400,
        every: int = 5,
        record_every: int | None = None,
        fps: float = 10,
        pace: float | None = None,
        **controls: Slider,
    ) -> None:
        """Set up the state for the initial control values and draw it once."""
        super().__init__(alt, label, caption, name)
        self.setup, self.step, self.view, self.controls = setup, step, view, checked(controls)
        self.max_steps, self.every, self.fps = max_steps, max(1, every), fps
        self.pace = pace or max_steps / WATCHABLE
        self.record_every = record_every or max(1, max_steps // 40)
        self._task: asyncio.Task[None] | None = None
        self._sent = self._acknowledged = 0
        self._restart(self._initial())
        self._first = self._now()

    @property
    def running(self) -> bool:
        """Whether it trains right now."""
        return self._task is not None

    def finish(self) -> Any:
        """Run what is left at full speed and return the trained state."""
        self._stop()
        self._advance(self.max_steps)
        if self._widget is not None:
            self._widget.latest = self._packed(self._now(), step=self.k)
        return self.state

    def _initial(self) -> list[int]:
        return [c.start for c in self.controls.values()]

    def _restart(self, indices: Sequence[int]) -> None:
        self.state, self.k = self.setup(**values_at(self.controls, indices)), 0

    def _advance(self, until: int) -> None:
        while self.k < min(until, self.max_steps):
            self.step(self.state)
            self.k += 1

    def _now(self) -> Scene:
        return warned(self.view(self.state, self.k))

    def _dims(self) -> list[dict[str, Any]]:
        return [c.describe(name) for name, c in self.controls.items()]

    # Recording: the initial combination first, on the state that finish() returns.

    def _record(self) -> tuple[Store, Scene]:
        kept = [c.recorded() for c in self.controls.values()]
        steps = sorted({*range(0, self.max_steps + 1, self.record_every), self.max_steps})
        films = {tuple(self._initial()): self._film_default(steps)}
        for indices in itertools.product(*kept):
            if indices not in films:
                films[indices] = self._film(self.setup(**values_at(self.controls, indices)), steps)
        dims = [c.describe(n, k) for (n, c), k in zip(self.controls.items(), kept, strict=True)]
        clock = {
            "kind": "time",
            "label": "step",
            "labels": [str(s) for s in steps],
            "init": len(steps) - 1,
        }
        store = Store(self._config(self.note), [*dims, clock])
        for indices in itertools.product(*kept):
            for scene in films[indices]:
                store.add(scene)
        return store, films[tuple(self._initial())][-1]

    def _film_default(self, steps: list[int]) -> list[Scene]:
        if self.k:  # already trained by finish(): film a fresh run, leave the state alone
            return self._film(self.setup(**values_at(self.controls, self._initial())), steps)
        scenes = [self._first]
        for k in steps[1:]:
            self._advance(k)
            scenes.append(self._now())
        return scenes

    def _film(self, state: Any, steps: list[int]) -> list[Scene]:
        scenes, done = [], 0
        for k in steps:
            for _ in range(k - done):
                self.step(state)
            scenes.append(warned(self.view(state, k)))
            done = k
        return scenes

    # Live: messages of the front end, answered on the kernel's main loop.

    def _open(self) -> None:
        cell = cell_id()
        if (old := self._shown.get(cell)) is not None and old is not self:
            old._stop()
        self._shown[cell] = self
        super()._open()

    def _receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "ack":  # counted at once, whatever thread brings it
            self._acknowledged = max(self._acknowledged, message["seq"])
        else:
            super()._receive(message)

    def _answer(self, message: dict[str, Any]) -> None:
        getattr(self, "_on_" + message["type"])(message)

    def _on_hello(self, message: dict[str, Any]) -> None:
        self._acknowledged = self._sent
        self._push()
        self._status()

    def _on_reset(self, message: dict[str, Any]) -> None:
        self._stop()
        self._restart(message["values"])
        self._push()

    def _on_step(self, message: dict[str, Any]) -> None:
        self._stop()
        try:
            self._advance(self.k + self.every)
        finally:
            self._push()

    def _on_start(self, message: dict[str, Any]) -> None:
        for other in self._shown.values():
            other._stop()
        if self.k >= self.max_steps:
            self._restart(message["values"])
        self._acknowledged = self._sent
        self._task = asyncio.ensure_future(self._run())
        self._status()

    def _on_pause(self, message: dict[str, Any]) -> None:
        self._stop()

    _on_bye = _on_pause

    def _stop(self) -> None:
        """Stop a running task between two steps; its last picture is drawn."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._push()
            self._status()

    def _status(self) -> None:
        self._send({"type": "status", "running": self.running})

    def _push(self) -> None:
        self._sent += 1
        self._send_scene(self._now(), step=self.k, seq=self._sent)

    def _fail(self, error: BaseException, where: str = "") -> None:
        super()._fail(error, where or f"Stopped after step {self.k}. ")

    async def _run(self) -> None:
        with interrupt_calls(self._loop, self._stop):
            try:
                await self._train()
            except Exception as error:
                self._task = None
                self._fail(error)
                self._status()

    async def _train(self) -> None:
        drawn = 0.0
        while self.k < self.max_steps:
            began = time.perf_counter()
            self._burst(began)
            if began - drawn >= 1 / self.fps and self._sent - self._acknowledged < AHEAD:
                drawn = began
                self._push()
            used = time.perf_counter() - began
            await asyncio.sleep(max(0.0, self.every / self.pace - used))
        self._stop()

    def _burst(self, began: float) -> None:
        self._advance(self.k + self.every)
        while (
            self.pace == math.inf
            and time.perf_counter() - began < BURST
            and self.k < self.max_steps
        ):
            self._advance(self.k + self.every)


def warned(scene: Scene) -> Scene:
    """Add a sentence to a readout that shows a number which is none."""
    if re.search(r"\b(nan|inf)\b", scene["text"], re.IGNORECASE):
        return scene | {
            "text": scene["text"] + " (not a finite number: the drawing has a gap there)"
        }
    return scene


@contextmanager
def interrupt_calls(
    loop: asyncio.AbstractEventLoop | None, action: Callable[[], None]
) -> Iterator[None]:
    """Let the kernel's interrupt button call `action`; between cells ipykernel ignores the signal."""
    if loop is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def handler(number: int, stack: Any) -> None:
        loop.call_soon_threadsafe(action)

    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is handler:
            signal.signal(signal.SIGINT, before)
