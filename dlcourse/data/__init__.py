"""Data for the course: real data that needs no download, generators, and checked downloads.

`digits`, `glyphs` and `toy` are there at once. See `book/data_cards.md` for origin and licence.
"""

from dlcourse.data.digits import digits
from dlcourse.data.glyphs import FONTS, glyphs
from dlcourse.data.split import Split
from dlcourse.data.toy import separator, toy

__all__ = ["FONTS", "Split", "digits", "glyphs", "separator", "toy"]
