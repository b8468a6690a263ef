"""MXNet, the imperative half: Gluon layers, run as they are or cached as a graph (`hybrid`)."""

from mxnet import autograd, gluon, nd
from mxnet.gluon import nn


def contestant(w, lr, mode):
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(6, 5, activation="tanh"), nn.AvgPool2D(), nn.Conv2D(16, 5, activation="tanh"),
        nn.AvgPool2D(), nn.Dense(120, activation="tanh"), nn.Dense(84, activation="tanh"), nn.Dense(10),
    )  # fmt: skip
    net.initialize()
    net(nd.zeros((1, 1, 32, 32)))  # the shapes are inferred by the first call
    for parameter, value in zip(net.collect_params().values(), w.values(), strict=True):
        parameter.set_data(nd.array(value))
    if mode == "hybrid":
        net.hybridize()
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": lr})

    def step(x, y):
        with autograd.record():
            loss = loss_of(net(nd.array(x)), nd.array(y))
        loss.backward()
        trainer.step(len(x))
        return loss.mean().asscalar()

    return step
