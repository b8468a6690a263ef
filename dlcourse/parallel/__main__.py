"""Run one function of a file or notebook in a torch.distributed group, on one machine or many.

On one machine, two workers::

    python -m dlcourse.parallel train.py:train 100 lr=0.1

On two machines, one worker each; the same command on both, and `first` is the name or address of one of them::

    torchrun --nnodes=2 --nproc-per-node=1 --rdzv-backend=c10d --rdzv-endpoint=first:29500 \\
        -m dlcourse.parallel train.py:train 100 lr=0.1

A machine that does not know itself by that name (several network cards, a container) needs `--local-addr=` its own
address, GLOO_SOCKET_IFNAME= its network card, and `--rdzv-conf=is_host=1` on the first machine, `is_host=0` elsewhere.

The function receives a `Worker` and then the arguments, read as JSON where they are JSON. Of a notebook only imports,
functions, classes and constants are taken. Reports are printed as JSON lines, and so is each rank's result.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .launcher import WorkerFailed, launch
from .worker import Worker

KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def definitions(notebook: Path) -> str:
    """Imports, functions, classes and literal constants of a notebook's code cells."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    nodes = [
        node
        for cell in cells
        if cell["cell_type"] == "code"
        for node in ast.parse("".join(cell["source"])).body
    ]
    return "\n\n".join(ast.unparse(n) for n in nodes if isinstance(n, KEPT) or _constant(n))


def _constant(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Assign):
        return False
    try:
        ast.literal_eval(node.value)
    except ValueError:
        return False
    return True


def found(target: str) -> Callable[..., Any]:
    """The function named by "file.py:function" or "chapter.ipynb:function"; SystemExit with a sentence if there is none."""
    name, _, function = target.rpartition(":")
    path = Path(name)
    if not function.isidentifier() or path.suffix not in (".py", ".ipynb"):
        raise SystemExit(f"expected file.py:function or chapter.ipynb:function, came {target!r}")
    if not path.exists():
        raise SystemExit(f"{path}: no such file in {Path.cwd()}; every machine needs its own copy")
    sys.path.insert(0, str(path.parent.resolve()))
    if path.suffix == ".py":
        module = _imported(path)
    else:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, f"{path.stem}.py")
            source.write_text(definitions(path), encoding="utf-8")
            module = _imported(source)
    if not callable(getattr(module, function, None)):
        raise SystemExit(f"{path} defines no function {function}")
    return getattr(module, function)


def _imported(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def parsed(words: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments from "3 lr=0.1 name"."""
    pairs = [word.partition("=") for word in words]
    positional = [_value(left) for left, equals, _ in pairs if not equals]
    return positional, {left: _value(right) for left, equals, right in pairs if equals}


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except json.JSONDecodeError:
        return word


def say(event: dict[str, Any]) -> None:
    """One line of JSON, in one system call."""
    os.write(1, (json.dumps(event, default=str) + "\n").encode())


def under_torchrun(fn: Callable[..., Any]) -> None:
    """Be one worker of a group that torchrun started."""
    import torch
    import torch.distributed as dist

    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    backend = "nccl" if torch.cuda.device_count() >= here else "gloo"
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    attempt = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    worker = Worker(rank, size, attempt, backend, lambda event: say({"rank": rank} | event))
    if backend == "nccl":
        torch.cuda.set_device(worker.device)
    try:
        dist.init_process_group(backend)
        say({"rank": rank, "event": "end", "result": fn(worker)})
        dist.barrier()
        dist.destroy_process_group()
    except Exception as error:
        traceback.print_exc()
        print(f"rank {rank} raised {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)  # a broken group may block an orderly exit


def run(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and start."""
    parser = argparse.ArgumentParser(
        "python -m dlcourse.parallel", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--ranks", type=int, default=2, help="workers, when not under torchrun")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds")
    parser.add_argument("target", help="file.py:function or chapter.ipynb:function")
    parser.add_argument("values", nargs="*", help="arguments of the function: 100 or lr=0.1")
    options = parser.parse_args(arguments)
    positional, named = parsed(options.values)
    function = found(options.target)

    def fn(worker: Worker) -> Any:
        return function(worker, *positional, **named)

    if "RANK" in os.environ:
        under_torchrun(fn)
        return
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[function.__module__])
    try:
        results = launch(fn, ranks=options.ranks, timeout=options.timeout, on_event=say)
    except WorkerFailed as failure:
        raise SystemExit(f"{failure.trace}{failure}") from None
    for rank, result in enumerate(results):
        say({"rank": rank, "event": "end", "result": result})


if __name__ == "__main__":
    run()
