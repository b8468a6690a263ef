"""The synthesiser says what its labels claim; sounds survive the way to a file and back; bad files get a sentence."""

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from dlcourse import data
from dlcourse.data.speech import HOP, RATE, TONES


def test_same_arguments_same_sound() -> None:
    one, two = (data.say("s iy", seed=3, snr=10) for _ in range(2))
    assert np.array_equal(one.wave, two.wave)
    assert not np.array_equal(one.wave, data.say("s iy", seed=4, snr=10).wave[: len(one.wave)])


def test_labels_fit_the_sound_frame_by_frame() -> None:
    said = data.say("s iy sil t uw", seed=0)
    assert said.wave.dtype == np.float32 and np.abs(said.wave).max() <= 0.5 + 1e-6
    assert len(said.wave) == HOP * len(said.labels) == HOP * len(said.f0)
    changes = said.labels[np.r_[True, np.diff(said.labels) != 0]]
    assert [data.PHONES[k] for k in changes] == ["sil", "s", "iy", "sil", "t", "uw", "sil"]
    assert said.phones == ("s", "iy", "t", "uw")


# a phone, its first two formants, and for each a place between formants that must be weaker (Hz)
PEAKS = [("iy", (270, 1000), (2290, 1300)), ("aa", (730, 1800), (1090, 1800)), ("uw", (300, 1500), (870, 1500))]  # fmt: skip


@pytest.mark.parametrize(("phone", "first", "second"), PEAKS)
def test_vowels_have_their_formants(phone: str, first: tuple, second: tuple) -> None:
    """The long-term spectrum of a breathy vowel is strong at the formants of Peterson and Barney."""
    voice = data.Speaker(100, breath=0.5)
    wave = np.concatenate([data.say(phone, voice, seed=i).wave for i in range(6)])
    rows = wave[: len(wave) // 400 * 400].reshape(-1, 400) * np.hanning(400)
    power, f = (np.abs(np.fft.rfft(rows)) ** 2).mean(0), np.fft.rfftfreq(400, 1 / RATE)
    for peak, valley in (first, second):
        strong, weak = (power[np.abs(f - at) < 120].mean() for at in (peak, valley))
        assert strong > 3 * weak, (peak, valley)


@pytest.mark.parametrize("f0", [100.0, 160.0, 250.0])
def test_the_pitch_is_in_the_sound(f0: float) -> None:
    said = data.say("aa", data.Speaker(f0), seed=1)
    middle = len(said.f0) // 2
    piece = said.wave[middle * HOP - 400 : middle * HOP + 400] * np.hanning(800)
    r = np.correlate(piece, piece, "full")[799:]
    lag = 26 + int(np.argmax(r[26:115]))  # 70 to 307 Hz
    assert abs(RATE / lag / said.f0[middle] - 1) < 0.08


def test_tones_move_the_pitch_and_are_counted() -> None:
    ends = {}
    for tone in TONES:
        voiced = data.say("m aa", seed=0, tones=[tone]).f0
        voiced = voiced[voiced > 0]
        ends[tone] = voiced[-4:].mean() / voiced[8:12].mean()
    assert ends[2] > 1.05 > 0.95 > ends[4] and ends[3] > 1
    with pytest.raises(ValueError, match="one tone"):
        data.say("m aa m aa", tones=[1])


def test_noise_has_the_level_asked_for() -> None:
    clean, noisy = data.say("s iy", seed=2), data.say("s iy", seed=2, snr=0)
    scale = noisy.wave @ clean.wave / (clean.wave @ clean.wave)
    noise = noisy.wave - scale * clean.wave
    assert abs(10 * np.log10(np.mean((scale * clean.wave) ** 2) / np.mean(noise**2))) < 0.6


@pytest.mark.parametrize("bad", ["s xx", "", []])
def test_unknown_phones_are_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        data.say(bad)


def test_the_lexicon_can_be_spoken() -> None:
    assert len(data.LEXICON) == sum(map(len, data.CLASSES.values())) > 200
    assert {p for phones in data.LEXICON.values() for p in phones.split()} <= set(data.PHONES)
    assert data.LEXICON["two"] == data.LEXICON["to"]


def test_log_mel_has_one_row_per_frame_and_levels_each_band() -> None:
    t = np.arange(RATE) / RATE
    x = data.log_mel(np.sin(2 * np.pi * 1000 * t) * (t > 0.5))
    assert x.shape == (100, 24) and x.dtype == np.float32
    assert np.abs(x.mean(0)).max() < 1e-3
    assert np.abs(data.log_mel(np.zeros(RATE))).max() < 1e-6
    with pytest.raises(ValueError, match="samples a second"):
        data.log_mel(np.zeros(100), 4000)


def test_a_corpus_is_padded_and_labelled() -> None:
    made = data.corpus(["s iy", "t uw l eh t r"], data.speakers(2), seed=1)
    assert made.x.shape == (2, made.frames.max(), 24) and made.labels.shape == made.x.shape[:2]
    for i, n in enumerate(made.frames):
        assert (made.labels[i, :n] >= 0).all() and (made.labels[i, n:] == -1).all()
    assert [len(t) for t in made.targets] == [2, 6]


# --- files ----------------------------------------------------------------------------------------
def test_wav_round_trip(tmp_path: Path) -> None:
    sound = data.say("s iy", seed=0).wave
    (tmp_path / "a.wav").write_bytes(data.wav_bytes(sound))
    back, rate = data.read_wav(tmp_path / "a.wav")
    assert rate == RATE and np.abs(back - sound).max() < 1e-4


def write(path: Path, width: int, channels: int, rate: int, pcm: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)


def test_eight_bits_and_stereo_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 1, 1, 8000, bytes([0, 128, 255]))
    assert np.allclose(data.read_wav(tmp_path / "a.wav")[0], [-1, 0, 127 / 128])
    write(tmp_path / "b.wav", 2, 2, 8000, np.array([100, 300, -200, 0], "<i2").tobytes())
    assert np.allclose(data.read_wav(tmp_path / "b.wav")[0] * 32768, [200, -100])


def damaged() -> dict[str, bytes]:
    whole = data.wav_bytes(np.zeros(100))
    floats = bytearray(whole)
    floats[20] = 3  # format tag 3: floating point
    return {
        "text": b"hello",
        "empty": b"",
        "cut in the header": whole[:30],
        "cut in the samples": whole[:-50],
        "no samples": data.wav_bytes(np.zeros(0)),
        "floating point": bytes(floats),
    }


@pytest.mark.parametrize("kind", list(damaged()))
def test_a_bad_file_gets_one_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "7_ann_0.wav"
    path.write_bytes(damaged()[kind])
    for read in (lambda: data.read_wav(path), lambda: data.recordings(tmp_path)):
        with pytest.raises(data.BadFile) as caught:
            read()
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_24_bits_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 3, 1, 8000, bytes(30))
    with pytest.raises(data.BadFile, match="24 bits"):
        data.read_wav(tmp_path / "a.wav")


def test_a_folder_of_recordings(tmp_path: Path) -> None:
    sound = np.sin(np.arange(16000) / 20).astype(np.float32)
    (tmp_path / "7_jackson_32.wav").write_bytes(data.wav_bytes(sound, 16000))
    (tmp_path / "0_ann_1.wav").write_bytes(data.wav_bytes(sound[:800]))
    (tmp_path / "notes.txt").write_text("not a sound")
    zero, seven = data.recordings(tmp_path)
    assert (zero.word, zero.speaker, seven.word, seven.speaker) == (
        "zero",
        "ann",
        "seven",
        "jackson",
    )
    assert len(seven.wave) == 8000 and len(zero.wave) == 800


def test_missing_folders_and_names_get_a_sentence(tmp_path: Path) -> None:
    for folder, words in (
        (tmp_path / "nowhere", "is no folder"),
        (tmp_path, "has no file named like"),
    ):
        with pytest.raises(data.MissingData, match=words):
            data.recordings(folder)


def test_without_a_folder_the_synthesiser_speaks() -> None:
    spoken = data.recordings()
    assert len(spoken) == 120 and len({r.speaker for r in spoken}) == 6
    assert {r.word for r in spoken} == set(data.DIGITS)


def test_a_sound_on_the_page_is_described_small_and_stable() -> None:
    wave = data.say("s iy", seed=0).wave
    one, two = (data.Sound(wave, 'see <"now">')._repr_mimebundle_() for _ in range(2))
    assert (
        one == two
        and "controls" in one["text/html"]
        and "data:audio/wav;base64," in one["text/html"]
    )
    assert "&lt;&quot;now&quot;&gt;" in one["text/html"] and len(one["text/html"]) < 300_000
    with pytest.raises(ValueError, match="text that says"):
        data.Sound(wave, " ")
    with pytest.raises(ValueError, match="at most"):
        data.Sound(np.zeros(RATE * 20), "silence")


def test_importing_data_stays_light() -> None:
    code = "import sys, dlcourse.data; print([m for m in ('torch', 'scipy', 'matplotlib', 'sklearn') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
