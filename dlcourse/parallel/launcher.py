"""In the notebook: start workers, tail their reports, and say in one sentence what went wrong."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import Signals
from typing import Any

from .worker import Task, main

PRELOAD = [  # imported once by the server that all workers are forked from; never a learner's module
    "torch",
    "torch.distributed",
    "torch.nn.parallel",
    "torch._dynamo",  # the first DistributedDataParallel imports it
    "cloudpickle",
    "dlcourse.parallel.worker",
]
POLL = 0.02  # s between two looks at the reports
GRACE = 1.0  # s in which the culprit may show up after a first victim
ECHO = ("Connection closed", "Connection reset", "Broken pipe", "Connection refused")  # of a death


class WorkerFailed(RuntimeError):
    """A worker raised, died or hung. str(): one sentence; `.rank`; `.trace`: the worker's own traceback."""

    def __init__(self, sentence: str, rank: int | None = None, trace: str = "") -> None:
        """Keep the parts."""
        super().__init__(sentence)
        self.rank, self.trace = rank, trace

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence, without the launcher's own frames."""
        return [f"WorkerFailed: {self}"]


def launch(
    fn: Callable[..., Any],
    *args: Any,
    ranks: int = 2,
    backend: str = "gloo",
    timeout: float = 120,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    threads: int = 1,
    port: int | None = None,
    restarts: int = 0,
) -> list[Any]:
    """Run `fn(worker, *args)` in `ranks` processes that form one torch.distributed group; return each rank's result.

    fn may be defined in a notebook cell; it receives a `Worker` (rank, size, report). backend: "gloo", "nccl", or
    "auto" (nccl when there is an accelerator for each rank). timeout: seconds for the whole run. on_event: called here
    with every report while the workers run. threads: of each worker. port: meet at this port of 127.0.0.1 instead of
    in a file. restarts: how often all workers are started again after a failure (`worker.attempt` counts).

    Raises WorkerFailed when a worker raises, is killed, hangs past the timeout or finds the port taken; on an interrupt
    or any error no process is left.
    """
    for attempt in range(restarts + 1):
        options = {"ranks": ranks, "backend": backend, "timeout": timeout, "attempt": attempt}
        try:
            with Job(fn, *args, threads=threads, port=port, **options) as job:
                for event in job.events():
                    if on_event is not None:
                        on_event(event)
                return job.results()
        except WorkerFailed:
            if attempt == restarts:
                raise
    raise ValueError(f"restarts: expected 0 or more, came {restarts}")


class Job:
    """Workers that have been started; arguments as for `launch`. Use as a context, or call `stop`.

    `events()` yields reports as they come, `results()` waits for the end. A job that nobody holds any more is stopped.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        *args: Any,
        ranks: int = 2,
        backend: str = "gloo",
        timeout: float = 120,
        threads: int = 1,
        port: int | None = None,
        attempt: int = 0,
    ) -> None:
        """Write the function down and start the processes."""
        checked(fn, ranks, timeout)
        self.size, self.timeout, self.port = ranks, timeout, port
        self.folder = Path(tempfile.mkdtemp(prefix="dlcourse-parallel-"))
        self.started = time.time()
        self.last: list[dict[str, Any]] = [{} for _ in range(ranks)]  # latest report of each rank
        self.errors: dict[int, dict[str, Any]] = {}
        self._read = [0] * ranks  # bytes of each rank's log
        self._processes: list[BaseProcess] = []
        self._values: list[Any] | None = None
        reader, writer = multiprocessing.Pipe(duplex=False)
        self.stop = weakref.finalize(self, _stop, self._processes, self.folder, writer)
        """End all workers at once and remove what they wrote; harmless when called again."""
        task = Task(
            str(self.folder),
            ranks,
            chosen(backend, ranks),
            threads,
            timeout + GRACE,  # the notebook's own sentence comes first
            self.started,
            port,
            attempt,
            dict(os.environ),
        )
        try:
            (self.folder / "task").write_bytes(sealed(fn, args))
            self._processes += started(task, reader)
        except BaseException:
            self.stop()
            raise
        finally:
            reader.close()

    def __enter__(self) -> Job:
        """Return the job."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop whatever still runs."""
        self.stop()

    @property
    def pids(self) -> list[int | None]:
        """Process ids by rank."""
        return [p.pid for p in self._processes]

    def events(self) -> Iterator[dict[str, Any]]:
        """Reports as they come, {"rank", "t" in seconds since the start, …}, until all workers have ended.

        What a worker prints is printed here with its rank in front. Raises WorkerFailed.
        """
        while self._values is None:
            alive = [p.sentinel for p in self._processes if p.exitcode is None]
            late = time.time() - self.started > self.timeout
            wait(alive, timeout=POLL)
            yield from self._news()
            if any(p.exitcode for p in self._processes):
                yield from self._wait_for_the_culprit()
            elif alive and not late:
                continue
            elif not alive and all(self._result(r).exists() for r in range(self.size)):
                yield from self._news()
                results = [self._result(r).read_bytes() for r in range(self.size)]
                self.stop()
                self._values = [pickle.loads(result) for result in results]
                return
            failure = self._explained([p.exitcode for p in self._processes])
            self.stop()
            raise failure

    def results(self) -> list[Any]:
        """Each rank's return value, once all have ended. Raises WorkerFailed."""
        for _ in self.events():
            pass
        assert self._values is not None
        return self._values

    def _news(self) -> Iterator[dict[str, Any]]:
        """Whole new lines of all logs, by time."""
        news = [event for rank in range(self.size) for event in self._tail(rank)]
        for event in sorted(news, key=lambda e: e["t"]):
            kind = event.get("event")
            if kind == "error":
                self.errors[event["rank"]] = event
            elif "print" in event:
                print(f"rank {event['rank']}: {event['print']}")
            else:
                self.last[event["rank"]] = event
                if kind is None:
                    yield event

    def _tail(self, rank: int) -> list[dict[str, Any]]:
        path = self.folder / f"rank{rank}.jsonl"
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._read[rank])
            lines, newline, _ = file.read().rpartition(b"\n")
        self._read[rank] += len(lines + newline)
        return [json.loads(line) for line in lines.splitlines()]

    def _result(self, rank: int) -> Path:
        return self.folder / f"result{rank}"

    # What went wrong: the culprit is whoever was killed, else whoever raised first, else who left without a word.

    def _wait_for_the_culprit(self) -> Iterator[dict[str, Any]]:
        """A worker that lost its partner may end before the partner's own end is seen."""
        until = time.time() + GRACE
        while time.time() < until and any(p.exitcode is None for p in self._processes):
            yield from self._news()
            if any((p.exitcode or 0) < 0 for p in self._processes) or self._raisers():
                break
            time.sleep(POLL)
        yield from self._news()

    def _raisers(self) -> list[dict[str, Any]]:
        """Errors by time, without those that only tell that another worker has gone."""
        own = [e for e in self.errors.values() if not any(words in e["text"] for words in ECHO)]
        return sorted(own, key=lambda e: e["t"])

    def _explained(self, codes: list[int | None]) -> WorkerFailed:
        for rank, code in enumerate(codes):
            if code is not None and code < 0:
                name = Signals(-code).name
                why = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
                return WorkerFailed(
                    f"rank {rank} was killed by {name}{why}, {self._seen(rank)}.", rank
                )
        if own := self._raisers():
            return self._raised(own[0])
        for rank, code in enumerate(codes):
            if code is not None and rank not in self.errors and not self._result(rank).exists():
                return WorkerFailed(
                    f"rank {rank} ended with code {code} and without a result, {self._seen(rank)}: "
                    "something in it called os._exit or crashed.",
                    rank,
                )
        if self.errors:
            return self._raised(min(self.errors.values(), key=lambda e: e["t"]))
        slow = [r for r, code in enumerate(codes) if code is None and not self._result(r).exists()]
        who = " and ".join(f"rank {r}" for r in slow) or "the farewell of the workers"
        return WorkerFailed(
            f"after {self.timeout:g} s {who} had not finished, {self._seen(slow[0] if slow else 0)}: "
            "somebody waits for a message that nobody sends, or the work needs a larger timeout=.",
            slow[0] if slow else None,
        )

    def _raised(self, error: dict[str, Any]) -> WorkerFailed:
        rank, text = error["rank"], error["text"].splitlines()[0] if error["text"] else "no text"
        if self.port is not None and "EADDRINUSE" in error["text"]:
            return WorkerFailed(
                f"port {self.port} of this machine is taken by another program; choose another port=, or leave it out.",
                rank,
                error["trace"],
            )
        code = f": {error['code']}" if error["code"] else ""
        place = f" ({error['place']}{code})" if error["place"] else ""
        return WorkerFailed(
            f"rank {rank} raised {error['kind']}: {text}{place}", rank, error["trace"]
        )

    def _seen(self, rank: int) -> str:
        last = {k: v for k, v in self.last[rank].items() if k not in ("rank", "t", "event", "pid")}
        said = ", ".join(f"{k}={v}" for k, v in last.items())
        return f"last report: {said}" if said else "before its first report"


def _stop(processes: list[BaseProcess], folder: Path, writer: Connection) -> None:
    try:
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
    finally:  # also when a second interrupt comes while this waits
        writer.close()
        shutil.rmtree(folder, ignore_errors=True)


def started(task: Task, reader: Connection) -> Sequence[BaseProcess]:
    """Fork the workers from a server process that has imported torch but never used it; spawn where that is missing."""
    server = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if server else "spawn")
    if server:
        context.set_forkserver_preload(PRELOAD)
    processes = [
        context.Process(target=main, args=(rank, task, reader), name=f"rank {rank}", daemon=True)
        for rank in range(task.size)
    ]
    for process in processes:
        process.start()
    return processes


def sealed(fn: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """The learner's function by value, with what it refers to."""
    import cloudpickle

    try:
        return cloudpickle.dumps((fn, args))
    except Exception as error:
        raise TypeError(
            f"{fn.__name__} or its arguments cannot be sent to another process ({error}); "
            "pass numbers, arrays, tensors or plain functions, and open files inside the worker."
        ) from error


def checked(fn: Callable[..., Any], ranks: int, timeout: float) -> None:
    """Refuse what cannot be started, in one sentence."""
    if not callable(fn):
        raise TypeError(f"expected a function fn(worker, *args), came {fn!r}")
    if isinstance(ranks, bool) or not isinstance(ranks, int) or not 1 <= ranks <= 64:
        raise ValueError(f"ranks: expected a whole number from 1 to 64, came {ranks!r}")
    if not timeout > 0:
        raise ValueError(f"timeout: expected seconds above 0, came {timeout!r}")


def chosen(backend: str, ranks: int) -> str:
    """The backend's name; "auto" looks for one accelerator per rank."""
    import torch

    if backend not in ("gloo", "nccl", "auto"):
        raise ValueError(f'backend: expected "gloo", "nccl" or "auto", came {backend!r}')
    there = torch.cuda.device_count()
    if backend == "nccl" and there < ranks:
        raise ValueError(
            f'backend "nccl" needs {ranks} GPUs, one per rank; here are {there}. Use "gloo".'
        )
    return backend if backend != "auto" else "nccl" if there >= ranks else "gloo"
