"""The checks of the FPGA chapter's exercises; the notebook imports this file as `exercises`."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from amaranth.hdl import Module, Signal, signed
from amaranth.sim import Simulator

from dlcourse.exercises import Exercise, Wrong, require
from dlcourse.figures import bar, panel, plot, scene

# --- 1. fill a look-up table ----------------------------------------------------------------------
WEIGHTS = (1, 1, 1, -2)
ADDRESSES = [tuple(address >> i & 1 for i in range(4)) for address in range(16)]
FIRES = [int(np.dot(WEIGHTS, x) >= 1) for x in ADDRESSES]


def _table_picture(came: list[int]) -> dict:
    wrong = [i for i in range(16) if came[i] != FIRES[i]]
    marks = [bar(range(16), [v + 0.03 for v in came], color="c1", label="your bit")]
    marks.append(bar(wrong, [came[i] + 0.03 for i in wrong], color="c2", label="wrong"))
    return scene(
        panel(
            *marks, title="your table", xlabel="address a + 2b + 4c + 8d", ylabel="output bit",
            ylim=(0, 1.3), size=(460, 200),
        )
    )  # fmt: skip


def _check_table(answer: Any) -> str:
    if isinstance(answer, str):
        raise Wrong("the table: expected a number, came a text; write it as 0b… without quotes.")
    value = require.integer(answer, "the table")
    if not 0 <= value < 2**16:
        raise Wrong(f"the table: expected a number from 0 to 65535 (16 bits), came {value}.")
    came = [value >> i & 1 for i in range(16)]
    wrong = [i for i in range(16) if came[i] != FIRES[i]]
    if wrong:
        a, b, c, d = ADDRESSES[wrong[0]]
        raise Wrong(
            f"bit {wrong[0]} is {came[wrong[0]]}, but for a={a}, b={b}, c={c}, d={d} the sum is "
            f"{np.dot(WEIGHTS, (a, b, c, d))}, so expected {FIRES[wrong[0]]} ({len(wrong)} of 16 bits are wrong).",
            _table_picture(came),
        )
    return "all 16 bits are the neuron's."


table = Exercise(
    "fpga-table",
    "Give the 16-bit table of the neuron with weights 1, 1, 1, −2 and threshold 1",
    check=_check_table,
    hints=(
        "Split the table in two halves: bits 0 to 7 have d = 0, bits 8 to 15 have d = 1.",
        "With d = 0, one active input is enough. With d = 1, how many of a, b, c are needed?",
        "Only address 0 fails in the lower half, and only address 15 fires in the upper half.",
    ),
    answer="value",
)


# --- 2. images per second ---------------------------------------------------------------------------
def _images_reference(fmax_mhz: float, layers: list[tuple[int, int]], lanes: int) -> float:
    """By walking: one tick at a time, group after group."""
    ticks = layers[0][0] + 1
    for inputs, neurons in layers:
        left = neurons
        while left > 0:
            ticks += inputs + 1 + min(lanes, left)
            left -= lanes
    return fmax_mhz * 1e6 / ticks


def _images_inputs(rng: np.random.Generator) -> tuple:
    sizes = [int(v) for v in rng.integers(3, 70, rng.integers(2, 5))]
    layers = list(pairwise(sizes))
    return round(float(rng.uniform(10, 200)), 1), layers, int(rng.integers(1, 20))


def _images_picture(fmax: float, layers: list, lanes: int) -> dict:
    x = np.arange(1, 33)
    rate = [_images_reference(fmax, layers, int(n)) for n in x]
    here = _images_reference(fmax, layers, lanes)
    return scene(
        panel(plot(x, rate, label="expected"), bar([lanes], [here], color="c2", label="this case"),
              title="images per second by lanes", xlabel="lanes", ylabel="images per second"),
    )  # fmt: skip


def _check_images(images: Callable) -> str:
    for _ in range(20):
        fmax, layers, lanes = _images_inputs(require.rng())
        came = require.number(require.call(images, fmax, layers, lanes), "images per second")
        require.close(
            came,
            _images_reference(fmax, layers, lanes),
            what=f"images per second at {fmax} MHz, layers {layers}, {lanes} lanes",
            do="Count ticks: loading, start, then for each job K + 1, and one for each neuron; the clock is in millions per second.",
            figure=_images_picture(fmax, layers, lanes),
        )
    return "it agrees on 20 random networks."


images = Exercise(
    "fpga-images",
    "Return the images per second of a folded network",
    check=_check_images,
    hints=(
        "First count the ticks of one image: loading, start, and the layers.",
        "A layer has ceil(N / lanes) jobs; in Python that is -(-N // lanes).",
        "Divide 1e6 * fmax_mhz by layers[0][0] + 1 + the sum of jobs * (K + 1) + N.",
    ),
)


# --- 3. round to nearest ----------------------------------------------------------------------------
def _rounding_reference(acc: np.ndarray, shift: int, top: int) -> np.ndarray:
    return np.array([min(max((int(v) + 2 ** (shift - 1)) // 2**shift, 0), top) for v in acc])


_LARGE = (
    "The sums have more than 53 bits here, so floating point loses the last ones: integers only."
)


def _rounding_picture(shift: int, top: int) -> dict:
    x = np.arange(-(2**shift), 4 * 2**shift)
    wanted, floor = _rounding_reference(x, shift, top), np.clip(x >> shift, 0, top)
    return scene(
        panel(plot(x, wanted, label="to nearest"), plot(x, floor, color="c2", dash="4 3", label="down"),
              title="half a step apart", xlabel="acc", ylabel="output"),
    )  # fmt: skip


def _check_rounding(nearest: Callable) -> str:
    for trial in range(20):
        rng = require.rng()
        shift, bits = int(rng.integers(1, 12)), int(rng.integers(2, 9))
        shift = 53 if trial % 5 == 4 else shift  # more than the bits of a float
        top = 2 ** (bits - 1) - 1
        acc = rng.integers(-(2 ** (shift + 1)), 2 ** (shift + bits), 60)
        acc[:8] = (2 * np.arange(-2, 6) + 1) * 2 ** (shift - 1)  # exact halves
        acc[8:16] = acc[:8] - 1  # just below
        came = require.array(
            require.call(nearest, acc, shift, top), "the rounded outputs", shape=(60,)
        )
        require.close(
            came,
            _rounding_reference(acc, shift, top),
            what=f"the outputs for shift {shift} and top {top}",
            do=_LARGE
            if shift > 40
            else "Add half of the step, 1 << (shift - 1), before shifting; clip after it.",
            figure=_rounding_picture(min(shift, 8), top),
        )
    return "it agrees on 20 random arrays, exact halves and negative sums included."


rounding = Exercise(
    "fpga-rounding",
    "Shift with rounding to the nearest, then clip",
    check=_check_rounding,
    hints=(
        "acc >> shift is the floor of acc / 2**shift. What could be added before it?",
        "Half of 2**shift is 1 << (shift - 1).",
        "np.clip((acc + (1 << (shift - 1))) >> shift, 0, top)",
    ),
)


# --- 4. a unit of your own ----------------------------------------------------------------------------
def _simulated(build: Callable, xs: list[int], firsts: list[int]) -> list[int]:
    m, x, first = Module(), Signal(signed(8)), Signal()
    largest = Signal(signed(8))
    m._MustUse__silence = True  # a module that is never built would warn on stderr
    returned = require.call(lambda: build(m, x, first, largest))  # signals must not be copied
    if returned is not m:
        raise Wrong(
            f"expected the module m back, came {type(returned).__name__}; end with return m."
        )
    seen: list[int] = []

    async def bench(ctx: Any) -> None:
        for value, one in zip(xs, firsts, strict=True):
            ctx.set(x, value)
            ctx.set(first, one)
            await ctx.tick()
            ctx.set(x, -1 - value)  # what comes after the tick must not show before the next one
            ctx.set(first, 1 - one)
            seen.append(ctx.get(largest))

    with require.running("your circuit in the simulator"):
        simulator = Simulator(m)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
    return seen


def _max_reference(xs: list[int], firsts: list[int]) -> list[int]:
    out: list[int] = []
    for value, one in zip(xs, firsts, strict=True):
        out.append(value if one or not out else max(value, out[-1]))
    return out


def _check_running_max(build: Callable) -> str:
    rng = require.rng()
    xs = [int(v) for v in rng.integers(-128, 128, 80)]
    xs[:10] = [int(v) for v in rng.integers(-128, -1, 10)]  # a start with negative numbers only
    firsts = [1, *(int(v) for v in rng.random(79) < 0.12)]
    firsts[1:10] = [0] * 9
    firsts[20:23], xs[20:23] = [1, 1, 1], [90, 90 - int(rng.integers(1, 50)), 60]  # again and again
    came, wanted = _simulated(build, xs, firsts), _max_reference(xs, firsts)
    if came != wanted:
        k = next(i for i in range(80) if came[i] != wanted[i])
        picture = panel(
            plot(range(80), xs, color="muted", label="x"), plot(range(80), wanted, label="expected"),
            plot(range(80), came, color="c2", dash="4 3", label="yours"), xlabel="tick", ylabel="value",
            size=(560, 260),
        )  # fmt: skip
        raise Wrong(
            f"after tick {k} (x = {xs[k]}, first = {firsts[k]}) expected {wanted[k]}, came {came[k]}. "
            "Which of the two should be kept, what does first change, and does largest wait for the tick (m.d.sync)?",
            scene(picture),
        )
    return "80 random ticks, negative numbers and restarts included, all right."


running_max = Exercise(
    "fpga-running-max",
    "Add a circuit to m that keeps the running maximum",
    check=_check_running_max,
    hints=(
        "A register keeps its value unless told otherwise: only the ticks on which it changes need a statement.",
        "It changes when first is 1, or when x is larger than what it holds.",
        "with m.If(first | (x > largest)): m.d.sync += largest.eq(x)",
    ),
)
