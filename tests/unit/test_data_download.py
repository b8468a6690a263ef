import gzip
import hashlib
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from dlcourse import data
from dlcourse.data import BadFile, MissingData
from dlcourse.data.mnist import FASHION_MNIST, MNIST, Part, Source, load


def idx(values):
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return head + values.tobytes()


def small_set():
    """A set in MNIST's form, 50 + 20 pictures: Source without mirrors, files by name."""
    rng = np.random.default_rng(0)
    parts, files = [], {}
    for kind, n in (("train", 50), ("t10k", 20)):
        for what, shape, top in (("images-idx3", (n, 28, 28), 256), ("labels-idx1", (n,), 10)):
            raw = idx(rng.integers(0, top, shape, dtype=np.uint8))
            name = f"{kind}-{what}-ubyte"
            parts.append(Part(name, shape, sha256=hashlib.sha256(raw).hexdigest()))
            files[f"{name}.gz"] = gzip.compress(raw, mtime=0)
    return parts, files


PARTS, FILES = small_set()
FIRST = "train-images-idx3-ubyte.gz"


class Server(ThreadingHTTPServer):
    """Answers on 127.0.0.1; `manner` tells how it treats the first file."""

    def __init__(self, manner="well", files=FILES):
        super().__init__(("127.0.0.1", 0), Handler)
        self.manner, self.files, self.asked = manner, dict(files), []
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server, name = self.server, self.path[1:]
        wanted = self.headers.get("Range")
        server.asked.append((name, wanted))
        body = server.files.get(name)
        if body is None:
            return self.send_error(404)
        manner = server.manner if name == FIRST else "well"
        if manner == "altered":
            body = body[:2000] + bytes([body[2000] ^ 1]) + body[2001:]
        elif manner == "short":
            body = body[:-500]
        elif manner == "page":
            body = b"<html>please log in</html>"
        start = int(re.match(r"bytes=(\d+)-", wanted)[1]) if wanted else 0
        if manner == "no ranges":
            start = 0
        elif start >= len(body):
            return self.send_error(416)
        rest = body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if manner == "breaks once":
            server.manner = "well"
            rest = rest[:20_000]
        elif manner == "breaks":
            rest = rest[:3000]
        self.wfile.write(rest)


def source(*servers):
    return Source("tiny", tuple(PARTS), tuple(s.url for s in servers), tuple("0123456789"))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCOURSE_DATA", str(tmp_path))
    return tmp_path / "tiny"


def names(folder):
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def test_a_good_server_fills_the_cache_once(home):
    with Server() as server:
        split = load(source(server), None)
        assert [name for name, _ in server.asked] == [f"{p.name}.gz" for p in PARTS]
        load(source(server), None)
        assert len(server.asked) == 4
    assert names(home) == sorted(FILES)
    assert split.x_train.shape == (50, 1, 28, 28) and split.x_train.dtype == np.float32
    assert split.y_test.shape == (20,) and split.y_test.dtype == np.int64
    assert split.x_train.max() == 1 and split.x_train.min() == 0


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("altered", "sent a wrong file"),
        ("short", "sent a wrong file.*cut short"),
        ("page", "sent a wrong file.*no IDX file|expected SHA-256"),
        ("breaks", "could not be fetched.*Error"),
    ],
)
def test_a_bad_answer_leaves_no_file_and_says_what_to_do(home, manner, words):
    with Server(manner) as server, pytest.raises(MissingData, match=words) as caught:
        load(source(server), None)
    assert FIRST not in names(home)
    message = str(caught.value)
    assert FIRST in message and str(home) in message and "put the file there" in message
    assert len(message.splitlines()) == 1
    if manner != "breaks":
        assert names(home) == []


@pytest.mark.parametrize("manner", ["altered", "short", "page", "breaks"])
def test_the_next_mirror_helps(home, manner):
    with Server(manner) as bad, Server() as good:
        split = load(source(bad, good), None)
    assert len(split.x_train) == 50
    assert names(home) == sorted(FILES)


def test_an_unknown_file_is_said_to_be_unknown(home):
    with Server(files={}) as server, pytest.raises(MissingData, match="answered 404"):
        load(source(server), None)


def test_an_interrupted_download_is_resumed(home):
    with Server("breaks once") as server:
        with pytest.raises(MissingData):
            load(source(server), None)
        assert names(home) == [f"{FIRST}.part"]
        load(source(server), None)
        ranges = [wanted for name, wanted in server.asked if name == FIRST]
    assert ranges == [None, "bytes=16384-"]
    assert (home / FIRST).read_bytes() == FILES[FIRST]


@pytest.mark.parametrize(
    "left",
    [b"rubbish", FILES[FIRST][:100], FILES[FIRST] + b"more", FILES[FIRST]],
    ids=["rubbish", "beginning", "too much", "all"],
)
@pytest.mark.parametrize("manner", ["well", "no ranges"])
def test_whatever_an_earlier_run_left_the_file_becomes_whole(home, left, manner):
    home.mkdir()
    (home / f"{FIRST}.part").write_bytes(left)
    with Server(manner) as server:
        load(source(server), None)
    assert (home / FIRST).read_bytes() == FILES[FIRST]
    assert names(home) == sorted(FILES)


def test_another_gzip_header_is_the_same_file(home):
    other = {k: gzip.compress(gzip.decompress(v), 1, mtime=99) for k, v in FILES.items()}
    with Server(files=other) as server:
        assert len(load(source(server), None).x_test) == 20


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_, **__):
        raise OSError("network is off")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("get", [data.mnist, data.fashion_mnist])
def test_without_a_network_one_sentence_says_what_to_do(get, home, no_network):
    with pytest.raises(MissingData, match="connect to the network once") as caught:
        get()
    assert FIRST in str(caught.value) and len(str(caught.value).splitlines()) == 1
    assert isinstance(caught.value, FileNotFoundError)


def test_without_a_network_the_cache_still_serves(home, no_network):
    home.mkdir()
    for name, body in FILES.items():
        (home / name).write_bytes(body)
    assert len(load(source(), None).x_train) == 50


def test_a_folder_of_ones_own_is_read_plain_or_packed_and_never_written(tmp_path):
    with pytest.raises(MissingData, match="put the four tiny files there"):
        load(source(), tmp_path)
    for k, (name, body) in enumerate(FILES.items()):
        plain = k % 2
        target = tmp_path / (name.removesuffix(".gz") if plain else name)
        target.write_bytes(gzip.decompress(body) if plain else body)
    before = names(tmp_path)
    assert len(load(source(), str(tmp_path)).x_train) == 50
    assert names(tmp_path) == before


def test_a_damaged_file_on_disk_is_named_and_left_alone(tmp_path):
    for name, body in FILES.items():
        (tmp_path / name).write_bytes(body)
    raw = bytearray(gzip.decompress(FILES[FIRST]))
    raw[-1] ^= 1
    (tmp_path / FIRST).write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(BadFile, match=r"expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}"):
        load(source(), tmp_path)
    (tmp_path / FIRST).write_bytes(FILES[FIRST][:-100])
    with pytest.raises(BadFile, match="cut short"):
        load(source(), tmp_path)
    assert (tmp_path / FIRST).exists()


def md5_source(digest):
    parts = tuple(Part(p.name, p.shape, md5=digest(FILES[f"{p.name}.gz"])) for p in PARTS)
    return Source("tiny", parts, (), tuple("0123456789"))


def test_md5_sums_are_those_of_the_packed_files(tmp_path):
    for name, body in FILES.items():
        (tmp_path / name).write_bytes(body)
    right = md5_source(lambda body: hashlib.md5(body, usedforsecurity=False).hexdigest())
    assert len(load(right, tmp_path).x_train) == 50
    wrong = md5_source(lambda _: "0" * 32)
    with pytest.raises(BadFile, match=r"expected MD5 0{32}, found"):
        load(wrong, tmp_path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((50, 28, 27), np.uint8), r"uint8 \(50, 28, 27\) where"),
        (np.zeros((49, 28, 28), np.uint8), r"\(49, 28, 28\) where"),
    ],
)
def test_the_form_is_checked_where_no_digest_is_known(tmp_path, values, words):
    for name, body in FILES.items():
        (tmp_path / name.removesuffix(".gz")).write_bytes(gzip.decompress(body))
    (tmp_path / PARTS[0].name).write_bytes(idx(values))
    with pytest.raises(BadFile, match=words):
        load(md5_source(lambda _: "0" * 32), tmp_path)


def test_labels_above_nine_are_refused(tmp_path):
    for name, body in FILES.items():
        (tmp_path / name.removesuffix(".gz")).write_bytes(gzip.decompress(body))
    (tmp_path / PARTS[1].name).write_bytes(idx(np.full(50, 12, np.uint8)))
    with pytest.raises(BadFile, match="a label 12 above 9"):
        load(md5_source(lambda _: "0" * 32), tmp_path)


def test_every_part_has_a_digest():
    assert all(len(p.sha256) == 64 for p in MNIST.parts)
    assert all(len(p.md5) == 32 for p in FASHION_MNIST.parts)
    assert len(MNIST.names) == len(FASHION_MNIST.names) == 10
