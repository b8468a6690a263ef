"""Finished models that later chapters use again; each is derived in its own chapter.

A test compares every class and function here with the chapter's: the same code once docstrings
are left out.
"""

from dlcourse.models.lenet import LeNet5
from dlcourse.models.rbm import RBM, contrast, draw, gibbs, sigmoid, softplus
from dlcourse.models.recurrent import GRUCell, LSTMCell

__all__ = ["GRUCell", "LSTMCell", "LeNet5"]
__all__ += ["RBM", "contrast", "draw", "gibbs", "sigmoid", "softplus"]
