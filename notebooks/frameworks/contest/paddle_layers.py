"""Paddle: layers as in PyTorch, run as they are or turned into a static program (`static`)."""

import paddle
from paddle import nn


def contestant(w, lr, mode):
    net = nn.Sequential(
        nn.Conv2D(1, 6, 5), nn.Tanh(), nn.AvgPool2D(2),
        nn.Conv2D(6, 16, 5), nn.Tanh(), nn.AvgPool2D(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip
    for parameter, (name, value) in zip(net.parameters(), w.items(), strict=True):
        parameter.set_value(value.T if name.startswith("fc") else value)  # dense: (in, out)
    optimizer = paddle.optimizer.SGD(lr, parameters=net.parameters())
    forward = paddle.jit.to_static(net) if mode == "static" else net

    def step(x, y):
        loss = nn.functional.cross_entropy(forward(paddle.to_tensor(x)), paddle.to_tensor(y))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        return loss.item()

    return step
