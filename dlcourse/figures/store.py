"""Pack scenes into few bytes: quantised arrays, each stored once, gzip and base64.

Layout of a store before gzip: length of the JSON head (4 bytes, little endian), the head, the arrays.
The same numbers travel to a live front end, one scene at a time.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from .marks import Panel, Scene

Put = Callable[
    [dict[str, Any], bytes], int
]  # takes an array's description and bytes, returns its index
Place = tuple[int, int, str]  # panel, mark, name of the array
Grown = dict[tuple[Any, ...], tuple[np.ndarray, int]]

AXIS = {"x": "x", "y": "y", "y1": "y", "y2": "y"}


def quantise(
    values: np.ndarray, lim: tuple[float, float], bits: int = 16, log: bool = False
) -> tuple[dict[str, Any], bytes]:
    """Round values to 8 or 16 bits between the limits (or their own range, if narrower).

    The top code stands for "not a number". Returns the description that the front end decodes by
    and the bytes. On a log axis the logarithm is rounded, so that small values keep their digits.
    """
    v = np.asarray(values, dtype=float).ravel()
    with np.errstate(all="ignore"):
        v = np.where(v > 0, np.log10(v), np.where(v == 0, -300.0, np.nan)) if log else v
    v = np.where(np.isinf(v), np.sign(v) * 1e300, v)
    known = np.isfinite(v)
    lo, hi = sorted(lim)
    if bits == 16 and known.any():
        lo, hi = (float(np.clip(e, lo, hi)) for e in (v[known].min(), v[known].max()))
    top = 2**bits - 2
    codes = np.full(v.shape, top + 1, "<u2" if bits == 16 else "u1")
    codes[known] = np.round((np.clip(v[known], lo, hi) - lo) / ((hi - lo) or 1.0) * top)
    about = {"d": f"u{bits // 8}", "lo": float(f"{lo:.9g}"), "hi": float(f"{hi:.9g}")}
    return (about | {"log": 1} if log else about), codes.tobytes()


def _room(lim: list[float], log: bool) -> tuple[float, float]:
    """Widen the axis limits threefold: values further away (a diverging run) are cut there."""
    lo, hi = sorted(np.log10(lim) if log else lim)
    return lo - 1.5 * (hi - lo), hi + 1.5 * (hi - lo)


def _encode(
    key: str, values: np.ndarray, mark: dict[str, Any], p: Panel
) -> tuple[dict[str, Any], bytes]:
    if key == "z":
        return quantise(values, mark["lim"], bits=8)
    if key in AXIS:
        axis = AXIS[key]
        return quantise(values, _room(p[axis + "lim"], p[axis + "log"]), log=p[axis + "log"])
    finite = np.abs(values[np.isfinite(values)])
    reach = float(finite.max()) if finite.size else 1.0
    return quantise(values, (-reach, reach))


def _reference(
    place: Place, values: np.ndarray, mark: dict[str, Any], p: Panel, put: Put, grown: Grown | None
) -> dict[str, int]:
    """Store an array, or refer to the first values of one that a later frame has stored."""
    key = (*place, *p["xlim"], *p["ylim"])  # other limits cut and round otherwise
    if grown is not None and key in grown:
        longer, index = grown[key]
        head = longer[: values.size]
        if 0 < values.size <= longer.size and np.array_equal(values, head, equal_nan=True):
            return {"$": index, "n": int(values.size)}
    index = put(*_encode(place[2], values, mark, p))
    if grown is not None and place[2] != "z":
        grown[key] = (values, index)
    return {"$": index}


def pack(scene: Scene, put: Put, grown: Grown | None = None) -> dict[str, Any]:
    """Turn a scene into JSON; arrays go through `put` and leave their index behind."""
    panels = []
    for i, p in enumerate(scene["panels"]):
        packed = {k: v for k, v in p.items() if k != "marks" and v is not None and v is not False}
        packed["marks"] = [
            {
                k: _reference((i, j, k), v.ravel(), m, p, put, grown)
                if isinstance(v, np.ndarray)
                else v
                for k, v in m.items()
                if v is not None and v is not False
            }
            for j, m in enumerate(p["marks"])
        ]
        panels.append(packed)
    return {"text": scene["text"], "panels": panels}


def frame(scene: Scene, **about: Any) -> tuple[dict[str, Any], list[bytes]]:
    """Pack one scene for the live front end: a message and its binary buffers."""
    metas: list[dict[str, Any]] = []
    buffers: list[bytes] = []

    def put(meta: dict[str, Any], raw: bytes) -> int:
        metas.append(meta)
        buffers.append(raw)
        return len(metas) - 1

    return {"type": "frame", "scene": pack(scene, put), "arrays": metas, **about}, buffers


class Store:
    """All recorded states of one figure, in the order of the grid of its controls (last one fastest).

    Equal arrays are stored once. A growing curve is stored in full by the last frame; the earlier
    ones refer to its beginning.
    """

    def __init__(self, config: dict[str, Any], dims: list[dict[str, Any]]) -> None:
        """Start an empty store; `dims` describes the controls with their recorded labels."""
        self.config, self.dims, self.scenes = config, dims, []

    def add(self, scene: Scene) -> None:
        """Append the scene of the next grid point."""
        self.scenes.append(scene)

    def text(self) -> str:
        """Return the packed store as base64; the same scenes give the same bytes."""
        blob, metas, seen = bytearray(), [], {}

        def put(meta: dict[str, Any], raw: bytes) -> int:
            key = hashlib.sha256(raw + json.dumps(meta).encode()).digest()
            if key not in seen:
                seen[key] = len(metas)
                metas.append(meta | {"o": len(blob), "n": len(raw)})
                blob.extend(raw)
            return seen[key]

        grown: Grown = {}
        frames = [pack(s, put, grown) for s in reversed(self.scenes)][::-1]
        head = {"cfg": self.config, "dims": self.dims, "frames": frames, "arrays": metas}
        packed = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
        return base64.b64encode(
            gzip.compress(struct.pack("<I", len(packed)) + packed + bytes(blob), 9, mtime=0)
        ).decode()
