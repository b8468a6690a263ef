"""Plumbing of the course: data, training loop, figures, exercises, claims.

The submodules load what they need when they are imported; importing the package itself loads
neither torch, matplotlib nor ipywidgets.
"""

__version__ = "0.1.0"
