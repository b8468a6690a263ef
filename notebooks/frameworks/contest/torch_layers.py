"""PyTorch: layers are objects; the graph is recorded while the forward pass runs (define-by-run)."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy


def contestant(w, lr, mode):
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    ).to(torch.float64 if mode == "float64" else torch.float32)  # fmt: skip
    for parameter, value in zip(net.parameters(), w.values(), strict=True):
        parameter.data.copy_(torch.from_numpy(value))
    optimizer = torch.optim.SGD(net.parameters(), lr)
    forward = torch.compile(net) if mode == "compile" else net

    def step(x, y):
        x = torch.from_numpy(x).to(next(net.parameters()).dtype)
        loss = cross_entropy(forward(x), torch.from_numpy(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
