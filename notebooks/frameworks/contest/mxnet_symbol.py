"""MXNet, the declarative half: a Symbol is bound to memory; the update runs in its key-value store."""

import mxnet as mx
from mxnet import nd, sym


def contestant(w, lr, mode):
    def layer(h, kernel, filters, name):
        h = sym.Convolution(h, kernel=(kernel, kernel), num_filter=filters, name=name)
        h = sym.Activation(h, act_type="tanh")
        return sym.Pooling(h, kernel=(2, 2), stride=(2, 2), pool_type="avg")

    h = sym.flatten(layer(layer(sym.var("data"), 5, 6, "conv1"), 5, 16, "conv2"))
    h = sym.Activation(sym.FullyConnected(h, num_hidden=120, name="fc1"), act_type="tanh")
    h = sym.Activation(sym.FullyConnected(h, num_hidden=84, name="fc2"), act_type="tanh")
    z = sym.FullyConnected(h, num_hidden=10, name="fc3")
    out = sym.SoftmaxOutput(z, name="softmax", normalization="batch")
    net = out.simple_bind(mx.cpu(), data=(64, 1, 32, 32), softmax_label=(64,))
    store = mx.kv.create("local")
    store.set_optimizer(mx.optimizer.SGD(learning_rate=lr))
    names = {n.replace("_w", "_weight").replace("_b", "_bias"): v for n, v in w.items()}
    for name, value in names.items():
        net.arg_dict[name][:] = value
        store.init(name, net.arg_dict[name])

    def step(x, y):
        p = net.forward(is_train=True, data=nd.array(x), softmax_label=nd.array(y))[0]
        loss = -nd.log(nd.pick(p, nd.array(y))).mean()
        net.backward()
        for name in names:
            store.push(name, net.grad_dict[name])  # the gradient goes in,
            store.pull(name, net.arg_dict[name])  # the updated weight comes out
        return loss.asscalar()

    return step
