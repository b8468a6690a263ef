"""Data for the course: real data that needs no download, generators, and checked downloads.

`digits`, `glyphs`, `photos`, `toy` and spoken words (`say`, `corpus`) are there at once; `recordings` reads
folders of WAV files; `mnist` and `fashion_mnist` read the original files or fetch them. The data cards of the book tell origin, licence and size of each.
"""

from dlcourse.data.digits import digits
from dlcourse.data.download import MissingData
from dlcourse.data.glyphs import FONTS, glyphs
from dlcourse.data.idx import BadFile, read_idx
from dlcourse.data.lexicon import CLASSES, LEXICON
from dlcourse.data.mnist import fashion_mnist, mnist
from dlcourse.data.photos import Photo, photos
from dlcourse.data.speech import (
    DIGITS,
    PHONES,
    Corpus,
    Speaker,
    Utterance,
    corpus,
    log_mel,
    say,
    speakers,
)
from dlcourse.data.split import Split
from dlcourse.data.toy import separator, toy
from dlcourse.data.wav import Recording, Sound, parse_wav, read_wav, recordings, wav_bytes

__all__ = [
    "CLASSES",
    "DIGITS",
    "FONTS",
    "LEXICON",
    "PHONES",
    "BadFile",
    "Corpus",
    "MissingData",
    "Photo",
    "Recording",
    "Sound",
    "Speaker",
    "Split",
    "Utterance",
    "corpus",
    "digits",
    "fashion_mnist",
    "glyphs",
    "log_mel",
    "mnist",
    "parse_wav",
    "photos",
    "read_idx",
    "read_wav",
    "recordings",
    "say",
    "separator",
    "speakers",
    "toy",
    "wav_bytes",
]
