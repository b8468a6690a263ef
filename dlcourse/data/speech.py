"""A small formant synthesiser: words in, sound and exact labels out.

A pulse train or noise (the source) passes through moving resonances (the filter), as in the
classical model of speech. Formants of the vowels: Peterson and Barney (1952), means of 33 men;
every other constant was set by ear and by eye. Sound is 8 000 samples a second, one label each 10 ms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RATE = 8000  # samples per second, as in telephones and in the free spoken digits
HOP = 80  # samples per frame: 10 ms
BANDS = 24  # mel bands of `log_mel`

# name: duration in ms, voicing, noise, noise centre in Hz, noise width in Hz, formant targets in Hz
_TABLE = {
    "iy": (120, 1.0, 0, 0, 0, ((270, 2290, 3010),)),
    "ih": (90, 1.0, 0, 0, 0, ((390, 1990, 2550),)),
    "eh": (110, 1.0, 0, 0, 0, ((530, 1840, 2480),)),
    "aa": (130, 1.0, 0, 0, 0, ((730, 1090, 2440),)),
    "ao": (130, 1.0, 0, 0, 0, ((570, 840, 2410),)),
    "uw": (120, 1.0, 0, 0, 0, ((300, 870, 2240),)),
    "ah": (90, 1.0, 0, 0, 0, ((640, 1190, 2390),)),
    "ey": (150, 1.0, 0, 0, 0, ((500, 1850, 2480), (330, 2200, 2750))),
    "ay": (170, 1.0, 0, 0, 0, ((720, 1150, 2440), (390, 1990, 2550))),
    "ow": (150, 1.0, 0, 0, 0, ((560, 920, 2400), (330, 870, 2240))),
    "m": (80, 0.35, 0, 0, 0, ((250, 1000, 2200),)),
    "n": (80, 0.35, 0, 0, 0, ((250, 1550, 2500),)),
    "l": (70, 0.6, 0, 0, 0, ((360, 1100, 2800),)),
    "r": (70, 0.6, 0, 0, 0, ((330, 1060, 1400),)),
    "w": (70, 0.6, 0, 0, 0, ((290, 610, 2150),)),
    "s": (110, 0, 0.5, 3600, 500, ()),
    "sh": (110, 0, 0.6, 2500, 600, ()),
    "f": (100, 0, 0.16, 1500, 2500, ()),
    "th": (90, 0, 0.12, 3000, 2000, ()),
    "z": (90, 0.3, 0.35, 3600, 500, ()),
    "v": (70, 0.4, 0.1, 1500, 2500, ()),
    "t": (80, 0, 0.7, 3300, 800, ()),
    "k": (80, 0, 0.7, 1900, 500, ()),
    "p": (80, 0, 0.6, 700, 500, ()),
}
PHONES = ("sil", *_TABLE)  # label 0 is silence
STOPS = ("t", "k", "p")  # silence first, then a burst
DIGITS = {
    "zero": "z iy r ow", "one": "w ah n", "two": "t uw", "three": "th r iy", "four": "f ao r",
    "five": "f ay v", "six": "s ih k s", "seven": "s eh v ah n", "eight": "ey t", "nine": "n ay n",
}  # fmt: skip
TONES = {1: (5, 5), 2: (3, 5), 3: (2, 1, 4), 4: (5, 1)}  # Chao's five pitch levels


@dataclass(frozen=True)
class Speaker:
    """A voice: mean pitch `f0` in Hz, formants times `tract`, durations times `tempo`, `breath` in 0..1."""

    f0: float = 120.0
    tract: float = 1.0
    tempo: float = 1.0
    breath: float = 0.03


@dataclass(frozen=True)
class Utterance:
    """Sound `wave` (n,) float32 in [-1, 1] and what is exactly in it, per frame of 10 ms, T = n / 80.

    `phones`: the names in order, pauses left out. `labels` (T,) int64, places in PHONES.
    `f0` (T,) float32 in Hz, 0 where the voice is silent.
    """

    wave: np.ndarray
    phones: tuple[str, ...]
    labels: np.ndarray
    f0: np.ndarray


def speakers(n: int, seed: int = 0) -> list[Speaker]:
    """`n` voices from low and long (large bodies) to high and short (children)."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0, 1, n)  # a short vocal tract goes with a high voice, not strictly
    f0 = 90 * 2 ** (1.4 * size + rng.normal(0, 0.15, n))
    tract = 0.95 + 0.25 * size + rng.normal(0, 0.02, n)
    tempo, breath = rng.uniform(0.8, 1.25, n), rng.uniform(0.01, 0.08, n)
    return [Speaker(*map(float, row)) for row in zip(f0, tract, tempo, breath, strict=True)]


def say(
    phones: str | Sequence[str],
    speaker: Speaker | None = None,
    seed: int = 0,
    snr: float | None = None,
    tones: Sequence[int] | None = None,
) -> Utterance:
    """Speak a string of phones such as "s iy sil t uw" (50 ms of silence before and after).

    snr: add white noise, so many dB below the speech. tones: one of 1..4 for each vowel, the pitch
    contours of Mandarin; without them the pitch falls slowly. Same arguments, same sound.
    Raises ValueError for an unknown phone or tone, or when tones and vowels differ in number.
    """
    names = _checked(phones)
    speaker, rng = speaker or Speaker(), np.random.default_rng(seed)
    segments = ["sil", *names, "sil"]
    frames = [_duration(name, speaker, rng) for name in segments]
    labels = np.repeat([PHONES.index(name) for name in segments], frames)  # (T,)
    f0 = _pitch(segments, frames, speaker, rng, tones)  # (T,)
    formants, voice, noise, band = _targets(segments, frames, rng)
    wave = _synthesise(formants * speaker.tract, voice, noise, band, f0, speaker, rng)
    if snr is not None:
        power = np.mean(wave**2) / 10 ** (snr / 10)
        wave = wave + rng.normal(0, np.sqrt(power), wave.shape)
    wave = 0.5 * wave / max(np.abs(wave).max(), 1e-9)
    pitch = np.where(voice > 0.1, f0, 0).astype(np.float32)
    return Utterance(
        wave.astype(np.float32), tuple(n for n in names if n != "sil"), labels.astype(int), pitch
    )


def _checked(phones: str | Sequence[str]) -> list[str]:
    names = phones.split() if isinstance(phones, str) else list(phones)
    unknown = [name for name in names if name not in PHONES]
    if unknown or not names:
        raise ValueError(
            f"expected phones among {' '.join(PHONES)}; got {unknown[0]!r}."
            if unknown
            else "expected at least one phone, got none."
        )
    return names


def _duration(name: str, speaker: Speaker, rng: np.random.Generator) -> int:
    """Frames that a phone lasts."""
    if name == "sil":
        return 5
    return max(3, round(_TABLE[name][0] / 10 * speaker.tempo * np.exp(rng.normal(0, 0.15))))


def _is_vowel(name: str) -> bool:
    return name != "sil" and _TABLE[name][1] == 1.0


def _pitch(
    segments: list[str], frames: list[int], speaker: Speaker, rng: np.random.Generator, tones: Sequence[int] | None,
) -> np.ndarray:  # fmt: skip
    """Pitch of each frame (T,) in Hz: a slow fall, or one contour per vowel, joined by straight lines."""
    ends = np.cumsum(frames)
    if tones is None:
        fall = np.linspace(1.1, 0.85, ends[-1])
        return speaker.f0 * fall * 2 ** (0.08 * np.sin(np.arange(ends[-1]) / 9 + rng.uniform(0, 6)))
    vowels = [i for i, name in enumerate(segments) if _is_vowel(name)]
    if len(vowels) != len(tones) or not set(tones) <= set(TONES):
        raise ValueError(
            f"expected one tone of 1, 2, 3, 4 for each of {len(vowels)} vowels; got {tones}."
        )
    at, level = [], []
    for i, tone in zip(vowels, tones, strict=True):
        at += list(np.linspace(ends[i] - frames[i], ends[i] - 1, len(TONES[tone])))
        level += [step + rng.normal(0, 0.3) for step in TONES[tone]]
    return speaker.f0 * 2 ** ((np.interp(np.arange(ends[-1]), at, level) - 3) / 5)


def _targets(
    segments: list[str], frames: list[int], rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Formants (T, 3), voicing (T,), noise (T,) and noise band (T, 2), smoothed: neighbours blend."""
    formants, voice, noise, band = [], [], [], []
    for name, n in zip(segments, frames, strict=True):
        _, v, a, centre, width, goals = _TABLE.get(name, (0, 0, 0, 0, 0, ()))
        path = np.array(goals or ((np.nan,) * 3,), float) * np.exp(rng.normal(0, 0.03))
        where = np.linspace(0, len(path) - 1, n)
        formants.append(np.stack([np.interp(where, range(len(path)), p) for p in path.T], 1))
        loud = np.full(n, a) * ((np.arange(n) >= n - 3) if name in STOPS else 1)
        voice, noise = [*voice, np.full(n, v)], [*noise, loud]
        band.append(np.tile([centre, width or 1000], (n, 1)))
    tracks = np.concatenate(formants)  # (T, 3), NaN where the mouth has no resonance of its own
    known = np.flatnonzero(~np.isnan(tracks[:, 0]))
    if not len(known):  # a hiss alone: a neutral mouth
        tracks[:], known = (500, 1500, 2500), np.arange(len(tracks))
    t = np.arange(len(tracks))
    tracks = np.stack([np.interp(t, known, track[known]) for track in tracks.T], 1)
    smooth = [_smooth(track, 7) for track in tracks.T]
    voice, noise = _smooth(np.concatenate(voice), 3), _smooth(np.concatenate(noise), 3)
    return np.stack(smooth, 1), voice, noise, np.concatenate(band)


def _smooth(x: np.ndarray, width: int) -> np.ndarray:
    window = np.hanning(width + 2)[1:-1]
    return np.convolve(np.pad(x, width // 2, mode="edge"), window / window.sum(), "valid")


def _synthesise(
    formants: np.ndarray, voice: np.ndarray, noise: np.ndarray, band: np.ndarray, f0: np.ndarray, speaker: Speaker,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Source times filter, frame by frame in the frequency domain, overlapped and added: (T · HOP,)."""
    n, size = len(f0) * HOP, 256
    pitch = np.interp(np.arange(n) / HOP, np.arange(len(f0)), f0)
    pulses = np.diff(np.floor(np.cumsum(pitch / RATE)), prepend=0)
    pulses = pulses * np.sqrt(RATE / pitch)  # equal power at any pitch
    hiss = rng.normal(0, 1, n)
    f = np.fft.rfftfreq(size, 1 / RATE)  # Hz, (129,)
    z = np.exp(-2j * np.pi * f / RATE)
    tube = _resonance(np.array([3600.0]), z)  # the fourth formant hardly moves
    for formant in formants.T:
        tube = tube * _resonance(formant, z)  # (T, 129)
    tube = tube * (1 - 0.98 * z) / (1 - 0.95 * z) ** 2  # radiation at the lips, glottal slope
    voiced = voice[:, None] * tube
    hump = 1 / (1 + ((f - band[:, :1]) / band[:, 1:]) ** 2)
    spectra = _pieces(pulses, size) * voiced * 0.3
    spectra += _pieces(hiss, size) * (3 * noise[:, None] * hump + speaker.breath * voiced)
    out = np.zeros(n + size)
    for t, piece in enumerate(np.fft.irfft(spectra, size)):
        out[t * HOP : t * HOP + size] += piece
    return out[HOP // 2 : n + HOP // 2]


def _resonance(centre: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Klatt's two-pole resonator with gain one at 0 Hz, (T, len(z)); 60 Hz wide and more."""
    radius = np.exp(-np.pi * (60 + 0.03 * centre) / RATE)[:, None]
    turn = 2 * radius * np.cos(2 * np.pi * centre / RATE)[:, None]
    return (1 - turn + radius**2) / (1 - turn * z + radius**2 * z**2)


def _pieces(x: np.ndarray, size: int) -> np.ndarray:
    """Spectra of half-overlapping windows that add up to one: (T, size / 2 + 1)."""
    rows = np.lib.stride_tricks.sliding_window_view(np.pad(x, (HOP // 2, 2 * HOP)), 2 * HOP)[::HOP]
    return np.fft.rfft(rows[: len(x) // HOP] * np.hanning(2 * HOP + 1)[:-1], size)


def log_mel(wave: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Loudness in 24 mel bands from 100 to 3 800 Hz, one row each 10 ms: (T, 24) float32.

    Windows of 25 ms round the middle of each frame; natural logarithm; each band minus its mean and divided by its
    spread over the utterance. T = len(wave) * 100 // rate. Raises ValueError for a rate below 8 000.
    """
    if rate < RATE:
        raise ValueError(f"log_mel needs {RATE} samples a second or more, got {rate}.")
    hop, window = rate // 100, rate // 40
    padded = np.pad(np.asarray(wave, float), (window - hop) // 2 + 1)
    rows = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][: len(wave) // hop]
    size = 2 ** int(np.ceil(np.log2(window)))
    power = np.abs(np.fft.rfft(rows * np.hanning(window), size)) ** 2  # (T, size / 2 + 1)
    loud = np.log(power @ _mel_filters(size, rate).T + 1e-6)  # (T, 24)
    return ((loud - loud.mean(0)) / (loud.std(0) + 0.1)).astype(np.float32)


def _mel_filters(size: int, rate: int) -> np.ndarray:
    """Triangles evenly spaced on the mel scale (BANDS, size / 2 + 1)."""
    mel = np.linspace(2595 * np.log10(1 + 100 / 700), 2595 * np.log10(1 + 3800 / 700), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)  # Hz
    f = np.fft.rfftfreq(size, 1 / rate)
    up = (f - edges[:-2, None]) / np.diff(edges)[:-1, None]
    down = (edges[2:, None] - f) / np.diff(edges)[1:, None]
    return np.clip(np.minimum(up, down), 0, None)


@dataclass(frozen=True)
class Corpus:
    """Spoken strings of phones, padded: x (N, T, 24) float32 log-mel, `frames` (N,) how many are real.

    `targets`: per utterance its phones as places in PHONES, without pauses, (U,) int64 each.
    `labels` (N, T) int64: the phone of each frame, -1 where padded. `f0` (N, T) float32 in Hz.
    """

    x: np.ndarray
    frames: np.ndarray
    targets: list[np.ndarray]
    labels: np.ndarray
    f0: np.ndarray


def corpus(
    texts: Sequence[str],
    cast: Sequence[Speaker],
    seed: int = 0,
    snr: float | None = 15,
    tones: Sequence[Sequence[int]] | None = None,
) -> Corpus:
    """Each string of phones of `texts` said once, by the voices of `cast` in turn; see `say`."""
    said = [
        say(text, cast[i % len(cast)], 100_003 * seed + i, snr, tones[i] if tones else None)
        for i, text in enumerate(texts)
    ]
    frames = np.array([len(u.labels) for u in said])
    shape = len(said), int(frames.max())
    x, labels, f0 = np.zeros((*shape, BANDS), np.float32), np.full(shape, -1), np.zeros(shape, "f4")
    for i, u in enumerate(said):
        x[i, : frames[i]], labels[i, : frames[i]] = log_mel(u.wave), u.labels
        f0[i, : frames[i]] = u.f0
    targets = [np.array([PHONES.index(name) for name in u.phones]) for u in said]
    return Corpus(x, frames, targets, labels, f0)
