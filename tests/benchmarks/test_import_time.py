"""`import dlcourse` costs at most 50 ms over bare Python."""

import statistics
import subprocess
import sys
import time

LIMIT_MS = 50
REPEATS = 15


def seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def test_import_time() -> None:
    pairs = [(seconds("pass"), seconds("import dlcourse")) for _ in range(REPEATS)]
    extra = statistics.median(b - a for a, b in pairs) * 1000
    print(
        f"\nimport dlcourse: {extra:.1f} ms over bare Python (median of {REPEATS} pairs; limit {LIMIT_MS})"
    )
    assert extra <= LIMIT_MS
