"""WAV files in and out, sound on the page, and folders of recorded words."""

import base64
import html
import io
import wave
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np

from dlcourse.data.download import MissingData
from dlcourse.data.idx import BadFile
from dlcourse.data.speech import DIGITS, RATE, say, speakers


def wav_bytes(sound: np.ndarray, rate: int = RATE) -> bytes:
    """A mono 16-bit PCM file of `sound` (n,) in [-1, 1]; louder parts are clipped."""
    buffer, pcm = io.BytesIO(), np.round(np.clip(sound, -1, 1) * 32767).astype("<i2")
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.tobytes())
    return buffer.getvalue()


def read_wav(path: str | Path) -> tuple[np.ndarray, int]:
    """Sound (n,) float32 in [-1, 1] and samples per second of a WAV file; see `parse_wav`.

    Raises FileNotFoundError, or BadFile (a ValueError) when it is no PCM WAV file or cut short.
    """
    return parse_wav(Path(path).read_bytes(), str(path))


def parse_wav(raw: bytes, name: str = "the sound") -> tuple[np.ndarray, int]:
    """Sound (n,) float32 in [-1, 1] and samples per second from 8- or 16-bit PCM; stereo is averaged."""
    try:
        with wave.open(io.BytesIO(raw)) as file:
            channels, width, rate, frames = file.getparams()[:4]
            pcm = file.readframes(frames)
    except (wave.Error, EOFError) as error:
        raise BadFile(
            f"{name} is no PCM WAV file ({str(error) or 'it ends early'}); convert it to 16-bit PCM."
        ) from error
    if width not in (1, 2):
        raise BadFile(f"{name} has {8 * width} bits a sample; convert it to 16-bit PCM.")
    if len(pcm) != channels * width * frames or not frames:
        raise BadFile(
            f"{name} is cut short or empty: its header announces {frames} samples, "
            f"{len(pcm) // (channels * width)} are there; get it again."
        )
    values = np.frombuffer(pcm, np.uint8 if width == 1 else "<i2").astype(np.float32)
    values = (values - 128) / 128 if width == 1 else values / 32768
    return values.reshape(-1, channels).mean(1), rate


@dataclass(frozen=True)
class Recording:
    """One spoken word: `wave` (n,) float32 at 8 000 samples a second, the `word`, the `speaker`'s name."""

    wave: np.ndarray
    word: str
    speaker: str


def recordings(folder: str | Path | None = None, seed: int = 0) -> list[Recording]:
    """Spoken digits from WAV files named `7_name_0.wav` (digit, speaker, take), in the order of their names.

    This is how the Free Spoken Digit Dataset names its files. Any rate is brought to 8 000 Hz. Without a
    folder the synthesiser speaks: six voices, two takes of each digit. Raises MissingData when the
    folder is not there or has no file of such a name, BadFile for a damaged file.
    """
    if folder is None:
        return _spoken(seed)
    home = Path(folder).expanduser()
    files = sorted(home.glob("[0-9]_*_*.wav"))
    if not files:
        trouble = "has no file named like 7_name_0.wav" if home.is_dir() else "is no folder"
        raise MissingData(
            f"{home} {trouble}: expected WAV files named digit_speaker_take.wav; check the path, "
            "or leave the folder out to use synthetic voices."
        )
    names = tuple(DIGITS)
    return [
        Recording(_at_rate(*read_wav(f)), names[int(f.name[0])], f.stem.split("_")[1])
        for f in files
    ]


def _at_rate(sound: np.ndarray, rate: int) -> np.ndarray:
    if rate == RATE:
        return sound
    from scipy.signal import resample_poly

    common = gcd(rate, RATE)
    return resample_poly(sound, RATE // common, rate // common).astype(np.float32)


def _spoken(seed: int) -> list[Recording]:
    cast = [(f"voice{i}", voice) for i, voice in enumerate(speakers(6, seed + 1000))]
    takes = [(word, who, voice, k) for word in DIGITS for who, voice in cast for k in range(2)]
    return [
        Recording(say(DIGITS[word], voice, seed=1000 * seed + i, snr=20).wave, word, who)
        for i, (word, who, voice, _) in enumerate(takes)
    ]


class Sound:
    """A player for a notebook and for a page: the sound travels inside the page, `text` says what is heard."""

    def __init__(self, sound: np.ndarray, text: str, rate: int = RATE) -> None:
        """Refuse sounds above 220 kB (13 seconds at 8 000 Hz) and an empty text."""
        self.wav, self.text = wav_bytes(sound, rate), text
        if len(self.wav) > 220_000 or not text.strip():
            raise ValueError(
                f"expected at most 220 000 bytes of sound and a text that says what is heard; "
                f"got {len(self.wav)} bytes and {text!r}."
            )

    def __repr__(self) -> str:
        """What is heard."""
        return f"Sound: {self.text}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        source = base64.b64encode(self.wav).decode()
        text = html.escape(self.text)
        page = (
            f'<figure style="margin:.4rem 0"><audio controls preload="metadata" aria-label="{text}" '
            f'style="max-width:100%" src="data:audio/wav;base64,{source}"></audio>'
            f"<figcaption>{text}</figcaption></figure>"
        )
        return {"text/plain": repr(self), "text/html": page}
