"""Gated recurrent cells, derived in notebooks/models/lstm_gru.ipynb."""

import torch
from torch import Tensor, nn


class LSTMCell(nn.Module):
    """One step of an LSTM: x (N, D) and (h, c), each (N, H), to the next (h, c).

    The rows of the 4H sums stand in PyTorch's order i, f, a, o (Hochreiter & Schmidhuber 1997,
    with the forget gate of Gers et al. 2000).
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        """Set up D = `inputs` and H = `hidden` with PyTorch's initial weights."""
        super().__init__()
        self.x = nn.Linear(inputs, 4 * hidden)  # weight (4H, D)
        self.h = nn.Linear(hidden, 4 * hidden, bias=False)  # weight (4H, H)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return the next hidden state and cell, each (N, H)."""
        h, c = state
        i, f, a, o = (self.x(x) + self.h(h)).chunk(4, -1)  # (N, H) each
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(a)  # (N, H)
        h = torch.sigmoid(o) * torch.tanh(c)  # (N, H)
        return h, c


class GRUCell(nn.Module):
    """One step of a GRU, reset after the product: x (N, D) and h (N, H) to the next h.

    The variant of cuDNN and PyTorch; Cho et al. (2014) reset before the product.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        """Set up D = `inputs` and H = `hidden` with PyTorch's initial weights."""
        super().__init__()
        self.x = nn.Linear(inputs, 3 * hidden)  # weight (3H, D)
        self.h = nn.Linear(hidden, 3 * hidden)  # weight (3H, H); of its bias, a third is needed

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """Return the next hidden state (N, H)."""
        rx, zx, nx = self.x(x).chunk(3, -1)  # (N, H) each
        rh, zh, nh = self.h(h).chunk(3, -1)
        r, z = torch.sigmoid(rx + rh), torch.sigmoid(zx + zh)
        n = torch.tanh(nx + r * nh)
        return (1 - z) * n + z * h  # (N, H)
