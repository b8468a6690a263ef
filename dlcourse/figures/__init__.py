"""One figure, two hosts: live in JupyterLab, recorded on the published page.

A figure is made of scenes (:mod:`.marks`). `Explorer` and `LiveTraining` compute them in the kernel
while somebody watches, and write down a grid of them for a page without a kernel.
"""

from .controls import Choice, Slider
from .curves import curves
from .explorer import Explorer, Picture, Still, picture, show
from .marks import bar, fill_between, imshow, panel, plot, quiver, scatter, scene, text
from .training import LiveTraining

__all__ = [
    "Choice", "Explorer", "LiveTraining", "Picture", "Slider", "Still", "bar", "curves", "fill_between",
    "imshow", "panel", "picture", "plot", "quiver", "scatter", "scene", "show", "text",
]  # fmt: skip
