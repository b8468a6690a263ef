"""Drawing for the chapter on echo state networks: a tapped pool, predictions, sizes, memory by lag."""

from functools import cache
from typing import Any

import numpy as np

from dlcourse.figures import curves, panel, plot, scene

RINGING = 80  # steps after the tap


@cache
def _random_pool() -> tuple[np.ndarray, np.ndarray]:
    """Connections (100, 100) with spectral radius 1, and a tap (100,)."""
    rng = np.random.default_rng(1)
    U = rng.normal(size=(100, 100))
    return U / np.abs(np.linalg.eigvals(U)).max(), rng.uniform(-1, 1, 100)


def taps(radius: float, leak: float) -> dict[str, Any]:
    """Eight of a hundred tanh units after one tap at step 0, and the length of the whole state."""
    U, tap = _random_pool()
    states, h = [], np.zeros(100)
    for t in range(RINGING):
        h = (1 - leak) * h + leak * np.tanh(tap * (t == 0) + radius * h @ U)
        states.append(h)
    units, length = np.array(states), np.linalg.norm(states, axis=1)
    traces = [plot(np.arange(RINGING), units[:, i], color=f"c{i % 6 + 1}") for i in range(8)]
    told = f"after {RINGING} steps {100 * length[-1] / length[0]:.2g} % of the first length is left"
    waves = panel(*traces, xlabel="step", ylabel="state of eight units", ylim=(-1, 1))
    return scene(waves, size_panel(length, "length of the state"), text=told)


def size_panel(size: np.ndarray, ylabel: str) -> dict[str, Any]:
    """A positive quantity (T,) against the step, logarithmic."""
    steps, shown = np.arange(len(size)), np.maximum(size, 1e-16)
    curve = plot(steps, shown, color="c2")
    return panel(curve, xlabel="step", ylabel=ylabel, ylog=True, ylim=(1e-16, 100))


def prediction(wanted: np.ndarray, came: np.ndarray) -> dict[str, Any]:
    """Target and prediction (T,) over unseen steps."""
    steps = np.arange(len(wanted))
    return scene(
        panel(
            plot(steps, wanted, color="muted", width=3, label="target"),
            plot(steps, np.clip(came, 0, 1), color="c2", dash="4 3", label="read-out"),
            xlabel="unseen step",
            ylabel="value",
            ylim=(0, 1),
        )
    )


def by_lag(kept: dict[str, np.ndarray]) -> dict[str, Any]:
    """Memory by lag: name -> (lags,)."""
    lags = np.arange(len(next(iter(kept.values()))))
    return panel(
        *curves(lags, kept, markers=False),
        xlabel="lag k, steps",
        ylabel="share of the variance recalled",
        ylim=(0, 1.05),
        size=(560, 320),
    )
