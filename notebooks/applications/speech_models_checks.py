"""The checks of the chapter on memory without recurrence; the notebook imports it as `exercises`."""

from typing import Any

import numpy as np

from dlcourse import data
from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import panel, plot, scatter, scene


# --- 1. delay -----------------------------------------------------------------------------------
def _check_delay(answer: Any) -> str:
    came = require.number(answer, "the delay in ms")
    if came != 160:
        trouble = {
            8: "that is the number of steps; a step lasts 20 ms",
            80: "the later blocks wait for each other too",
            0.16: "that is in seconds",
        }
        do = "each block waits for all the steps it looks ahead, one after the other"
        raise Wrong(f"expected another delay than {came:g} ms: {trouble.get(came, do)}.")
    return "4 + 2 + 2 + 0 steps of 20 ms."


delay = Exercise(
    "fsmn-delay",
    "Give the delay of four memory blocks in milliseconds",
    check=_check_delay,
    hints=(
        "The last block needs the future of the block below, which needs the future of the one below it.",
        "Look-aheads of blocks in a row add up.",
        "(4 + 2 + 2 + 0) times 20 ms.",
    ),
    answer="value",
)


# --- 2. the memory block ------------------------------------------------------------------------
def _reference(h: np.ndarray, a: np.ndarray, c: np.ndarray) -> np.ndarray:
    out = np.zeros(h.shape)
    for t in range(len(h)):
        for i in range(len(a)):
            if t - i >= 0:
                out[t] += a[i] * h[t - i]
        for j in range(1, len(c) + 1):
            if t + j < len(h):
                out[t] += c[j - 1] * h[t + j]
    return out


def _picture(came: np.ndarray, wanted: np.ndarray) -> dict:
    t = np.arange(len(wanted))
    wanted_line = plot(t, wanted[:, 0], color="c2", label="expected")
    came_dots = scatter(t, came[:, 0], color="c1", marker="x", size=5, label="came")
    return scene(
        panel(wanted_line, came_dots, xlabel="step", ylabel="memory of unit 0", size=(420, 240))
    )


def _check_memory(memory_block: Any) -> str:
    rng = require.rng()
    for _ in range(12):
        T, H = int(rng.integers(3, 12)), int(rng.integers(1, 5))
        back, ahead = int(rng.integers(0, 15)), int(rng.integers(0, 15))
        h, a, c = (
            rng.normal(size=(T, H)),
            rng.normal(size=(back + 1, H)),
            rng.normal(size=(ahead, H)),
        )
        came = require.array(require.call(memory_block, h, a, c), "the memory", shape=(T, H))
        wanted = _reference(h, a, c)
        require.close(
            came,
            wanted,
            what=f"T = {T}, {back} steps back, {ahead} ahead",
            do="a[i] meets the step i before, c[0] the next step; outside the sound h is zero.",
            figure=_picture(came, wanted),
        )
    return "it agrees on twelve random blocks, also where the window is longer than the sound."


memory_block = Exercise(
    "fsmn-memory",
    "Write the memory block of eq-fsmn-memory in NumPy",
    check=_check_memory,
    hints=(
        "Start from zeros. Each tap adds a shifted copy of h, multiplied unit by unit.",
        "For tap i of the past: out[i:] += a[i] * h[: T - i]. What if i is larger than T?",
        "For tap j = 1, 2, … of the future: out[: T - j] += c[j - 1] * h[j:], with max(0, T - j).",
    ),
)


# --- 3. counting weights ------------------------------------------------------------------------
def _check_weights(weights: Any) -> str:
    rng = require.rng()
    for _ in range(15):
        units, back, ahead = (
            int(v) for v in (rng.integers(2, 500), rng.integers(0, 30), rng.integers(0, 30))
        )
        came = require.call(weights, units, back, ahead)
        counts = require.array(came, "memory and convolution", shape=(2,), kind="integer")
        window = back + 1 + ahead
        wanted = {"the memory block": units * window, "the convolution": units**2 * window}
        for (what, number), found in zip(wanted.items(), counts.tolist(), strict=True):
            if found != number:
                raise Wrong(
                    f"{units} units, {back} back, {ahead} ahead: expected {number} weights in {what}, came {found}. "
                    f"The window has {window} steps, the present one included; one weight per unit, or per pair of units?"
                )
    return "both counts agree; the ratio is the number of units."


weights = Exercise(
    "fsmn-weights",
    "Return the weights of a memory block and of a full convolution along time",
    check=_check_weights,
    hints=(
        "How many steps does the window have? Do not forget the present one.",
        "A memory block has one weight per unit and step.",
        "A convolution has one weight per pair of units and step: units * units * window.",
    ),
)


# --- 4. naming tones ----------------------------------------------------------------------------
SYLLABLES = ("m aa", "n iy", "l ow", "m ay", "n uw", "l eh")


def _spoken(rng: np.random.Generator, n: int) -> tuple[list[np.ndarray], np.ndarray]:
    tones = rng.permutation(np.arange(n) % 4 + 1)
    cast = data.speakers(n, int(rng.integers(1 << 30)))
    said = [
        data.say(
            str(rng.choice(SYLLABLES)), voice, int(rng.integers(1 << 30)), tones=[int(tone)]
        ).f0
        for voice, tone in zip(cast, tones, strict=True)
    ]
    return [f0.astype(float) for f0 in said], tones


def _tone_picture(f0: np.ndarray, tone: int, came: int) -> dict:
    line = plot(np.arange(len(f0)) / 100, np.where(f0 > 0, f0, np.nan), color="c1")
    title = f"tone {tone}, named {came}"
    return scene(panel(line, title=title, xlabel="time (s)", ylabel="pitch (Hz)", size=(360, 220)))


def _check_tone(name_tone: Any) -> str:
    tracks, tones = _spoken(require.rng(), 100)
    named = []
    for f0 in tracks:
        tone = require.integer(require.call(name_tone, f0), "the tone")
        if tone not in (1, 2, 3, 4):
            raise Wrong(f"expected a tone 1, 2, 3 or 4, came {tone}.")
        named.append(tone)
    wrong = np.flatnonzero(np.array(named) != tones)
    if len(wrong) > 20:
        i = int(wrong[0])
        worst = int(np.bincount(tones[wrong]).argmax())
        raise Wrong(
            f"expected at least 80 of 100 voices right, came {100 - len(wrong)}; tone {worst} is missed most often. "
            "Look at one of your misses, and ask what your rule does with it.",
            _tone_picture(tracks[i], int(tones[i]), named[i]),
        )
    return f"{100 - len(wrong)} of 100 unseen voices are right."


name_tone = Exercise(
    "speech-tone",
    "Name the tone (1 to 4) from a pitch track",
    check=_check_tone,
    hints=(
        "Take the logarithm first: a high and a low voice then differ by a constant. Drop the zeros.",
        "Compare the beginning with the end: falling is 4, rising is 2. Tone 3 goes down and comes up again.",
        "Split the track (without its first quarter) in three parts and compare their means.",
    ),
    time_limit=60,  # two hundred voices are spoken
)
