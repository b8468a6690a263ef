"""The IDX file format of MNIST: a few bytes that say type and shape, then the numbers.

Format as described on LeCun's MNIST page: two zero bytes, one byte for the type, one for the
number of dimensions, each dimension as a big-endian 32-bit integer, then the data, big-endian,
last index fastest.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class BadFile(ValueError):
    """A file that is not what it should be; the message names it, and says what to do."""


def read_idx(path: str | Path) -> np.ndarray:
    """The array in the IDX file `path`, plain or gzip-compressed, in this machine's byte order.

    Raises BadFile (a ValueError) when the file is no IDX file, is cut short or goes on too long;
    FileNotFoundError when it is not there.
    """
    return parse_idx(read_bytes(path), Path(path))


def read_bytes(path: str | Path) -> bytes:
    """The bytes of `path`, unpacked when they are gzip-compressed (by content, not by name)."""
    raw = Path(path).read_bytes()
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise BadFile(
            f"{path} is cut short or damaged: expected a whole gzip file, found {len(raw)} bytes "
            f"that do not unpack ({error}); delete it and get it again."
        ) from error


def parse_idx(raw: bytes, path: Path) -> np.ndarray:
    """The array held in the bytes of an IDX file; `path` is for the error messages."""
    dtype, shape = _header(raw, path)
    start, expected = 4 + 4 * len(shape), math.prod(shape) * dtype.itemsize
    if len(raw) - start != expected:
        trouble = "cut short" if len(raw) - start < expected else "too long"
        raise BadFile(
            f"{path} is {trouble}: its header announces {shape} {dtype.name}, {expected} bytes, "
            f"and {len(raw) - start} follow; delete it and get it again."
        )
    values = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))


def _header(raw: bytes, path: Path) -> tuple[np.dtype, tuple[int, ...]]:
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _TYPES:
        raise BadFile(
            f"{path} is no IDX file: expected it to begin with 00 00, a type and a number of "
            f"dimensions, found {raw[:4].hex(' ') or 'nothing'}; get the file again."
        )
    rank = raw[3]
    if len(raw) < 4 + 4 * rank:
        raise BadFile(
            f"{path} is cut short: its {rank} dimensions need {4 + 4 * rank} bytes, "
            f"found {len(raw)}; delete it and get it again."
        )
    return np.dtype(_TYPES[raw[2]]), struct.unpack_from(f">{rank}I", raw, 4)
