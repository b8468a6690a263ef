"""Run one contestant inside its own interpreter: python runner.py SCRIPT MODE MODULE ARRAYS RESULT.

Needs NumPy and the framework, nothing of the course. Every cost is in CPU seconds of this process and of
the compilers that it starts, so that a busy machine does not count against a framework.
"""

import importlib
import json
import os
import platform
import resource
import sys

if hasattr(os, "sched_setaffinity"):  # one core, before NumPy starts the threads of its BLAS
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])

import numpy as np


def cpu() -> float:
    """CPU seconds so far, finished child processes included."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def costs_of(step, X, Y, timed: int) -> dict:
    """Losses of one pass through the batches, then the quickest of `timed` more steps."""
    start, losses = cpu(), []
    losses.append(float(step(X[0], Y[0])))
    first = cpu() - start
    losses += [float(step(x, y)) for x, y in zip(X[1:], Y[1:], strict=True)]
    each = []
    for i in range(timed):
        start = cpu()
        float(step(X[i % len(X)], Y[i % len(X)]))
        each.append(1000 * (cpu() - start))
    return {"losses": losses, "first_s": first, "ms": min(each)}


def main(script: str, mode: str, module: str, arrays: str, result: str) -> None:
    """Import, set up, take the steps, write what they cost."""
    Z = dict(np.load(arrays))
    X, Y, lr, timed = (Z.pop(k) for k in ("x", "y", "lr", "timed"))
    start = cpu()
    framework = importlib.import_module(module)
    imported = cpu()
    contestant = importlib.import_module(script).contestant
    step = contestant(Z, float(lr), mode)
    costs = {"import_s": imported - start, "setup_s": cpu() - imported}
    costs |= costs_of(step, X, Y, int(timed))
    version = getattr(framework, "__version__", "")
    about = {"version": version, "python": platform.python_version(), "numpy": np.__version__}
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(about | costs, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
