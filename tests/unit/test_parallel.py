"""Worker processes: right results, one sentence for each kind of failure, nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel

from dlcourse.parallel import Checkpoint, Job, Worker, WorkerFailed, launch
from dlcourse.parallel.__main__ import found, parsed

pytestmark = pytest.mark.timeout(300)  # the first launch imports torch in a fresh process


def gone(pid: int) -> bool:
    """Whether no such process runs, waiting a moment for it to end (a zombie has ended)."""
    for _ in range(400):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/status")
        if status.exists() and "State:\tZ" in status.read_text():
            return True
        time.sleep(0.05)
    return False


# Defined inside a function, as in a notebook cell: workers cannot import them, so they travel by value.


def make_workers():
    def total(worker, value):
        x = torch.full((3,), float(value + worker.rank))
        torch.distributed.all_reduce(x)
        return x

    def fail(worker, how):
        worker.report(step=7, pid=os.getpid())
        if worker.rank == 1:
            if how == "raise":
                raise ValueError("the batch is empty")
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "hang":
                time.sleep(1000)
            if how == "leave":
                os._exit(0)
            if how == "exit":
                sys.exit("enough")
            if how == "result":
                return lambda: socket.socket()
        torch.distributed.barrier()  # rank 0 waits here for a partner that never comes
        return worker.rank

    return total, fail


total, fail = make_workers()


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_every_rank_returns_its_result(ranks: int) -> None:
    expected = torch.full((3,), float(sum(10 + r for r in range(ranks))))
    results = launch(total, 10, ranks=ranks)
    assert len(results) == ranks
    assert all(torch.equal(r, expected) for r in results)


def test_workers_are_processes_of_their_own_with_their_own_rank_and_one_thread() -> None:
    def who(worker):
        return worker.rank, dist.get_rank(), worker.size, os.getpid(), torch.get_num_threads()

    ranks, same, sizes, pids, threads = zip(*launch(who), strict=True)
    assert ranks == same == (0, 1)
    assert sizes == (2, 2)
    assert len({*pids, os.getpid()}) == 3
    assert threads == (1, 1)


def test_the_environment_of_the_moment_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    launch(total, 0)  # the server runs now
    monkeypatch.setenv("DLCOURSE_PROBE", "later")
    assert launch(lambda worker: os.environ["DLCOURSE_PROBE"]) == ["later", "later"]


def test_reports_arrive_while_the_workers_run_and_in_order() -> None:
    def count(worker, stop):
        for step in range(5):
            worker.report(step=step, loss=torch.tensor(0.5))
        while worker.rank == 0 and not Path(stop).exists():
            time.sleep(0.01)

    def heard(event):
        events.append(event)
        if len(events) == 10:  # only now may rank 0 end
            stop.touch()

    events, stop = [], Path(os.environ.get("TMPDIR", "/tmp"), f"dlcourse-stop-{os.getpid()}")
    try:
        launch(count, str(stop), on_event=heard)
    finally:
        stop.unlink(missing_ok=True)
    for rank in (0, 1):
        mine = [e for e in events if e["rank"] == rank]
        assert [e["step"] for e in mine] == [0, 1, 2, 3, 4]
        assert {e["loss"] for e in mine} == {0.5}
        assert all(e["t"] > 0 for e in mine)


def test_what_a_worker_prints_is_shown_with_its_rank(capsys: pytest.CaptureFixture) -> None:
    launch(lambda worker: print("hello", worker.rank), ranks=2)
    assert sorted(capsys.readouterr().out.splitlines()) == ["rank 0: hello 0", "rank 1: hello 1"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise", "rank 1 raised ValueError: the batch is empty"),
        ("kill", "rank 1 was killed by SIGKILL"),
        ("hang", "had not finished, last report: step=7"),
        ("leave", "rank 1 ended with code 0 and without a result"),
        ("exit", "rank 1 raised SystemExit: enough"),
    ],
)
def test_a_failure_is_one_sentence_and_leaves_no_process(how: str, words: str) -> None:
    launch(total, 0)  # a slow first start is not the worker's fault
    job = Job(fail, how, timeout=8 if how == "hang" else 60)
    pids, folder = job.pids, job.folder
    with pytest.raises(WorkerFailed) as caught:
        job.results()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert all(gone(pid) for pid in pids)
    assert not folder.exists()


def test_the_line_that_raised_and_the_workers_traceback_are_kept() -> None:
    with pytest.raises(WorkerFailed) as caught:
        launch(fail, "raise")
    assert 'raise ValueError("the batch is empty")' in str(caught.value)
    assert "Traceback" in caught.value.trace
    assert caught.value.rank == 1
    assert caught.value._render_traceback_() == [f"WorkerFailed: {caught.value}"]


def test_after_a_failure_the_next_launch_works() -> None:
    with pytest.raises(WorkerFailed):
        launch(fail, "kill")
    assert launch(lambda worker: worker.rank) == [0, 1]


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(WorkerFailed, match=f"port {port} of this machine is taken"):
            launch(total, 0, port=port)


def test_a_free_port_works() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert launch(lambda worker: worker.rank, port=port) == [0, 1]


def test_a_dropped_job_is_stopped() -> None:
    job = Job(lambda worker: time.sleep(1000))
    pids, folder = job.pids, job.folder
    del job
    assert all(gone(pid) for pid in pids)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: launch("train"), TypeError, "expected a function"),
        (lambda: launch(total, 0, ranks=0), ValueError, "ranks: expected"),
        (lambda: launch(total, 0, ranks=2.0), ValueError, "ranks: expected"),
        (lambda: launch(total, 0, timeout=0), ValueError, "timeout: expected"),
        (lambda: launch(total, 0, backend="mpi"), ValueError, "backend: expected"),
        (lambda: launch(total, 0, restarts=-1), ValueError, "restarts: expected"),
        (lambda: launch(total, sys.stdout), TypeError, "cannot be sent"),
        (lambda: Checkpoint("x", every=0), ValueError, "every: expected"),
    ],
)
def test_what_cannot_be_started_is_refused(call, kind, words) -> None:
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.skipif(torch.cuda.device_count() >= 2, reason="nccl can run here")
def test_nccl_without_gpus_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="needs 2 GPUs"):
        launch(total, 0, backend="nccl")


# --- an interrupt, and a notebook that dies, leave nothing -----------------------------------------------

SLEEPERS = """
import signal, time
from dlcourse.parallel import launch

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored

def sleep(worker):
    worker.report(ready=True)
    time.sleep(1000)

if __name__ == "__main__":
    launch(sleep, on_event=lambda event: print(event["rank"], flush=True), timeout=900)
"""


def descendants(pid: int) -> list[int]:
    """Process ids below `pid`, from /proc."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(p) for p in children.read_text().split()] if children.exists() else []
    return found + [d for child in found for d in descendants(child)]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to list processes")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_or_killed_program_leaves_no_worker(tmp_path: Path, sent: int) -> None:
    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS)
    with tempfile.TemporaryDirectory() as place:  # a short path: sockets have names of 108 bytes
        program = subprocess.Popen(
            [sys.executable, script],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"TMPDIR": place},
        )
        assert {program.stdout.readline(), program.stdout.readline()} == {b"0\n", b"1\n"}
        below = descendants(program.pid)
        assert len(below) >= 3  # the server and two workers
        assert list(Path(place).glob("dlcourse-parallel-*"))
        program.send_signal(sent)
        program.wait(timeout=60)
        assert all(gone(pid) for pid in below)
        assert not list(Path(place).glob("dlcourse-parallel-*"))


# --- checkpoints ------------------------------------------------------------------------------------------


def make_trainer():
    def train(worker, folder, steps, die_at=None):
        torch.manual_seed(0)
        model = DistributedDataParallel(torch.nn.Linear(6, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        keep = Checkpoint(folder, every=5)
        for step in range(keep.resume(worker, model=model, optimizer=optimizer), steps):
            draw = torch.Generator().manual_seed(100 * step + worker.rank)
            x = torch.randn(8, 6, generator=draw)
            optimizer.zero_grad()
            mse_loss(model(x), x[:, :2]).backward()
            optimizer.step()
            worker.report(step=step, attempt=worker.attempt)
            if step == die_at and worker.attempt == 0 and worker.rank == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            keep.save(worker, step + 1, model=model, optimizer=optimizer)
        return [p.detach() for p in model.parameters()]

    return train


def test_a_killed_training_resumes_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    train, events = make_trainer(), []
    whole = launch(train, str(tmp_path / "whole"), 20)
    again = launch(train, str(tmp_path / "killed"), 20, 13, restarts=1, on_event=events.append)
    assert all(torch.equal(a, b) for r in (0, 1) for a, b in zip(whole[r], again[r], strict=True))
    second = [e["step"] for e in events if e["attempt"] == 1 and e["rank"] == 0]
    assert second == list(range(10, 20))  # steps 10 to 13 were done twice, nothing else


def test_a_half_written_checkpoint_is_never_read(tmp_path: Path) -> None:
    train = make_trainer()
    whole = launch(train, str(tmp_path), 10)
    (tmp_path / "checkpoint.new").write_bytes(b"half")
    again = launch(train, str(tmp_path), 10)
    assert torch.equal(whole[0][0], again[0][0])


# --- the same function under torchrun -----------------------------------------------------------------------

TRAIN = """
import torch
import torch.distributed as dist

SCALE = 2.0

def add(worker, start, step=1.0):
    x = torch.tensor([start + SCALE * step * worker.rank])
    dist.all_reduce(x)
    worker.report(sum=x.item())
    return x.item()
"""


def test_the_entry_runs_a_function_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    command = [sys.executable, "-m", "dlcourse.parallel", "train.py:add", "1.5", "step=3"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    ends = [json.loads(line) for line in ran.stdout.splitlines() if '"end"' in line]
    assert [e["result"] for e in ends] == [9.0, 9.0]


def test_the_entry_takes_definitions_from_a_notebook(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# a title"]},
        {"cell_type": "code", "source": TRAIN.strip().splitlines(keepends=True)},
        {"cell_type": "code", "source": ["raise RuntimeError('cells that do things are not run')"]},
    ]
    path = tmp_path / "chapter_probe.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    assert found(f"{path}:add").__globals__["SCALE"] == 2.0


def test_arguments_are_read_as_json_where_they_are() -> None:
    assert parsed(["3", "lr=0.1", "name", "on=true"]) == ([3, "name"], {"lr": 0.1, "on": True})


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("train.py", "expected file.py:function"),
        ("train.txt:add", "expected file.py:function"),
        ("nowhere.py:add", "no such file"),
    ],
)
def test_a_wrong_target_is_one_sentence(target: str, words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        found(target)


def agents(
    tmp_path: Path, prefixes: list[list[str]], addresses: list[str], nics: list[str]
) -> set[float]:
    """Results of `add` on two machines, each under its own torchrun."""
    (tmp_path / "train.py").write_text(textwrap.dedent(TRAIN))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = []
    for first, prefix, address, nic in zip((1, 0), prefixes, addresses, nics, strict=True):
        command = [
            *prefix,
            *(sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"),
            *(f"--rdzv-conf=is_host={first}", "--rdzv-backend=c10d"),
            f"--rdzv-endpoint={addresses[0]}:{port}",
            *(
                f"--local-addr={address}",
                "-m",
                "dlcourse.parallel",
                "train.py:add",
                "1.5",
                "step=3",
            ),
        ]
        environment = os.environ | {"GLOO_SOCKET_IFNAME": nic, "OMP_NUM_THREADS": "1"}
        running.append(
            subprocess.Popen(
                command,
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        outputs = [agent.communicate(timeout=250) for agent in running]
    finally:
        for agent in running:
            if agent.poll() is None:
                agent.terminate()  # its workers survive a SIGKILL of the agent
                agent.wait(timeout=30)
    assert [agent.returncode for agent in running] == [0, 0], outputs
    lines = [json.loads(line) for out, _ in outputs for line in out.splitlines() if '"end"' in line]
    assert sorted(line["rank"] for line in lines) == [0, 1]
    return {line["result"] for line in lines}


LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


def test_two_agents_on_one_host(tmp_path: Path) -> None:
    assert agents(tmp_path, [[], []], ["127.0.0.1"] * 2, [LOOPBACK] * 2) == {9.0}


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def two_machines():
    """Two network namespaces joined by a cable: no shared loopback, as with two machines."""
    names = [f"dlc{os.getpid()}{side}" for side in "ab"]
    nics = [f"v{os.getpid() % 100000}{side}" for side in "ab"]
    try:
        for name in names:
            ip("netns", "add", name)
        ip(
            "link",
            "add",
            nics[0],
            "netns",
            names[0],
            "type",
            "veth",
            "peer",
            nics[1],
            "netns",
            names[1],
        )
        for k, (name, nic) in enumerate(zip(names, nics, strict=True), 1):
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "addr", "add", f"10.77.0.{k}/24", "dev", nic)
            ip("-n", name, "link", "set", nic, "up")
        yield names, nics
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this account may not create network namespaces: {error}")
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def test_two_network_namespaces_as_two_machines(tmp_path: Path, two_machines) -> None:
    names, nics = two_machines
    prefixes = [["ip", "netns", "exec", name] for name in names]
    assert agents(tmp_path, prefixes, ["10.77.0.1", "10.77.0.2"], nics) == {9.0}


def test_a_worker_without_a_notebook_reports_into_nothing() -> None:
    Worker(0, 1).report(step=1)
