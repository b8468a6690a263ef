"""The checks of the spiking chapter's exercises; the notebook imports this file as `exercises`."""

import math
from typing import Any

import numpy as np
from spiking_figures import counts as counts_scene

from dlcourse.exercises import Exercise, Wrong, require


# --- 1. play a given note -------------------------------------------------------------------------
def _check_current(answer: Any) -> str:
    rng = require.rng()
    for _ in range(8):
        tau, pause = float(rng.uniform(5, 40)), float(rng.uniform(1, 6))
        climb = tau * float(rng.uniform(0.3, 2.5))
        rate = 1000 / (pause + climb)
        came = require.array(
            require.call(answer, rate, tau, pause), "the current", shape=(), finite=False
        )
        if not np.isfinite(came):
            raise Wrong(
                f"{rate:.1f} spikes a second with a pause of {pause:.1f} ms: expected a finite current, came {came}. "
                f"A period lasts 1000 / rate = {1000 / rate:.1f} ms, longer than the pause; rate is per second, pause and tau in ms."
            )
        require.close(
            came,
            1 / (1 - math.exp(-climb / tau)),
            what=f"the current for {rate:.1f} spikes a second (tau {tau:.1f} ms, pause {pause:.1f} ms)",
            do="A period of 1000 / rate ms is the pause and the climb from 0 to 1; solve 1 = I (1 − exp(−climb / tau)).",
        )
        _forbidden(answer, tau, pause, 1000 / pause * float(rng.uniform(1.05, 3.0)))
    _forbidden(answer, 20.0, 4.0, 250.0)
    return "eight random neurons play in tune."


def _forbidden(answer: Any, tau: float, pause: float, rate: float) -> None:
    """From the rate 1000 / pause on there is no current: the answer must be infinity."""
    came = require.array(
        require.call(answer, rate, tau, pause), "the current", shape=(), finite=False
    )
    if came != np.inf:
        raise Wrong(
            f"{rate:.0f} spikes a second with a pause of {pause:.1f} ms: expected math.inf, came {float(came):.4g}. "
            "A period that leaves no time to climb is impossible at any current."
        )


current = Exercise(
    "spiking-current",
    "Return the current at which a leaky neuron fires at a given rate",
    check=_check_current,
    hints=(
        "How many milliseconds lie between two spikes? And how many of them are spent climbing?",
        "Put u(climb) = 1 and u(0) = 0 into the solution: 1 = I (1 − exp(−climb / tau)).",
        "I = 1 / (1 − exp(−climb / tau)) with climb = 1000 / rate − pause; math.inf unless climb > 0.",
    ),
)


# --- 2. break-even ----------------------------------------------------------------------------------
def _check_even(answer: Any) -> str:
    came = require.number(answer, "the spikes a neuron")
    right = (4.6 - 20 * 4.6 / 128) / 0.9
    wrong = {
        right / 20: "That is the number in each of the 20 steps; give the number in all of them.",
        (4.6 - 20 * 4.6)
        / 0.9: "A neuron is updated once a step, however many targets it has; only additions are paid per target.",
        4.6 / 0.9: "That leaves out the updates, 20 a neuron.",
        (4.6 - 20 * 0.9 / 128)
        / 0.9: "A leaky update costs a multiplication with addition, 4.6 pJ.",
        (4.6 - 4.6 / 128) / 0.9: "There is an update at each of the 20 steps.",
        (4.6 * 128 - 20 * 4.6)
        / 0.9: "That is the number of additions; each spike makes 128 of them.",
    }
    for value, advice in wrong.items():
        if abs(came - value) < 5e-3 * abs(value):
            raise Wrong(f"the spikes a neuron: expected another number, came {came:.4g}. {advice}")
    if 6e-3 < abs(came - right) < 0.06:
        raise Wrong(
            f"the spikes a neuron: came {came:g}, nearly right; give at least two decimals."
        )
    if abs(came - right) > 6e-3:
        raise Wrong(
            f"the spikes a neuron: expected another number, came {came:.4g}. "
            "Count what one neuron pays in either layer, the 128 targets and the 20 updates included, and set the two equal."
        )
    return "with 128 targets the updates cost about as much as one spike in six."


even = Exercise(
    "spiking-even",
    "Give the number of spikes a neuron at which both layers cost the same",
    check=_check_even,
    hints=(
        "What does one neuron of the ordinary layer pay for its 128 targets?",
        "The spiking neuron pays n · 128 additions and 20 updates.",
        "n = (128 · 4.6 − 20 · 4.6) / (128 · 0.9)",
    ),
    answer="value",
)


# --- 3. only the nearest ------------------------------------------------------------------------------
def _nearest_reference(
    t_in: np.ndarray, t_out: np.ndarray, plus: float, minus: float, tau: float
) -> float:
    def of(at: np.ndarray, others: np.ndarray) -> float:
        lags = [t - max(o for o in others if o < t) for t in at if (others < t).any()]
        return sum(math.exp(-lag / tau) for lag in lags)

    return plus * of(t_out, t_in) - minus * of(t_in, t_out)


def _trains(rng: np.random.Generator, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sorted trains without common times; the side `first` starts alone, with two spikes in a row."""
    alone = np.sort(rng.uniform(0, 10, 2))
    mixed = rng.permutation(np.sort(rng.uniform(15, 120, 13)))
    sides = [np.sort(mixed[:7]), np.sort(mixed[7:])]
    sides[first] = np.concatenate([alone, sides[first]])
    return sides[0], sides[1]


def _check_nearest(answer: Any) -> str:
    rng = require.rng()
    for case in range(8):
        t_in, t_out = _trains(rng, case % 2)
        plus, minus = float(rng.uniform(1.2, 2.0)), float(rng.uniform(0.4, 0.8))
        tau = float(rng.uniform(10, 25))
        came = require.number(
            require.call(answer, t_in, t_out, plus, minus, tau), "the total change"
        )
        require.close(
            came,
            _nearest_reference(t_in, t_out, plus, minus, tau),
            what=f"the total change for {len(t_in)} input and {len(t_out)} output spikes",
            do="Each spike looks back to the latest spike of the other side only; outputs add, inputs take away.",
        )
    alone, silent = np.array([5.0, 9.0]), np.empty(0)
    for t_in, t_out in ((alone, silent), (silent, alone), (silent, silent)):
        came = require.number(require.call(answer, t_in, t_out, 1.5, 0.5, 10.0), "the total change")
        require.close(
            came,
            0.0,
            what=f"the total change for {len(t_in)} input and {len(t_out)} output spikes",
            do="A spike with nothing before it does nothing.",
        )
    return "eight pairs of trains, and sides that never spiked."


nearest = Exercise(
    "spiking-nearest",
    "Return the total change of a weight when each spike pairs with the latest of the other side",
    check=_check_nearest,
    hints=(
        "Take one output spike. Which input spikes came before it, and which of them is the latest?",
        "np.searchsorted(t_in, t) says how many input spikes came before t; the latest has that index minus one.",
        "Do the same for the input spikes with the roles swapped and a minus sign; skip spikes with nothing before them.",
    ),
)


# --- 4. a neuron that may burst -------------------------------------------------------------------------
def _burst_reference(drive: np.ndarray) -> np.ndarray:
    u, out = [0.0] * drive.shape[1], np.zeros(drive.shape)
    for t, row in enumerate(drive):
        for i, d in enumerate(row):
            u[i] += d
            while u[i] >= 1:
                u[i] -= 1
                out[t, i] += 1
    return out


def _drives(rng: np.random.Generator) -> np.ndarray:
    """(T, 6) multiples of 1/64, so that sums are exact: strong, weak, negative at first, ties at the threshold."""
    T = int(rng.integers(25, 40))
    drive = rng.integers(-32, 65, (T, 6)) / 64
    drive[:, 0] += 2.0  # bursts
    drive[:4, 1], drive[4:, 1] = -0.75, 0.5  # a debt to pay back first
    drive[:, 2] = 0.25  # reaches exactly one
    drive[:, 3] = np.where(np.arange(T) % 3 == 0, 2.5, -0.5)
    drive[rng.integers(T), 4] = 12.5  # one long burst
    return drive[:, rng.permutation(6)]


def _check_burst(answer: Any) -> str:
    rng = require.rng()
    for drive in (*(_drives(rng) for _ in range(4)), np.array([[2.5], [-4.0], [1.25], [2.0]])):
        came = require.array(require.call(answer, drive), "the spikes", shape=drive.shape)
        wanted = _burst_reference(drive)
        require.close(
            came,
            wanted,
            what="the spikes in each step (step, neuron)",
            do="Add the drive, send floor(u) spikes but never less than 0, and take as many thresholds away.",
            figure=counts_scene(
                wanted.cumsum(0), came.cumsum(0), int(np.abs(came - wanted).sum(0).argmax())
            ),
        )
    return "25 neurons with bursts, debts and ties. With such neurons nothing is clipped."


burst = Exercise(
    "spiking-burst",
    "Return the number of spikes in each step (T, n) of neurons that may burst",
    check=_check_burst,
    hints=(
        "How many whole thresholds are in the bucket after the drive has been added?",
        "np.floor(u) of them, but a negative potential sends none: np.maximum(np.floor(u), 0).",
        "Loop over the rows: u = u + row; s = np.maximum(np.floor(u), 0); u = u - s.",
    ),
)
