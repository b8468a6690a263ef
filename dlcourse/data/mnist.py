"""MNIST and Fashion-MNIST: 70 000 grey pictures of 28×28 each, from a folder or a download."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlcourse.data.download import MissingData, cache_folder, fetch
from dlcourse.data.idx import BadFile, parse_idx, read_bytes
from dlcourse.data.split import Split


@dataclass(frozen=True)
class Part:
    """One file: its name without .gz, the shape it must have, and the digests known for it.

    `sha256` is that of the unpacked bytes (gzip headers differ from mirror to mirror); `md5` that
    of the .gz file, for sets whose publisher gives no other.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str | None = None
    md5: str | None = None


@dataclass(frozen=True)
class Source:
    """Four parts (training pictures and labels, test pictures and labels) and their mirrors."""

    name: str
    parts: tuple[Part, Part, Part, Part]
    mirrors: tuple[str, ...]
    names: tuple[str, ...]


_TRAIN, _TEST = 60_000, 10_000

MNIST = Source(
    "mnist",
    (
        Part(
            "train-images-idx3-ubyte",
            (_TRAIN, 28, 28),
            sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        Part(
            "train-labels-idx1-ubyte",
            (_TRAIN,),
            sha256="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        Part(
            "t10k-images-idx3-ubyte",
            (_TEST, 28, 28),
            sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        Part(
            "t10k-labels-idx1-ubyte",
            (_TEST,),
            sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    tuple("0123456789"),
)

# MD5 of the .gz files as published in the README of zalandoresearch/fashion-mnist
FASHION_MNIST = Source(
    "fashion-mnist",
    (
        Part("train-images-idx3-ubyte", (_TRAIN, 28, 28), md5="8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        Part("train-labels-idx1-ubyte", (_TRAIN,), md5="25c81989df183df01b3e8a0aad5dffbe"),
        Part("t10k-images-idx3-ubyte", (_TEST, 28, 28), md5="bef4ecab320f06d8554ea6380940ec79"),
        Part("t10k-labels-idx1-ubyte", (_TEST,), md5="bb300cfdad3c16e7a12a480ee83cd310"),
    ),
    (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
)


def mnist(folder: str | Path | None = None) -> Split:
    """The MNIST handwritten digits (LeCun, Cortes, Burges): 60 000 to learn from, 10 000 to test.

    Pictures (n, 1, 28, 28) float32 in [0, 1], ink bright; labels (n,) int64, in the files' order.
    Reads the four IDX files, plain or .gz, from `folder`; without one from the cache folder
    (`$DLCOURSE_DATA/mnist` when set), where they are fetched once if need be (11 MB).
    Every file is checked against its SHA-256.
    Raises MissingData when they are not there and cannot be fetched; BadFile (a ValueError) when
    one is damaged or not the original.
    """
    return load(MNIST, folder)


def fashion_mnist(folder: str | Path | None = None) -> Split:
    """Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): ten kinds of clothing, in MNIST's format.

    As `mnist`, with the cache folder `fashion-mnist` (30 MB). The .gz files are checked against
    the MD5 sums that Zalando publishes; of unpacked files only the form is checked, for no
    digest of theirs is published.
    """
    return load(FASHION_MNIST, folder)


def load(source: Source, folder: str | Path | None) -> Split:
    """The four parts of `source` as a Split; see `mnist`."""
    arrays = [read_part(part, locate(source, part, folder)) for part in source.parts]
    x_train, y_train, x_test, y_test = map(_as_floats_or_labels, arrays)
    return Split(x_train, y_train, x_test, y_test, source.names)


def locate(source: Source, part: Part, folder: str | Path | None) -> Path:
    """The file of `part`: in `folder`, or in the cache, or fetched into the cache."""
    home = Path(folder).expanduser() if folder is not None else cache_folder() / source.name
    for path in (home / part.name, home / f"{part.name}.gz"):
        if path.exists():
            return path
    if folder is None:
        return fetch(f"{part.name}.gz", source.mirrors, home, lambda path: read_part(part, path))
    raise MissingData(
        f"{part.name} (or {part.name}.gz) is not in {home}: put the four {source.name} files "
        "there, or leave the folder out, with a network, to fetch them."
    )


def read_part(part: Part, path: Path) -> np.ndarray:
    """The array in `path`, uint8 of `part.shape`, once it has passed every check known for it."""
    unpacked = read_bytes(path)
    packed = path.read_bytes() if part.md5 else b""
    if packed[:2] == b"\x1f\x8b":
        _compare(path, "MD5", part.md5, hashlib.md5(packed, usedforsecurity=False).hexdigest())
    if part.sha256:
        _compare(path, "SHA-256", part.sha256, hashlib.sha256(unpacked).hexdigest())
    values = parse_idx(unpacked, path)
    _check_form(part, path, values)
    return values


def _compare(path: Path, kind: str, expected: str, found: str) -> None:
    if found != expected:
        raise BadFile(
            f"{path} is not the original: expected {kind} {expected}, found {found}; "
            "delete it and get it again."
        )


def _check_form(part: Part, path: Path, values: np.ndarray) -> None:
    if values.shape != part.shape or values.dtype != np.uint8:
        raise BadFile(
            f"{path} holds {values.dtype} {values.shape} where uint8 {part.shape} was expected; "
            "delete it and get it again."
        )
    if values.ndim == 1 and values.max() > 9:
        raise BadFile(f"{path} has a label {values.max()} above 9; delete it and get it again.")


def _as_floats_or_labels(values: np.ndarray) -> np.ndarray:
    if values.ndim == 1:
        return values.astype(np.int64)
    return np.divide(values, 255, dtype=np.float32)[:, None]  # (n, 1, 28, 28), 0..255 to 0..1
