"""Printed characters by the thousand: twelve typefaces, moved, turned, slanted and smudged."""

from functools import lru_cache
from pathlib import Path

import numpy as np

FONTS = tuple(
    f"DejaVu{family}{style}"
    for family, slant in (("Sans", "Oblique"), ("Serif", "Italic"), ("SansMono", "Oblique"))
    for style in ("", "-Bold", f"-{slant}", f"-Bold{slant}")
)
_BOX = 64  # side of a stored glyph, in its own pixels
_EM = 60  # size of the type in the box: a digit is then about 44 pixels high
_SOFT = 1.6  # blur of the stored glyphs: their grey value tells how far the edge is
_CHUNK = 512  # images drawn at once: bounds the memory to some 30 MB


def glyphs(
    n: int,
    characters: str = "0123456789",
    size: int = 28,
    seed: int = 0,
    jitter: float = 1.0,
    clutter: float = 0.0,
    fonts: tuple[str, ...] = FONTS,
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """`n` pictures of printed characters: x (n, 1, size, size) float32 in [0, 1], ink bright.

    y (n,) int64 numbers `characters`, classes balanced, in random order. `info` tells exactly how
    each picture was made, (n,) arrays: `angle` in degrees, counter-clockwise; `dx`, `dy` in
    pixels, right and down; `scale`; `shear`; `weight` (stroke thickness, about ±1); `sharpness`;
    `font`, an index into `fonts`. A digit at scale 1 is 20 pixels high in 28, as in MNIST.
    `jitter` multiplies every range: 0 gives upright centred characters, 1 turns up to 15°, shifts
    up to 2.5 pixels in 28 and scales by 0.75 to 1.15; above 1 they may leave the picture.
    `clutter` in [0, 1] adds small stray characters near the border and grey noise.
    Fonts: DejaVu, shipped with Matplotlib. Same arguments, same pictures.
    Raises ValueError for an unknown size, font, repeated or unprintable characters.
    """
    _refuse(n, characters, size, jitter, clutter, fonts)
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % len(characters))
    info = _pose(n, size, jitter, len(fonts), rng)
    atlas = _atlas(characters, fonts)
    x = np.empty((n, size, size), np.float32)
    for start in range(0, n, _CHUNK):
        rows = slice(start, start + _CHUNK)
        pose = {name: values[rows] for name, values in info.items()}
        x[rows] = _draw(atlas[pose["font"], y[rows]], pose, size)
        if clutter:
            x[rows] = _clutter(x[rows], atlas, clutter, rng)
    return x[:, None], y, info


def _refuse(
    n: int, characters: str, size: int, jitter: float, clutter: float, fonts: tuple[str, ...]
) -> None:
    if size not in (28, 32):
        raise ValueError(f"glyphs come in sizes 28 and 32, not {size!r}; pass one of these.")
    if n < 0 or jitter < 0 or not 0 <= clutter <= 1:
        raise ValueError(
            "glyphs needs n >= 0, jitter >= 0 and clutter between 0 and 1; "
            f"got n={n}, jitter={jitter}, clutter={clutter}."
        )
    if not characters or len(set(characters)) < len(characters):
        raise ValueError(f"characters must be distinct, at least one; got {characters!r}.")
    if not fonts or set(fonts) - set(FONTS):
        raise ValueError(f"fonts must be chosen from {', '.join(FONTS)}; got {fonts!r}.")


def _pose(
    n: int, size: int, jitter: float, fonts: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    def spread(reach: float) -> np.ndarray:
        return jitter * rng.uniform(-reach, reach, n)

    return {
        "angle": spread(15),
        "dx": spread(2.5 * size / 28),
        "dy": spread(2.5 * size / 28),
        "scale": np.exp(jitter * rng.uniform(np.log(0.75), np.log(1.15), n)),
        "shear": spread(0.25),
        "weight": spread(1),
        "sharpness": np.exp(spread(0.5)),
        "font": rng.integers(0, fonts, n),
    }


@lru_cache(maxsize=8)
def _atlas(characters: str, fonts: tuple[str, ...]) -> np.ndarray:
    """Soft glyphs (fonts, characters, box, box) float32, centred in their boxes."""
    from scipy.ndimage import gaussian_filter

    glyph = np.stack([[_bitmap(font, c) for c in characters] for font in fonts])
    return gaussian_filter(glyph, (0, 0, _SOFT, _SOFT)).astype(np.float32)


def _bitmap(font: str, character: str) -> np.ndarray:
    """One glyph, its ink centred in a (box, box) array of grey values 0..1."""
    ink = _ink(font, character, _EM)
    if max(ink.shape) > 0.85 * _BOX:  # wide ones such as @ or W
        ink = _ink(font, character, _EM * 0.85 * _BOX / max(ink.shape))
    box = np.zeros((_BOX, _BOX))
    top, left = (_BOX - ink.shape[0]) // 2, (_BOX - ink.shape[1]) // 2
    box[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return box


def _ink(font: str, character: str, pixels: float) -> np.ndarray:
    import matplotlib as mpl
    from matplotlib.ft2font import FT2Font

    face = FT2Font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"))
    if face.get_char_index(ord(character)) == 0:
        raise ValueError(f"{font} has no glyph for {character!r}; leave this character out.")
    face.set_size(pixels, 72)  # at 72 dots per inch a point is a pixel
    face.set_text(character, 0.0)
    face.draw_glyphs_to_bitmap(antialiased=True)
    image = np.asarray(face.get_image()) / 255
    rows, columns = image.any(1).nonzero()[0], image.any(0).nonzero()[0]
    if not len(rows):
        raise ValueError(f"{character!r} leaves no ink; leave this character out.")
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _draw(glyph: np.ndarray, pose: dict[str, np.ndarray], size: int) -> np.ndarray:
    """Glyphs (n, box, box) seen through an affine map each -> pictures (n, size, size)."""
    field = _sample(glyph, *_source(pose, size))
    # the soft field falls from 1 to 0 across an edge: where to cut it sets the stroke's weight
    edge = np.clip(0.5 - 0.15 * pose["weight"], 0.2, 0.8)[:, None].astype(np.float32)
    # at least steep enough for an empty place to stay black
    steep = np.maximum(2.4 * pose["sharpness"][:, None].astype(np.float32), 0.5 / edge)
    return np.clip(steep * (field - edge) + 0.5, 0, 1).reshape(-1, size, size)


def _source(pose: dict[str, np.ndarray], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where in its box each pixel of a picture looks: row, column (n, size·size)."""
    angle, dx, dy, scale, shear = (
        pose[name][:, None].astype(np.float32) for name in ("angle", "dx", "dy", "scale", "shear")
    )
    grid = np.arange(size, dtype=np.float32) - (size - 1) / 2
    down, right = (g.ravel() for g in np.meshgrid(grid, grid, indexing="ij"))  # (size²,)
    right, down = right - dx, down - dy  # (n, size²)
    turn, zoom = np.radians(angle), _BOX / size / scale
    row = zoom * np.sin(turn) * right + zoom * np.cos(turn) * down
    column = zoom * np.cos(turn) * right - zoom * np.sin(turn) * down
    column += shear * row
    centre = (_BOX - 1) / 2
    return row + centre, column + centre


def _sample(image: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Bilinear interpolation of n images (n, h, h) at (n, p) places each; outside, the border."""
    n, side = len(image), image.shape[1]
    row, column = row.clip(0, side - 1.001), column.clip(0, side - 1.001)
    r, c = row.astype(np.int32), column.astype(np.int32)
    row -= r
    column -= c
    flat, first = image.ravel(), np.arange(n, dtype=np.int32)[:, None] * side * side
    corner = first + r * side + c
    left = flat.take(corner)
    top = left + column * (flat.take(corner + 1) - left)
    left = flat.take(corner + side)
    bottom = left + column * (flat.take(corner + side + 1) - left)
    return top + row * (bottom - top)


def _clutter(
    x: np.ndarray, atlas: np.ndarray, amount: float, rng: np.random.Generator
) -> np.ndarray:
    """Add three small stray characters near the border of each picture, then grey noise."""
    n, size = x.shape[0], x.shape[-1]
    for _ in range(3):
        pose = _pose(n, size, 1.0, len(atlas), rng)
        away = rng.uniform(0, 2 * np.pi, n)
        pose |= {"angle": rng.uniform(-180, 180, n), "scale": rng.uniform(0.25, 0.4, n)}
        pose |= {"dx": 0.45 * size * np.cos(away), "dy": 0.45 * size * np.sin(away)}
        stray = atlas[pose["font"], rng.integers(0, atlas.shape[1], n)]
        x = np.maximum(x, amount * _draw(stray, pose, size))
    return np.clip(x + 0.2 * amount * rng.standard_normal(x.shape, np.float32), 0, 1)
