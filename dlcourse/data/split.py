"""A data set cut into a training and a test part."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """Inputs and labels to learn from, and others to be judged on.

    `x_train` (n, …) float32, `y_train` (n,) int64, `x_test` (m, …), `y_test` (m,);
    `names[k]` is what label k stands for.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    names: tuple[str, ...]

    def __repr__(self) -> str:
        """Say the shapes; the arrays themselves would fill the screen."""
        return (
            f"Split(x_train {self.x_train.shape}, y_train {self.y_train.shape}, "
            f"x_test {self.x_test.shape}, y_test {self.y_test.shape}, {len(self.names)} classes)"
        )


def stratified(y: np.ndarray, test: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (train, test), shuffled; each class gives the share `test` of its members."""
    rng = np.random.default_rng(seed)
    held_out = []
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        held_out.append(members[: round(test * len(members))])
    test_rows = rng.permutation(np.concatenate(held_out))
    train_rows = rng.permutation(np.setdiff1d(np.arange(len(y)), test_rows))
    return train_rows, test_rows
