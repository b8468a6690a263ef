"""Data for the course: real data that needs no download, generators, and checked downloads.

`digits`, `glyphs` and `toy` are there at once; `mnist` and `fashion_mnist` read the original
files or fetch them. The data cards of the book tell origin, licence and size of each.
"""

from dlcourse.data.digits import digits
from dlcourse.data.download import MissingData
from dlcourse.data.glyphs import FONTS, glyphs
from dlcourse.data.idx import BadFile, read_idx
from dlcourse.data.mnist import fashion_mnist, mnist
from dlcourse.data.split import Split
from dlcourse.data.toy import separator, toy

__all__ = [
    "FONTS",
    "BadFile",
    "MissingData",
    "Split",
    "digits",
    "fashion_mnist",
    "glyphs",
    "mnist",
    "read_idx",
    "separator",
    "toy",
]
