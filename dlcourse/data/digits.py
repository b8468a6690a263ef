"""Real handwritten digits that come with scikit-learn: 1 797 of them, 8×8, no download."""

from functools import cache

import numpy as np

from dlcourse.data.split import Split, stratified

SIZES = (8, 16, 32)


def digits(size: int = 8, seed: int = 0, test: float = 0.25, flat: bool = False) -> Split:
    """Split of scikit-learn's digits (Alpaydin & Kaynak 1998, UCI; written by 13 people).

    Images are (n, 1, size, size) float32 in [0, 1], ink bright; `flat=True` gives (n, size·size).
    Size 8 is the original; 16 and 32 are enlarged with cubic splines and clipped to [0, 1], so
    they look smoother and hold no more information. `test` is the share of every class that is
    held out; the same seed gives the same split at every size.
    Raises ValueError for another size, or a share that is not between 0 and 1.
    """
    if size not in SIZES:
        raise ValueError(f"digits come in sizes {SIZES}, not {size!r}; pass one of these.")
    if not 0 < test < 1:
        raise ValueError(f"test is the share held out, between 0 and 1, not {test!r}; try 0.25.")
    images, labels = _images(size)
    train, held_out = stratified(labels, test, seed)
    x = images.reshape(len(images), -1) if flat else images  # (1797, 64) or (1797, 1, 8, 8)
    names = tuple("0123456789")
    return Split(x[train], labels[train], x[held_out], labels[held_out], names)


@cache
def _images(size: int) -> tuple[np.ndarray, np.ndarray]:
    from scipy.ndimage import zoom  # here, for scikit-learn and SciPy are slow to import
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    x = pixels.reshape(-1, 8, 8) / 16  # (1797, 8, 8), grey values 0..16 become 0..1
    if size != 8:
        # splines are linear and separable: a matrix (size, 8) holds what they do to a column
        enlarge = zoom(np.eye(8), (size / 8, 1), order=3, mode="nearest", grid_mode=True)
        x = enlarge @ x @ enlarge.T  # (1797, size, size)
    return x.clip(0, 1).astype(np.float32)[:, None], labels.astype(np.int64)
