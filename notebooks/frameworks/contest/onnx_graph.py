"""ONNX Runtime: the training step, gradients included, as one graph of operations (CNTK's idea).

Leaves are inputs and parameters; every other node computes. Nobody differentiates here but us.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """A list of nodes that grows; each method adds nodes and returns the name of the result."""

    def __init__(self):
        self.nodes, self.constants, self.backward = [], {}, []

    def op(self, kind, *inputs, **attributes):
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value):
        name = f"constant{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def total(self, x, *axes):
        return self.op("ReduceSum", x, self.constant(np.array(axes)), keepdims=0)

    def swap(self, x):
        return self.op("Transpose", x, perm=[1, 0, 2, 3])

    def conv(self, x, n):
        def back(d):
            dw = self.swap(self.op("Conv", self.swap(x), self.swap(d)))  # correlate x with d
            return self.op("ConvTranspose", d, n + "_w"), dw, self.total(d, 0, 2, 3)

        self.backward.append((n, back))
        return self.op("Conv", x, n + "_w", n + "_b")

    def dense(self, x, n):
        def back(d):
            return self.op("MatMul", d, n + "_w"), self.op("Gemm", d, x, transA=1), self.total(d, 0)

        self.backward.append((n, back))
        return self.op("Gemm", x, n + "_w", n + "_b", transB=1)

    def tanh(self, x):
        y, one = self.op("Tanh", x), self.constant(np.float32(1))
        slope = self.op("Sub", one, self.op("Mul", y, y))
        self.backward.append((None, lambda d: (self.op("Mul", d, slope),)))
        return y

    def pool(self, x, channels):
        quarter = self.constant(np.full((channels, 1, 2, 2), 0.25, np.float32))
        spread = {"group": channels, "strides": [2, 2]}
        self.backward.append((None, lambda d: (self.op("ConvTranspose", d, quarter, **spread),)))
        return self.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])

    def flatten(self, x):
        shape = self.constant(np.array([-1, 16, 5, 5]))
        self.backward.append((None, lambda d: (self.op("Reshape", d, shape),)))
        return self.op("Flatten", x)

    def loss(self, z, batch):
        log_p = self.op("LogSoftmax", z, axis=1)
        on_off = self.constant(np.array([0, 1], np.float32))
        target = self.op("OneHot", "y", self.constant(np.int64(10)), on_off)
        size = self.constant(np.float32(batch))
        right = self.total(self.op("Mul", log_p, target), 0, 1)
        error = self.op("Sub", self.op("Exp", log_p), target)
        return self.op("Neg", self.op("Div", right, size)), self.op("Div", error, size)

    def update(self, d, lr):
        new, rate = {}, self.constant(np.float32(lr))
        for n, back in reversed(self.backward):  # reverse order: this is backpropagation
            d, *gradients = back(d)
            for name, g in zip((f"{n}_w", f"{n}_b"), gradients, strict=False):
                new[name] = self.op("Sub", name, self.op("Mul", rate, g))
        return new


def contestant(w, lr, mode):
    g = Graph()
    h = g.pool(g.tanh(g.conv("x", "conv1")), 6)
    h = g.flatten(g.pool(g.tanh(g.conv(h, "conv2")), 16))
    h = g.tanh(g.dense(g.tanh(g.dense(h, "fc1")), "fc2"))
    loss, d = g.loss(g.dense(h, "fc3"), batch=64)
    new = g.update(d, lr)
    leaves = {"x": (TensorProto.FLOAT, [64, 1, 32, 32]), "y": (TensorProto.INT64, [64])}
    leaves |= {name: (TensorProto.FLOAT, value.shape) for name, value in w.items()}
    inputs = [helper.make_tensor_value_info(name, *about) for name, about in leaves.items()]
    outputs = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in (loss, *new.values())
    ]
    graph = helper.make_graph(g.nodes, "step", inputs, outputs, list(g.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    p = dict(w)

    def step(x, y):
        nonlocal p
        value, *updated = session.run(None, {"x": x, "y": y, **p})
        p = dict(zip(new, updated, strict=True))
        return value

    return step
