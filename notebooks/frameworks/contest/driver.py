"""The contest: who takes part, where each one lives, how it is started, what was recorded.

From a shell, at the root of the course::

    python notebooks/frameworks/contest/driver.py install          # both optional environments
    python notebooks/frameworks/contest/driver.py run jax-jit      # one contestant, or all without a name
    python notebooks/frameworks/contest/driver.py record           # all, several times; writes recorded.json
    python notebooks/frameworks/contest/driver.py packages         # what is in the packages, likewise
    python notebooks/frameworks/contest/driver.py exports          # TensorFlow's five forms, likewise

A contestant runs in its own process and its own environment, because no single environment holds them all.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [
    p for p in [str(HERE)] if p not in sys.path
]  # its neighbours import each other by name
RECORDED = HERE / "recorded.json"
CACHE = Path(
    os.environ.get("DLCOURSE_FRAMEWORKS", Path.home() / ".cache" / "dlcourse" / "frameworks")
)
LAYERS = {
    "conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (120, 400), "fc2": (84, 120), "fc3": (10, 84),
}  # fmt: skip


@dataclass(frozen=True)
class Contestant:
    """One row: the script and its mode, the module it needs, the environment it lives in."""

    script: str
    mode: str
    modules: tuple[str, ...]  # the first is the one whose import is timed
    home: str  # "course", "modern" or "museum"
    style: str
    flags: tuple[tuple[str, str], ...] = ()  # environment variables; {tmp} becomes a fresh folder


BY_RUN, TRACED, GRAPH = "define-by-run", "traced, then compiled", "define-and-run"
INDUCTOR = (("TORCHINDUCTOR_CACHE_DIR", "{tmp}"), ("TORCHINDUCTOR_COMPILE_THREADS", "1"))
THEANO = (("THEANO_FLAGS", "blas.ldflags=,floatX=float32,base_compiledir={tmp}"),)
PYTENSOR = (("PYTENSOR_FLAGS", "floatX=float32,linker=cvm,base_compiledir={tmp}"),)
CONTESTANTS = {
    "torch": Contestant("torch_layers", "eager", ("torch",), "course", BY_RUN),
    "torch-float64": Contestant("torch_layers", "float64", ("torch",), "course", BY_RUN),
    "torch-compile": Contestant(
        "torch_layers", "compile", ("torch",), "modern", TRACED, INDUCTOR
    ),
    "keras-torch": Contestant(
        "keras_layers", "torch", ("keras", "torch"), "course", "layers on a back end",
        (("KERAS_BACKEND", "torch"),),
    ),
    "onnx-graph": Contestant(
        "onnx_graph", "", ("onnxruntime", "onnx"), "course", "computational network"
    ),
    "tensorflow-eager": Contestant("tensorflow_ops", "eager", ("tensorflow",), "modern", BY_RUN),
    "tensorflow-function": Contestant(
        "tensorflow_ops", "function", ("tensorflow",), "modern", TRACED
    ),
    "tensorflow-xla": Contestant("tensorflow_ops", "xla", ("tensorflow",), "modern", TRACED),
    "tensorflow-session": Contestant(
        "tensorflow_session", "", ("tensorflow",), "modern", GRAPH
    ),
    "keras-tensorflow": Contestant(
        "keras_layers", "tensorflow", ("keras", "tensorflow"), "modern", "layers on a back end",
        (("KERAS_BACKEND", "tensorflow"),),
    ),
    "keras-jax": Contestant(
        "keras_layers", "jax", ("keras", "jax"), "modern", "layers on a back end",
        (("KERAS_BACKEND", "jax"),),
    ),
    "jax-jit": Contestant("jax_jit", "jit", ("jax",), "modern", "functional, " + TRACED),
    "jax-eager": Contestant("jax_jit", "eager", ("jax",), "modern", "functional, op by op"),
    "pytensor": Contestant("pytensor_function", "", ("pytensor",), "modern", GRAPH, PYTENSOR),
    "paddle-dygraph": Contestant("paddle_layers", "dygraph", ("paddle",), "modern", BY_RUN),
    "paddle-static": Contestant("paddle_layers", "static", ("paddle",), "modern", TRACED),
    "theano": Contestant("theano_function", "", ("theano",), "museum", GRAPH, THEANO),
    "mxnet-gluon": Contestant("mxnet_gluon", "gluon", ("mxnet",), "museum", BY_RUN),
    "mxnet-hybrid": Contestant(
        "mxnet_gluon", "hybrid", ("mxnet",), "museum", "define-by-run, cached graph"
    ),
    "mxnet-symbol": Contestant("mxnet_symbol", "", ("mxnet",), "museum", GRAPH),
    "chainer": Contestant("chainer_links", "", ("chainer",), "museum", BY_RUN),
}  # fmt: skip
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore", "GLOG_minloglevel": "3"}
ONE = {f"{n}_NUM_THREADS": "1" for n in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}


# --- the arrays that everybody gets ---------------------------------------------------------------


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """Batches x (20, 64, 1, 32, 32), y (20, 64), unseen digits x_test, y_test, and LeNet's weights.

    The digits are scikit-learn's 8 × 8 scans, every pixel repeated 4 × 4 to fit LeNet's 32 × 32 input;
    the weights are Glorot-uniform float32, the biases zero.
    """
    from sklearn.datasets import load_digits

    rng, digits = np.random.default_rng(seed), load_digits()
    order = rng.permutation(len(digits.images))
    images = np.kron(digits.images / 16, np.ones((1, 4, 4)))[order, None].astype(np.float32)
    labels = digits.target[order].astype(np.int64)
    made = {
        "x": images[:1280].reshape(20, 64, 1, 32, 32), "y": labels[:1280].reshape(20, 64),
        "x_test": images[1280:], "y_test": labels[1280:],
    }  # fmt: skip
    for name, shape in LAYERS.items():
        fan_in, fan_out = np.prod(shape[1:]), shape[0] * np.prod(shape[2:])
        bound = np.sqrt(6 / (fan_in + fan_out))
        made[f"{name}_w"] = rng.uniform(-bound, bound, shape).astype(np.float32)
        made[f"{name}_b"] = np.zeros(shape[0], np.float32)
    return made


def weights_of(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The ten weight arrays alone, in the order of the layers."""
    return {name: value for name, value in given.items() if name.endswith(("_w", "_b"))}


# --- who can run here -----------------------------------------------------------------------------


def interpreter(home: str) -> Path:
    """The Python of an environment; the course's own is the one that runs this file."""
    return Path(sys.executable) if home == "course" else CACHE / home / "bin" / "python"


def _found(python: Path, modules: tuple[str, ...]) -> bool:
    code = (
        f"import importlib.util as u, sys; sys.exit(not all(u.find_spec(m) for m in {modules!r}))"
    )
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def why_not(name: str) -> str | None:
    """None when the contestant can run on this machine, else one sentence that says what is missing."""
    who = CONTESTANTS[name]
    python = interpreter(who.home)
    if not python.exists():
        return f'its environment "{who.home}" is not installed; run: make frameworks'
    if not _found(python, who.modules):
        return f"{' or '.join(who.modules)} is missing from {python.parent.parent}"
    return None


# --- running --------------------------------------------------------------------------------------


def run(name: str, given: dict[str, np.ndarray], timed: int = 20, limit: float = 300) -> dict:
    """Start one contestant on the given arrays; its costs and losses, or {"skipped": reason}."""
    who, reason = CONTESTANTS[name], why_not(name)
    if reason:
        return {"skipped": reason}
    with tempfile.TemporaryDirectory() as tmp:
        flags = {key: value.format(tmp=tmp) for key, value in who.flags}
        put, got = Path(tmp) / "arrays.npz", Path(tmp) / "result.json"
        kept = {k: v for k, v in given.items() if not k.endswith("test")}
        np.savez(put, **kept, lr=np.float32(0.1), timed=timed)
        command = [interpreter(who.home), HERE / "runner.py", who.script, who.mode, who.modules[0]]
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MPLBACKEND")}
        try:
            done = subprocess.run(
                [*command, put, got], cwd=HERE, env=env | QUIET | ONE | flags,
                capture_output=True, text=True, timeout=limit,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"skipped": f"it ran longer than {limit:.0f} s"}
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return {"skipped": f"it stopped with: {last[:200]}"}
        return json.loads(got.read_text(encoding="utf-8"))


def read_back(kind: str, weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray | str:
    """Logits (N, 10) of a Caffe, Torch7 or CNTK file read by a library of today, or why there are none."""
    import importers

    needs = ("onnxruntime",) if kind == "cntk" else ("cv2",)
    homes = [h for h in ("course", "modern") if interpreter(h).exists()]
    home = next((h for h in homes if _found(interpreter(h), needs)), None)
    if home is None:
        return f"{needs[0]} is not installed; run: make frameworks"
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        (folder / "net.prototxt").write_text(importers.PROTOTXT, encoding="utf-8")
        (folder / "net.caffemodel").write_bytes(importers.caffemodel(weights))
        (folder / "net.t7").write_bytes(importers.torch7_file(weights))
        np.save(folder / "x.npy", x)
        command = [interpreter(home), HERE / "importers.py", kind, folder]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | ONE)
        return np.load(folder / "logits.npy")


def recorded() -> dict:
    """What was measured when the chapter was written: {"about": …, "results": {name: …}, …}."""
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def largest_difference(losses: list[float], reference: list[float]) -> float:
    """The largest gap between two runs, over all steps; both must have the same number of steps."""
    if len(losses) != len(reference):
        raise ValueError(f"expected {len(reference)} losses, came {len(losses)}")
    return float(np.abs(np.array(losses) - np.array(reference)).max())


# --- what is looked up rather than timed ----------------------------------------------------------


def lines_of_code(script: str) -> int:
    """Lines that are neither blank, comment nor docstring; layouts.py counts for those who import it."""
    import ast

    text = (HERE / f"{script}.py").read_text(encoding="utf-8")
    tree, skip = ast.parse(text), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str):
            skip |= set(range(node.lineno, node.end_lineno + 1))
    lines = enumerate(text.splitlines(), 1)
    own = sum(1 for i, s in lines if i not in skip and s.strip() and not s.strip().startswith("#"))
    return own + (lines_of_code("layouts") if "from layouts import" in text else 0)


PROBE = """
import collections, importlib.metadata as m, json, os, re, sys
todo, done = list(sys.argv[1:]), {}
while todo:
    name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
    if name in done:
        continue
    try:
        d = m.distribution(name)
    except m.PackageNotFoundError:
        continue
    files = [(f, d.locate_file(f)) for f in d.files or []]
    done[name] = {"version": d.version, "mb": sum(os.path.getsize(p) for _, p in files if os.path.isfile(p)) / 1e6,
                  "kinds": collections.Counter(os.path.splitext(f.name)[1] for f, p in files if ".so." not in f.name),
                  "shared": sum(".so." in f.name for f, _ in files)}
    done[name]["names"] = [str(f) for f, _ in files] if len(done) == 1 else []
    needs = [r for r in d.requires or [] if "extra ==" not in r]
    todo += [re.match(r"[A-Za-z0-9._-]+", r).group() for r in needs]
print(json.dumps(done))
"""


def installed(home: str, *packages: str) -> dict:
    """Each package with everything it requires: {name: {version, mb, kinds of files}}."""
    done = subprocess.run(
        [interpreter(home), "-c", PROBE, *packages], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


PACKAGES = {
    "torch": ("modern", "torch"), "keras": ("modern", "keras"),
    "onnxruntime": ("modern", "onnxruntime", "onnx"), "tensorflow": ("modern", "tensorflow-cpu"),
    "jax": ("modern", "jax"), "pytensor": ("modern", "pytensor"),
    "paddle": ("modern", "paddlepaddle"), "theano": ("museum", "theano"),
    "mxnet": ("museum", "mxnet"), "chainer": ("museum", "chainer"),
}  # fmt: skip


EVIDENCE = {  # what a file must be called to count as evidence for a cell of Table 1
    "GPU": r"(cuda|gpu|gpuarray)(/__init__)?\.py$",
    "data parallelism": r"(parallel/distributed|distributed/parallel|mirrored_strategy|kvstore(/kvstore)?|"
    r"multiprocess_parallel_updater|_src/pmap|distribution_lib)\.py$",
    "model parallelism": r"(tensor/parallel/api|meta_parallel/parallel_layers/mp_layers|dtensor/python/layout|"
    r"multi_node_chain_list|_src/named_sharding|distribution_lib)\.py$",
}


def evidence(names: list[str]) -> dict[str, str]:
    """For each kind of hardware or parallelism the first file of the package that is named after it."""
    import re

    code = [n for n in sorted(names, key=len) if "/test" not in n]
    found = {k: next((n for n in code if re.search(p, n)), "") for k, p in EVIDENCE.items()}
    return {k: n for k, n in found.items() if n}


def record_packages() -> None:
    """Size on disk, kinds of files, evidence of every framework, with all that it requires."""
    book, found = recorded(), {}
    for name, (home, *packages) in PACKAGES.items():
        if not interpreter(home).exists():
            continue
        parts = installed(home, *packages)
        kinds = {k: n for k, n in sorted(parts[packages[0]]["kinds"].items()) if k and n >= 5}
        found[name] = {
            "mb": round(sum(p["mb"] for p in parts.values())), "packages": len(parts),
            "kinds": kinds | {".so": parts[packages[0]]["kinds"].get(".so", 0)},
            "version": parts[packages[0]]["version"],
            "evidence": evidence(parts[packages[0]]["names"]),
        }  # fmt: skip
    RECORDED.write_text(json.dumps(book | {"packages": found}, indent=1) + "\n", encoding="utf-8")


def record_exports() -> None:
    """TensorFlow's forward pass in five forms, into recorded.json."""
    with tempfile.TemporaryDirectory() as tmp:
        np.savez(Path(tmp) / "arrays.npz", **arrays())
        command = [interpreter("modern"), HERE / "tensorflow_export.py", Path(tmp) / "arrays.npz"]
        done = subprocess.run(
            command,
            cwd=HERE,
            env=os.environ | QUIET | ONE,
            capture_output=True,
            text=True,
            check=True,
        )
    made = json.loads(done.stdout.strip().splitlines()[-1]) | {"date": time.strftime("%Y-%m-%d")}
    book = recorded() | {"exports": {"tensorflow": made}}
    RECORDED.write_text(json.dumps(book, indent=1) + "\n", encoding="utf-8")


# --- the shell's commands -------------------------------------------------------------------


def install(*homes: str) -> None:
    """Create the optional environments in the cache folder, one after the other."""
    for home in homes or ("modern", "museum"):
        python = interpreter(home)
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", CACHE / home], check=True)
        pins = HERE / f"requirements-{home}.txt"
        env = dict(os.environ)
        if (
            home == "museum"
        ):  # Chainer's set-up script wants pkg_resources, gone from newer setuptools
            (CACHE / "constraints.txt").write_text("setuptools<70\n", encoding="utf-8")
            env["PIP_CONSTRAINT"] = str(CACHE / "constraints.txt")
        subprocess.run([python, "-m", "pip", "install", "-r", pins], check=True, env=env)


def show(name: str, result: dict) -> None:
    """One line for a result on the shell."""
    if "skipped" in result:
        print(f"{name:20} skipped: {result['skipped']}")
        return
    costs = "  ".join(f"{k} {result[k]:.2f}" for k in ("import_s", "setup_s", "first_s", "ms"))
    print(f"{name:20} {result['version']:10} {costs}  last loss {result['losses'][-1]:.6f}")


def summary(name: str, runs: list[dict]) -> dict:
    """The first run's losses and versions, the smallest of each cost, and what can be looked up."""
    keys = ("import_s", "setup_s", "first_s", "ms")
    costs = {k: round(min(r[k] for r in runs), 4) for k in keys}
    who = CONTESTANTS[name]
    return runs[0] | costs | {
        "rounds": len(runs), "kept": "quickest", "style": who.style, "home": who.home,
        "lines": lines_of_code(who.script), "date": time.strftime("%Y-%m-%d"),
    }  # fmt: skip


def record(*names: str, rounds: int = 3, timed: int = 60) -> None:
    """Run everybody in turn, `rounds` times over, and keep the smallest of every cost in recorded.json."""
    given, runs = arrays(), {name: [] for name in names or CONTESTANTS}
    for _ in range(rounds):
        for name, kept in runs.items():
            result = run(name, given, timed, limit=1800)
            show(name, result)
            if "skipped" in result:
                continue
            kept.append(result)
            book = recorded() if RECORDED.exists() else {"results": {}}
            book["results"][name] = summary(name, kept)
            RECORDED.write_text(json.dumps(book, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    command, *words = sys.argv[1:] or ["run"]
    if command == "run":
        for chosen in words or CONTESTANTS:
            show(chosen, run(chosen, arrays()))
    else:
        {
            "install": install,
            "record": record,
            "packages": record_packages,
            "exports": record_exports,
        }[command](*words)
