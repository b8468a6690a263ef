"""Drawing and plumbing for the chapter on memory without recurrence."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from speech_end_to_end_figures import runs, spectrogram

from dlcourse import data
from dlcourse.figures import fill_between, imshow, panel, plot, scatter, scene, text

TAPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "average": lambda i: np.full(len(i), 1 / len(i)),
    "fading": lambda i: 0.7 ** np.abs(i),
    "change": lambda i: np.sign(i) * -1.0 / max(1, len(i) // 2),
}


def memory_scene(h: np.ndarray, out: np.ndarray, steps: np.ndarray, taps: np.ndarray) -> dict:
    """A signal and its memory over time; the taps below."""
    t = np.arange(len(h))
    signal = panel(
        plot(t, h, color="c2", label="hidden unit h", width=1.5),
        plot(t, out, color="c1", label="its memory"),
        xlabel="step (20 ms)", ylim=(-1.1, 1.3), size=(620, 230),
    )  # fmt: skip
    stems = plot(np.repeat(steps, 3), np.ravel([[0, a, np.nan] for a in taps]), color="c1", width=4)
    weights = panel(
        stems, scatter(steps, taps, color="c1", size=4),
        xlabel="which step (0 is now)", ylabel="tap", xlim=(-11, 11), ylim=(-1.1, 1.1), size=(620, 190),
    )  # fmt: skip
    said = f"{len(taps)} taps per unit; the output waits {20 * int(steps[-1])} ms"
    return scene(signal, weights, text=said)


def pitch_scene(exact: np.ndarray, found: np.ndarray) -> dict:
    """The exact pitch and the estimate, both in Hz and 0 where there is none."""
    t = np.arange(len(exact)) / 100
    line = np.where(exact > 0, exact, np.nan)
    dots = np.where(found > 0, found, np.nan)
    size, top = (620, 260), 1.15 * float(np.nanmax(line))
    return scene(
        panel(
            plot(t, line, color="c2", label="exact"),
            scatter(t, dots, color="c1", size=2.5, label="found"),
            xlabel="time (s)", ylabel="pitch (Hz)", ylim=(60, top), size=size,
        )
    )  # fmt: skip


def training_scene(losses: Sequence[float], steps: int, taps: np.ndarray, back: int) -> dict:
    """The loss and the taps (H, window) of the first memory block."""
    k = np.arange(1, len(losses) + 1)
    curve = panel(
        plot(k[::2], np.asarray(losses)[::2], color="c2", width=1.5),
        xlabel="step", ylabel="loss per frame", xlim=(0, steps), ylim=(0, 3.4), size=(300, 300),
    )  # fmt: skip
    order = np.argsort(taps[:, : back + 1].sum(1) - taps[:, back + 1 :].sum(1))
    extent = (-back - 0.5, taps.shape[1] - back - 0.5, len(taps), 0)
    picture = panel(
        imshow(taps[order], extent, (-0.5, 0.5), cmap="diverging", smooth=False),
        title="taps: blue negative, brown positive", xlabel="step (0 is now)", ylabel="hidden unit, sorted",
        size=(380, 300),
    )  # fmt: skip
    return scene(curve, picture, text=f"training step {len(losses)}")


def stream_scene(
    x: np.ndarray,
    p: np.ndarray,
    steps: int,
    ready: int,
    errors: Mapping[int, Sequence[float]],
    delay: int,
) -> dict:
    """What has arrived of x (T, 24), which phones of p (T / 2, 25) are certain; the errors of several runs."""
    shown = np.where(np.arange(len(x))[:, None] < 2 * steps, x, np.nan)
    certain = [(k, a, b) for k, a, b in runs(p[:ready].argmax(1)) if k] if ready else []
    names = [text((a + b) / 100, 1.2, data.PHONES[k], anchor="middle") for k, a, b in certain]
    wide = len(x) / 100
    sound = spectrogram(shown, "sound that has arrived", size=(620, 230))
    row = panel(
        fill_between([0, ready / 50], 0.2, 2.2, color="c3"), *names,
        title="phones that are certain", xlabel="time (s)", xlim=(0, wide), ylim=(0, 3), yticks={},
        size=(620, 130),
    )  # fmt: skip
    delays = sorted(errors)
    mean = {d: float(np.mean(errors[d])) for d in delays}
    spans = [v for d in delays for v in (min(errors[d]), max(errors[d]), np.nan)]
    price = panel(
        plot(np.repeat(delays, 3), spans, color="c1", width=1.5),
        plot(delays, [mean[d] for d in delays], color="c1"),
        scatter([delay], [mean[delay]], color="c2", size=6, marker="s"),
        xlabel="delay (ms)", ylabel="phone error (%)", ylim=(0, 1.15 * max(map(max, errors.values()))), size=(620, 240),
    )  # fmt: skip
    heard = " ".join(data.PHONES[k] for k, _, _ in certain) or "nothing yet"
    return scene(sound, row, price, text=f"after {steps / 50:.2f} s: {heard} (delay {delay} ms)")


# --- plumbing: pitch as a feature ---------------------------------------------------------------
def with_pitch(x: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """56 frames of x (T, 24) with two more columns: octaves above the median pitch, and if there is one."""
    voiced = f0 > 0
    middle = np.median(f0[voiced]) if voiced.any() else 1.0
    octaves = np.where(voiced, np.log2(np.maximum(f0, 1) / middle), 0)
    rows = np.column_stack([x, 3 * octaves, voiced])[:56].astype(np.float32)
    return np.pad(rows, ((0, 56 - len(rows)), (0, 0)))


def tone_scores(
    net: torch.nn.Module, track: Callable, syllable: str, tone: int, voice: data.Speaker, seed: int
) -> np.ndarray:
    """Log-probabilities (4,) of the tones for one spoken syllable."""
    said = data.say(syllable, voice, 10**6 + seed, snr=15, tones=[tone])
    x = torch.from_numpy(with_pitch(data.log_mel(said.wave), track(said.wave)))
    with torch.no_grad():
        return net(x[None])[0].log_softmax(-1).double().numpy()
