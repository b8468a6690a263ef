"""Theano, the original: formulas first; `function` simplifies them, writes C and compiles it."""

import theano
import theano.tensor as T
from theano.tensor.nnet import conv2d
from theano.tensor.signal.pool import pool_2d


def contestant(w, lr, mode):
    x, y = T.tensor4("x"), T.lvector("y")
    p = {name: theano.shared(value, name) for name, value in w.items()}

    def conv(h, n):  # filter_flip=False: a correlation, as everybody else computes it
        bias = p[n + "_b"].dimshuffle("x", 0, "x", "x")
        return conv2d(h, p[n + "_w"], filter_flip=False) + bias

    def pool(h):
        return pool_2d(h, ws=(2, 2), ignore_border=True, mode="average_exc_pad")

    h = pool(T.tanh(conv(x, "conv1")))
    h = pool(T.tanh(conv(h, "conv2"))).flatten(2)
    h = T.tanh(T.dot(h, p["fc1_w"].T) + p["fc1_b"])
    h = T.tanh(T.dot(h, p["fc2_w"].T) + p["fc2_b"])
    z = T.dot(h, p["fc3_w"].T) + p["fc3_b"]
    z = z - z.max(1, keepdims=True)
    loss = (T.log(T.exp(z).sum(1)) - z[T.arange(y.shape[0]), y]).mean()
    gradients = zip(p.values(), theano.grad(loss, list(p.values())), strict=True)
    updates = [(v, (v - lr * g).astype("float32")) for v, g in gradients]
    return theano.function([x, y], loss, updates=updates)
