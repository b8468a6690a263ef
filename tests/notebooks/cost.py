"""What a notebook costs: CPU seconds and peak memory of its kernel, kept between the stages of `make test`."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
import pytest
from nbval.kernel import RunningKernel

# Linux keeps ru_maxrss across exec, so a kernel would inherit the size of the process that started it.
USAGE = """
import resource as _r
from pathlib import Path as _Path
_all = [_r.getrusage(who) for who in (_r.RUSAGE_SELF, _r.RUSAGE_CHILDREN)]  # children that have ended
_status = _Path("/proc/self/status")
_lines = _status.read_text().splitlines() if _status.exists() else []
_peaks = [int(line.split()[1]) for line in _lines if line.startswith("VmHWM")] or [_all[0].ru_maxrss]
print(sum(u.ru_utime + u.ru_stime for u in _all), _peaks[0] / 1024)
"""


@dataclass
class Cost:
    """One run of every cell, with the worker processes that it started and ended."""

    cpu: float  # s
    peak: float  # MB, the kernel alone


def usage(kernel: RunningKernel) -> Cost:
    """What the kernel has used since it was started."""
    said: list[str] = []
    kernel.kc.execute_interactive(
        USAGE,
        store_history=False,
        timeout=60,
        output_hook=lambda message: said.append(message["content"].get("text", "")),
    )
    return Cost(*map(float, "".join(said).split()))


def cost_alone(path: Path) -> Cost:
    """Run every cell once, in a kernel of its own."""
    notebook = nbformat.read(path, as_version=4)
    kernel = RunningKernel(notebook.metadata.kernelspec.name, cwd=str(path.parent))
    try:
        for cell in (c for c in notebook.cells if c.cell_type == "code"):
            reply = kernel.kc.execute_interactive(
                cell.source, store_history=False, timeout=300, output_hook=lambda message: None
            )
            meant = "raises-exception" in cell.metadata.get("tags", [])
            assert meant or reply["content"]["status"] == "ok", cell.source
        return usage(kernel)
    finally:
        kernel.stop()


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def remember(cache: pytest.Cache, path: Path, cost: Cost) -> None:
    cache.set(f"notebooks/{path.stem}", {"file": fingerprint(path), "cost": asdict(cost)})


def recall(cache: pytest.Cache, path: Path) -> Cost | None:
    """The cost that was remembered for this very file, if any."""
    record = cache.get(f"notebooks/{path.stem}", None)
    return Cost(**record["cost"]) if record and record["file"] == fingerprint(path) else None
