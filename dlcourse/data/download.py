"""Fetch a file once, check it, keep it: never half a file under its final name."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from dlcourse.data.idx import BadFile

_PATIENCE = (5, 30)  # seconds to connect, and between two pieces of the answer
_PIECE = 2**13  # bytes written at a time: what a broken connection can lose


class MissingData(FileNotFoundError):
    """Data that are not here and could not be fetched; the message says what to do."""


def cache_folder() -> Path:
    """Where downloads are kept: `$DLCOURSE_DATA`, or the user's cache folder for `dlcourse`."""
    import pooch

    chosen = os.environ.get("DLCOURSE_DATA")
    return Path(chosen).expanduser() if chosen else Path(pooch.os_cache("dlcourse"))


def fetch(
    name: str, mirrors: Sequence[str], folder: Path, verify: Callable[[Path], object]
) -> Path:
    """Get `name` from the first mirror whose copy passes `verify`; return its path in `folder`.

    The answer goes to `name.part`; it takes its final name, in one move, only after
    `verify(path)` has accepted it (by not raising BadFile). When the connection breaks the
    part stays, and the next call asks for the rest; a part that does not verify is thrown away
    and fetched whole. Raises MissingData when no mirror helped, with what each answered.
    """
    final, part = folder / name, folder / f"{name}.part"
    troubles = []
    for url in (mirror + name for mirror in mirrors):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _receive_verified(url, part, verify)
            return part.replace(final)
        except (OSError, BadFile) as error:  # the errors of requests are OSErrors
            troubles.append(f"{url}: {_short(error)}")
    raise MissingData(
        f"{name} is not in {folder} and could not be fetched: put the file there yourself, or "
        f"connect to the network once and run this again. Tried {'; '.join(troubles)}."
    )


def _receive_verified(url: str, part: Path, verify: Callable[[Path], object]) -> None:
    resumed = part.exists() and part.stat().st_size > 0
    try:
        _receive(url, part)
        verify(part)
    except Exception as error:
        if isinstance(error, BadFile) or _refused_range(error):
            part.unlink()  # what is there is wrong; when the connection broke it is a beginning
            if resumed:
                return _receive_verified(url, part, verify)
        raise


def _receive(url: str, part: Path) -> None:
    """Append to `part` what the server has beyond it."""
    import pooch

    have = part.stat().st_size if part.exists() else 0
    # identity: a server must not pack or unpack on the way, or byte counts would not fit
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    get = pooch.HTTPDownloader(timeout=_PATIENCE, chunk_size=_PIECE, headers=headers)
    with part.open("ab") as sink:
        get(url, sink, None)


def _refused_range(error: Exception) -> bool:
    return getattr(getattr(error, "response", None), "status_code", None) == 416


def _short(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"answered {response.status_code}"
    if isinstance(error, BadFile):
        return f"sent a wrong file ({str(error).rsplit(';', 1)[0]})"
    return type(error).__name__  # requests' own texts run over many lines
