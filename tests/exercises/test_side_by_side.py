"""The checks of the side-by-side chapter, its contest and its hand-written files have been seen failing."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("frameworks/side_by_side")
SOLUTIONS = solutions("frameworks/side_by_side")
CONTEST = Path(__file__).parents[2] / "notebooks" / "frameworks" / "contest"
sys.path.insert(0, str(CONTEST))
driver = __import__("driver")
importers = __import__("importers")


def only_reshapes(weight, c, h, w):
    return weight.reshape(-1, c, h, w).reshape(-1, h * w * c)


def swaps_height_and_width(weight, c, h, w):
    return weight.reshape(-1, c, h, w).transpose(0, 3, 2, 1).reshape(-1, h * w * c)


def by_index(weight, c, h, w):
    order = [k * h * w + i * w + j for i in range(h) for j in range(w) for k in range(c)]
    return weight[:, order]


def shares_ties(x, d, ties):
    h, w = d.shape
    blocks = x.reshape(h, 2, w, 2).transpose(0, 2, 1, 3).reshape(h, w, 4)
    largest = (blocks == blocks.max(2, keepdims=True)).astype(float)
    largest /= largest.sum(2, keepdims=True)
    spread = largest * d[:, :, None]
    return spread.reshape(h, w, 2, 2).transpose(0, 2, 1, 3).reshape(2 * h, 2 * w)


def with_loops(x, d, ties):
    out = np.zeros_like(x)
    for i, j in np.ndindex(*d.shape):
        block = x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        mask = block == block.max()
        if ties == "first":
            first = np.zeros(4, bool)
            first[block.argmax()] = True
            mask = first.reshape(2, 2)
        out[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = mask * d[i, j]
    return out


def maximum_from_zero(x, d, ties):
    return with_loops(x, d, ties) * (x >= 0)


def by_floor(fixed_a, ms_a, fixed_b, ms_b):
    if ms_b < ms_a:
        return max(0, 1000 * (fixed_b - fixed_a) // (ms_a - ms_b) + 1)
    return 0 if ms_b == ms_a and fixed_b < fixed_a else -1


def pays_by_search(fixed_a, ms_a, fixed_b, ms_b):
    ahead = [1000 * fixed_b + n * ms_b < 1000 * fixed_a + n * ms_a for n in range(40_000)]
    if not ahead[-1]:
        return -1
    return len(ahead) - next((k for k, yes in enumerate(reversed(ahead)) if not yes), len(ahead))


WRONG = [
    ("flip", [0.2] * 5, "equal weights"),
    ("flip", [0, 0, 0, 1, 0], "weights below 0.05"),
    ("flip", [0.05, 0.05, 0.05, 0.9, 0.05], "more than one in all"),
    ("flip", [0.1, 0.1, 0.1, 0.6, 0.1], "TensorFlow still leads"),
    ("flip", AlwaysEqual([0.05, 0.05, 0.05, 0.8, 0.05]), "an object that lies"),
    ("columns", only_reshapes, "reshapes without moving"),
    ("columns", swaps_height_and_width, "height and width swapped"),
    ("columns", lambda weight, c, h, w: weight, "unchanged"),
    ("columns", lambda weight, c, h, w: AlwaysEqual([1.0]), "an object that lies"),
    ("ties", shares_ties, "shares instead of giving all"),
    ("ties", lambda x, d, ties: with_loops(x, d, "first"), "ignores the rule"),
    ("ties", lambda x, d, ties: with_loops(x, np.ones_like(d), ties), "ignores d"),
    ("ties", maximum_from_zero, "starts the maximum at zero"),
    ("ties", lambda x, d, ties: with_loops(x.T, d.T, ties).T, "column by column"),
    ("ties", lambda x, d, ties: AlwaysEqual([1.0]), "an object that lies"),
    ("pays", lambda a, m, b, k: -1 if m <= k else -(-1000 * (b - a) // (m - k)), "not strictly"),
    ("pays", lambda *case: max(0, by_floor(*case)), "zero instead of never"),
    ("pays", lambda *case: by_floor(*map(int, case)), "cuts the fractions off the costs"),
    ("pays", lambda a, m, b, k: 0, "always at once"),
    ("pays", lambda a, m, b, k: (b - a) / (m - k) if m > k else -1, "forgets the unit, no rounding"),
    ("pays", lambda a, m, b, k: -1, "never"),
    ("pays", lambda a, m, b, k: AlwaysEqual([1.0]), "an object that lies"),
]  # fmt: skip

RIGHT = [
    ("flip", (0.05, 0.06, 0.05, 0.79, 0.05)),
    ("columns", by_index),
    ("ties", with_loops),
    ("pays", pays_by_search),
    ("pays", by_floor),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right = WRONG, RIGHT


# --- the contest --------------------------------------------------------------------------------


def skip_if_skipped(result: dict) -> dict:
    if "skipped" in result:
        pytest.skip(result["skipped"])
    return result


@pytest.mark.parametrize("name", ["torch", "keras-torch", "onnx-graph"])
def test_a_contestant_takes_the_recorded_steps(name: str) -> None:
    result = skip_if_skipped(driver.run(name, driver.arrays(), timed=2))
    reference = driver.recorded()["results"]["torch"]["losses"]
    assert driver.largest_difference(result["losses"], reference) < 1e-5


def test_a_wrong_weight_is_noticed() -> None:
    """The agreement is a test only if a small slip breaks it."""
    given = driver.arrays()
    given["fc3_b"] = given["fc3_b"] + np.float32(0.01) * np.eye(10, dtype=np.float32)[0]
    reference = driver.recorded()["results"]["torch"]["losses"]
    assert driver.largest_difference(driver.run("torch", given, 2)["losses"], reference) > 1e-4


def test_a_missing_environment_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(driver, "CACHE", tmp_path)
    result = driver.run("jax-jit", driver.arrays())
    assert "make frameworks" in result["skipped"]


def test_a_contestant_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = driver.Contestant("no_such_script", "", ("torch",), "course", "")
    monkeypatch.setitem(driver.CONTESTANTS, "torch", wrong)
    assert "no_such_script" in driver.run("torch", driver.arrays())["skipped"]


def test_every_contestant_and_museum_piece_is_recorded() -> None:
    """Same arrays, same number of steps, within 1e-5 of PyTorch; a date, a version and a place for each."""
    results = driver.recorded()["results"]
    assert set(results) == {*driver.CONTESTANTS, "caffe", "cntk", "torch7"}
    for name, r in results.items():
        reference = results["torch"]["losses"]
        assert driver.largest_difference(r["losses"], reference) < 1e-5, name
        assert r["version"] and r["date"] and r["home"], name


def test_lines_of_code_leave_out_what_is_no_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    (tmp_path / "s.py").write_text('"""Two\nlines."""\n\nx = 1  # one\n# none\ny = """a\nb"""\n')
    monkeypatch.setattr(driver, "HERE", tmp_path)
    assert driver.lines_of_code("s") == 3


# --- the files ----------------------------------------------------------------------------------


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


@pytest.mark.parametrize("n", [0, 1, 127, 128, 300, 61706, 2**31])
def test_varints_come_back(n: int) -> None:
    assert read_varint(importers.varint(n), 0) == (n, len(importers.varint(n)))


@pytest.mark.parametrize("kind", ["caffe", "torch7"])
def test_a_library_of_today_reads_our_files(kind: str) -> None:
    given = driver.arrays()
    w, x = driver.weights_of(given), given["x_test"][:8]
    z = driver.read_back(kind, w, x)
    if isinstance(z, str):
        pytest.skip(z)
    torch = pytest.importorskip("torch")
    h = torch.from_numpy(x)
    for n in ("conv1", "conv2"):
        h = torch.conv2d(h, torch.from_numpy(w[f"{n}_w"]), torch.from_numpy(w[f"{n}_b"]))
        h = torch.nn.functional.avg_pool2d(torch.tanh(h), 2)
    h = h.flatten(1)
    for n in ("fc1", "fc2"):
        h = torch.tanh(h @ torch.from_numpy(w[f"{n}_w"]).T + torch.from_numpy(w[f"{n}_b"]))
    h = h @ torch.from_numpy(w["fc3_w"]).T + torch.from_numpy(w["fc3_b"])
    assert np.abs(z - h.numpy()).max() < 1e-5
    changed = {**w, "conv1_w": w["conv1_w"][..., ::-1]}  # the test sees a kernel turned round
    assert np.abs(driver.read_back(kind, changed, x) - h.numpy()).max() > 1e-3
