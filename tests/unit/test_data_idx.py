import gzip
import struct

import numpy as np
import pytest

from dlcourse.data import BadFile, read_idx

CODES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def idx_bytes(code, shape, payload):
    return bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + payload


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (1, 1, 2, 2), (0, 28, 28)])
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_and_rank_plain_and_packed(tmp_path, code, shape, packed):
    kind = np.dtype(CODES[code])
    rng = np.random.default_rng(code)
    values = (rng.standard_normal(shape) * 100).astype(kind)
    raw = idx_bytes(code, shape, values.tobytes())
    path = tmp_path / "some-idx"  # packed or not is told by content, not by name
    path.write_bytes(gzip.compress(raw, mtime=0) if packed else raw)
    read = read_idx(path)
    np.testing.assert_array_equal(read, values)
    assert read.shape == shape
    assert read.dtype == kind.newbyteorder("=")
    assert read.flags.writeable


def test_order_of_bytes_and_indices_by_hand(tmp_path):
    path = tmp_path / "hand"
    path.write_bytes(bytes.fromhex("00000b02 00000002 00000002 0001 0100 ffff 7fff"))
    assert read_idx(path).tolist() == [[1, 256], [-1, 32767]]


GOOD = idx_bytes(0x08, (2, 3), bytes(6))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "no IDX file.*nothing"),
        (b"\0\0\x08", "no IDX file"),
        (b"\x01" + GOOD[1:], "no IDX file.*01 00 08 02"),
        (b"\0\0\x0a\x01" + bytes(8), "no IDX file"),
        (b"<html>Not found</html>", "no IDX file"),
        (GOOD[:9], "cut short.*need 12 bytes, found 9"),
        (GOOD[:-1], "cut short.*6 bytes, and 5 follow"),
        (GOOD + b"x", "too long.*6 bytes, and 7 follow"),
        (idx_bytes(0x08, (2, 4), bytes(6)), r"cut short.*\(2, 4\)"),
        (gzip.compress(GOOD, mtime=0)[:-9], "cut short or damaged"),
        (gzip.compress(GOOD, mtime=0)[:-8] + bytes(8), "cut short or damaged"),
        (b"\x1f\x8b", "cut short or damaged"),
    ],
)
def test_a_damaged_file_is_named_with_a_remedy(tmp_path, raw, words):
    path = tmp_path / "damaged-idx"
    path.write_bytes(raw)
    with pytest.raises(BadFile, match=words) as caught:
        read_idx(path)
    assert "damaged-idx" in str(caught.value) and "again" in str(caught.value)


def test_a_huge_announcement_allocates_nothing(tmp_path):
    path = tmp_path / "huge"
    path.write_bytes(idx_bytes(0x0E, (2**32 - 1,) * 4, b"1234"))
    with pytest.raises(BadFile, match="cut short"):
        read_idx(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")
