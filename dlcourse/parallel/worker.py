"""Inside a worker process: join the group, run the learner's function, write down what happens."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

ORPHAN = 113  # exit code of a worker whose notebook has gone
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


@dataclass(frozen=True)
class Worker:
    """What the learner's function receives first: who am I, how many are we, where do my reports go.

    rank: 0 … size − 1, the same numbers as torch.distributed.get_rank(). attempt: 0, then 1 after a restart.
    """

    rank: int
    size: int
    attempt: int = 0
    backend: str = "gloo"
    write: Callable[[dict[str, Any]], None] = field(default=lambda event: None, repr=False)

    @property
    def device(self) -> torch.device:
        """The accelerator of this rank with nccl, otherwise the processor."""
        import torch

        local = int(os.environ.get("LOCAL_RANK", self.rank))
        return torch.device("cuda", local) if self.backend == "nccl" else torch.device("cpu")

    def report(self, **values: Any) -> None:
        """Send numbers or words to the notebook, at once; an event is these values plus `rank` and `t` (s)."""
        self.write({name: _plain(value) for name, value in values.items()})


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value  # numbers of numpy and torch


@dataclass(frozen=True)
class Task:
    """All that a new process needs to know; `folder` is the meeting point on disk."""

    folder: str
    size: int
    backend: str
    threads: int
    timeout: float  # s
    started: float  # s since the epoch
    port: int | None
    attempt: int
    environment: dict[str, str]


class Log:
    """Append-only JSONL with one writer: what was written before a SIGKILL stays readable."""

    def __init__(self, path: Path, rank: int, started: float) -> None:
        """Open the file for appending."""
        self.rank, self.started = rank, started
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def __call__(self, event: dict[str, Any]) -> None:
        """Write one event in one system call."""
        stamped = {"rank": self.rank, "t": round(time.time() - self.started, 5)} | event
        os.write(self.file, (json.dumps(stamped) + "\n").encode())


class Lines(io.TextIOBase):
    """Standard output of a worker: each finished line becomes an event."""

    def __init__(self, write: Callable[[dict[str, Any]], None]) -> None:
        """Keep the writer."""
        self.write_event, self.rest = write, ""

    def write(self, text: str) -> int:
        """Pass on finished lines, keep the rest."""
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.write_event({"print": line})
        return len(text)


def watch(notebook: Connection, folder: Path) -> None:
    """End this process, and the meeting point, when the notebook, which holds the other end and never writes, is gone."""

    def wait() -> None:
        with contextlib.suppress(EOFError, OSError):
            notebook.recv_bytes()
        shutil.rmtree(folder, ignore_errors=True)  # a killed notebook could not
        os._exit(ORPHAN)

    threading.Thread(target=wait, daemon=True).start()


def main(rank: int, task: Task, notebook: Connection) -> None:
    """Body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the notebook decides what an interrupt ends
    folder = Path(task.folder)
    watch(notebook, folder)
    noise = os.open(folder / f"rank{rank}.noise", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(noise, 1)  # C++ libraries write here past Python
    os.dup2(noise, 2)
    log = Log(folder / f"rank{rank}.jsonl", rank, task.started)
    try:
        with contextlib.redirect_stdout(Lines(log)):
            run(rank, task, log)
    except BaseException as error:
        log({"event": "error", **described(error)})
        os._exit(1)  # a broken group may block an orderly exit
    os._exit(0)


def run(rank: int, task: Task, log: Log) -> None:
    """Join the group, call the function, leave its result on disk, wait for the others."""
    import cloudpickle
    import torch
    import torch.distributed as dist

    os.environ.update(task.environment)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
    ranks = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": task.size}
    os.environ.update({name: str(value) for name, value in ranks.items()})
    torch.set_num_threads(task.threads)
    folder = Path(task.folder)
    with joined(task, rank):
        log({"event": "up", "pid": os.getpid()})
        fn, args = pickle.loads((folder / "task").read_bytes())
        value = fn(Worker(rank, task.size, task.attempt, task.backend, log), *args)
        (folder / f"result{rank}").write_bytes(cloudpickle.dumps(value))
        log({"event": "end", "cpu": round(time.process_time(), 4)})
        dist.barrier()  # whoever is still sending to this rank finds it alive


@contextlib.contextmanager
def joined(task: Task, rank: int) -> Iterator[None]:
    """The process group: meets in a file, or at a port of this machine if one was asked for."""
    import torch
    import torch.distributed as dist

    if task.backend == "nccl":
        torch.cuda.set_device(rank)
    meet = f"file://{task.folder}/store" if task.port is None else f"tcp://127.0.0.1:{task.port}"
    dist.init_process_group(
        task.backend,
        init_method=meet,
        rank=rank,
        world_size=task.size,
        timeout=timedelta(seconds=task.timeout),
    )
    yield
    dist.destroy_process_group()


def described(error: BaseException) -> dict[str, Any]:
    """An exception as an event: kind, text, the deepest line outside libraries, the whole traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "site-packages" not in f.filename and f.filename != __file__]
    place = f"line {own[-1].lineno} of {own[-1].name}" if own else ""
    code = (own[-1].line or "").strip() if own else ""
    return {
        "kind": type(error).__name__,
        "text": str(error).strip(),
        "place": place,
        "code": code,
        "trace": traceback.format_exc(),
    }
