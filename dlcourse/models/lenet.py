"""LeNet-5, derived in notebooks/models/convolution.ipynb."""

import torch.nn.functional as F
from torch import Tensor, nn


class LeNet5(nn.Module):
    """LeNet-5 as it is built today, for images (n, 1, 32, 32): 61 706 parameters at ten classes.

    The layers of LeCun et al. (1998) with ReLU, max-pooling, a C3 that sees all six maps of S2
    and plain scores as output. Derived in notebooks/models/convolution.ipynb.
    """

    def __init__(self, classes: int = 10) -> None:
        """Set up three convolutions and two dense layers with PyTorch's initial weights."""
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.out = nn.Linear(84, classes)

    def layers(self, x: Tensor) -> dict[str, Tensor]:
        """Return the activations of every layer, in computing order, for x (n, 1, 32, 32)."""
        c1 = F.relu(self.c1(x))  # (n, 6, 28, 28)
        s2 = F.max_pool2d(c1, 2)  # (n, 6, 14, 14)
        c3 = F.relu(self.c3(s2))  # (n, 16, 10, 10)
        s4 = F.max_pool2d(c3, 2)  # (n, 16, 5, 5)
        c5 = F.relu(self.c5(s4)).flatten(1)  # (n, 120)
        f6 = F.relu(self.f6(c5))  # (n, 84)
        return {"C1": c1, "S2": s2, "C3": c3, "S4": s4, "C5": c5, "F6": f6, "output": self.out(f6)}

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores (n, classes) of images x (n, 1, 32, 32)."""
        return self.layers(x)["output"]
