"""The checks of the spiking chapter have been seen failing, and accept right answers in any style."""

import math

import numpy as np
import pytest
import torch

from tests.exercises.chapter import AlwaysEqual, Answers, load_checks, solutions

checks = load_checks("models/spiking")
SOLUTIONS = solutions("models/spiking")


# --- current --------------------------------------------------------------------------------------
def forgets_the_pause(rate, tau, pause):
    return 1 / (1 - math.exp(-1000 / rate / tau))


def in_seconds(rate, tau, pause):
    climb = 1 / rate - pause
    return 1 / (1 - math.exp(-climb / tau)) if climb > 0 else math.inf


def adds_the_pause(rate, tau, pause):
    return 1 / (1 - math.exp(-(1000 / rate + pause) / tau)) if 1000 / rate > pause else math.inf


def answers_the_impossible(rate, tau, pause):
    return 1 / (1 - math.exp(-(1000 / rate - pause) / tau))


def zero_for_the_impossible(rate, tau, pause):
    right = SOLUTIONS["current_solution"](rate, tau, pause)
    return right if math.isfinite(right) else 0.0


def allows_the_bound(rate, tau, pause):
    """A period without a climb, at a very large current."""
    if rate * pause > 1000:
        return math.inf
    return 1 / (1e-12 - math.expm1((pause - 1000 / rate) / tau))


def tau_and_pause_exchanged(rate, tau, pause):
    return SOLUTIONS["current_solution"](rate, pause, tau)


def current_by_expm1(rate, tau, pause):
    with np.errstate(divide="ignore"):
        return -1 / np.expm1(-np.maximum(1000 / np.float64(rate) - pause, 0) / tau)


def current_by_bisection(rate, tau, pause):
    climb = 1000 / rate - pause
    if climb <= 0:
        return np.inf
    low, high = 1.0 + 1e-12, 1e6
    for _ in range(200):
        mid = (low + high) / 2
        low, high = (mid, high) if tau * np.log(mid / (mid - 1)) > climb else (low, mid)
    return mid


# --- nearest -----------------------------------------------------------------------------------------
def all_pairs(t_in, t_out, plus, minus, tau):
    lag = np.subtract.outer(t_out, t_in)
    return float(
        np.where(
            lag > 0, plus * np.exp(-np.abs(lag) / tau), -minus * np.exp(-np.abs(lag) / tau)
        ).sum()
    )


def signs_swapped(t_in, t_out, plus, minus, tau):
    return -SOLUTIONS["nearest_solution"](t_in, t_out, minus, plus, tau)


def only_growth(t_in, t_out, plus, minus, tau):
    return SOLUTIONS["nearest_solution"](t_in, t_out, plus, 0.0, tau)


def nearest_in_both_directions(t_in, t_out, plus, minus, tau):
    if len(t_out) == 0:
        return 0.0
    lags = [t - t_in[np.abs(t_in - t).argmin()] for t in t_out]
    return sum(
        plus * math.exp(-lag / tau) if lag > 0 else -minus * math.exp(lag / tau) for lag in lags
    )


def forgets_plus(t_in, t_out, plus, minus, tau):
    return SOLUTIONS["nearest_solution"](t_in, t_out, 1.0, minus, tau)


def each_pair_once(t_in, t_out, plus, minus, tau):
    """A spike that was looked back to is used up."""
    kept, total = {}, 0.0
    for t, side in sorted([*((t, "in") for t in t_in), *((t, "out") for t in t_out)]):
        before = kept.pop("in" if side == "out" else "out", -math.inf)
        total += math.exp((before - t) / tau) * (plus if side == "out" else -minus)
        kept[side] = t
    return total


def mean_change(t_in, t_out, plus, minus, tau):
    total = SOLUTIONS["nearest_solution"](t_in, t_out, plus, minus, tau)
    return total / max(len(t_in) + len(t_out), 1)


def wraps_around(t_in, t_out, plus, minus, tau):
    def total(at, others):
        return np.exp(-np.abs(at - others[np.searchsorted(others, at) - 1]) / tau).sum()

    return float(plus * total(t_out, t_in) - minus * total(t_in, t_out)) if len(t_out) else 0.0


def nearest_by_merging(t_in, t_out, plus, minus, tau):
    last, total = {"in": -math.inf, "out": -math.inf}, 0.0
    for t, side in sorted([*((t, "in") for t in t_in), *((t, "out") for t in t_out)]):
        other = "out" if side == "in" else "in"
        total += math.exp((last[other] - t) / tau) * (plus if side == "out" else -minus)
        last[side] = t
    return total


# --- burst --------------------------------------------------------------------------------------------
def bucket(spikes, left=np.subtract, held=np.positive):
    """A neuron that sends `spikes` of the potential it has `held`, and goes on with what is `left`."""

    def answer(drive):
        u, out = np.zeros(drive.shape[1]), []
        for row in drive:
            u = held(u + row)
            out.append(spikes(u))
            u = left(u, out[-1])
        return np.array(out)

    return answer


def whole(u):
    return np.maximum(np.floor(u), 0)


one_at_most = bucket(lambda u: (u >= 1).astype(float))
spills_the_rest = bucket(whole, left=lambda u, sent: np.where(sent > 0, 0, u))
forgives_the_debt = bucket(np.floor, held=lambda u: np.maximum(u, 0))
three_at_most = bucket(lambda u: np.clip(np.floor(u), 0, 3))
later_than_the_threshold = bucket(lambda u: np.maximum(np.ceil(u) - 1, 0))


def negative_spikes(drive):
    return np.diff(np.floor(drive.cumsum(0)), axis=0, prepend=0)


def starts_half_full(drive):
    return SOLUTIONS["burst_solution"](np.r_[drive[:1] + 0.5, drive[1:]])


def adds_in_place(drive):
    for t in range(1, len(drive)):
        drive[t] += drive[t - 1] - np.maximum(np.floor(drive[t - 1]), 0)
    return np.maximum(np.floor(drive), 0)


def six_neurons_only(drive):
    u, out = np.zeros(6), []
    for row in drive:
        u = u + row
        out.append(np.maximum(np.floor(u), 0))
        u = u - out[-1]
    return np.array(out)


def burst_in_a_loop(drive):
    out = []
    for column in drive.T.tolist():
        u, sent = 0.0, []
        for d in column:
            u += d
            sent.append(max(math.floor(u), 0))
            u -= sent[-1]
        out.append(sent)
    return [list(row) for row in zip(*out, strict=True)]


def burst_by_running_maximum(drive):
    """All spikes so far are the largest whole number that the summed drive has ever reached."""
    sums = torch.tensor(drive).cumsum(0).floor().clamp(min=0)
    return torch.diff(sums.cummax(0).values, dim=0, prepend=torch.zeros(1, drive.shape[1]))


WRONG = [
    ("current", forgets_the_pause, "no pause"),
    ("current", in_seconds, "seconds and milliseconds", "rate is per second"),
    ("current", adds_the_pause, "the pause on the wrong side"),
    ("current", answers_the_impossible, "a current for an impossible rate"),
    ("current", zero_for_the_impossible, "0 for an impossible rate", "math.inf"),
    ("current", allows_the_bound, "a finite current for a period without a climb", "math.inf"),
    ("current", tau_and_pause_exchanged, "tau and pause exchanged"),
    ("current", lambda rate, tau, pause: AlwaysEqual(1.5), "an object that lies"),
    ("current", lambda rate, tau, pause: math.inf, "always infinite"),
    ("even", 4.6 / 0.9, "no updates"),
    ("even", (4.6 - 20 * 0.9 / 128) / 0.9, "updates as additions"),
    ("even", (4.6 - 4.6 / 128) / 0.9, "one update"),
    ("even", (4.6 * 128 - 20 * 4.6) / 0.9, "additions, not spikes"),
    ("even", 4.0, "rounded away"),
    ("even", 4.3, "one decimal", "two decimals"),
    ("even", 4.3125 / 20, "spikes a step", "each of the 20 steps"),
    ("even", (4.6 - 20 * 4.6) / 0.9, "an update for each target", "once a step"),
    ("even", AlwaysEqual((4.6 - 20 * 4.6 / 128) / 0.9), "an object that lies"),
    ("nearest", all_pairs, "all pairs"),
    ("nearest", signs_swapped, "signs swapped"),
    ("nearest", only_growth, "no depression"),
    ("nearest", forgets_plus, "growth of one"),
    ("nearest", each_pair_once, "each spike looked back to once"),
    ("nearest", mean_change, "the mean change"),
    ("nearest", nearest_in_both_directions, "the nearest, before or after"),
    ("nearest", wraps_around, "index −1 for a spike with nothing before it"),
    ("nearest", lambda t_in, t_out, plus, minus, tau: 0.0, "always zero"),
    ("nearest", lambda t_in, t_out, plus, minus, tau: AlwaysEqual(0.0), "an object that lies"),
    ("burst", one_at_most, "one spike a step"),
    ("burst", spills_the_rest, "reset to zero"),
    ("burst", negative_spikes, "negative spikes"),
    ("burst", forgives_the_debt, "a negative potential forgotten"),
    ("burst", three_at_most, "three spikes a step"),
    ("burst", starts_half_full, "half full at first"),
    ("burst", adds_in_place, "changes its input", "changed its input"),
    ("burst", six_neurons_only, "six neurons"),
    ("burst", later_than_the_threshold, "only above the threshold"),
    ("burst", lambda drive: np.floor(np.maximum(drive, 0)), "no memory"),
    ("burst", lambda drive: AlwaysEqual(np.zeros(drive.shape)), "an object that lies"),
]


RIGHT = [
    ("current", current_by_bisection),
    ("current", current_by_expm1),
    ("even", torch.tensor(4.313)),
    ("even", 4.31),
    ("nearest", nearest_by_merging),
    ("burst", burst_by_running_maximum),
    ("burst", burst_in_a_loop),
]


class TestAnswers(Answers):
    checks, solutions = checks, SOLUTIONS
    wrong, right = WRONG, RIGHT


@pytest.mark.parametrize("seed", range(3))
def test_the_chapters_adam_is_torchs(seed: int) -> None:
    """Two nets side by side, as the notebook trains them, against torch.optim.Adam on each net alone."""
    ordinary, digits = SOLUTIONS["ordinary"], SOLUTIONS["digits"]
    SOLUTIONS["SIZES"] = (64, 32, 32, 10)
    seeds, rates = [seed, seed + 10], [0.01, 0.03]
    ours = SOLUTIONS["Training"](ordinary, seeds, rates)
    for _ in range(10):
        ours.step()
    for s, rate in zip(seeds, rates, strict=True):
        W = [w.requires_grad_() for w in SOLUTIONS["start"]([s])]
        theirs, (x, y) = torch.optim.Adam(W, lr=rate), digits([s], "train")
        g = torch.Generator().manual_seed(s)
        for _ in range(10):
            pick = torch.randint(x.shape[1], (32,), generator=g)
            theirs.zero_grad()
            torch.nn.functional.cross_entropy(ordinary(x[:, pick], W)[0], y[0, pick]).backward()
            theirs.step()
        row = seeds.index(s)
        assert all(torch.allclose(a[row], b[0], atol=1e-4) for a, b in zip(ours.W, W, strict=True))
