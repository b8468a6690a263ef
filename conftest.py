"""What every test run shares: one thread per process, no network in kernels, and a cost table."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["IPYTHONDIR"] = str(ROOT / "tests" / "notebooks" / "ipython")

COST = "notebook cost"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print seconds and peak memory of every notebook that was run."""
    reports = [
        r for rs in terminalreporter.stats.values() for r in rs if hasattr(r, "user_properties")
    ]
    rows = sorted({tuple(v) for r in reports for key, v in r.user_properties if key == COST})
    if not rows:
        return
    terminalreporter.section("notebooks: cost of one run")
    terminalreporter.write_line(f"{'notebook':44}{'CPU s':>8}{'peak MB':>9}{'file kB':>9}")
    for name, cpu, peak, size in rows:
        terminalreporter.write_line(f"{name:44}{cpu:8.1f}{peak:9.0f}{size:9.0f}")
