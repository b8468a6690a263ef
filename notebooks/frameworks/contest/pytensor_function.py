"""PyTensor, Theano's living successor: the same idea, but no convolution layer, so we write one."""

import numpy as np
import pytensor
import pytensor.tensor as pt


def contestant(w, lr, mode):
    x, y = pt.tensor4("x", dtype="float32"), pt.lvector("y")
    p = {name: pytensor.shared(value, name) for name, value in w.items()}

    def conv(h, n, side):  # gather every 5 × 5 window (im2col), then one matrix product
        out, (k, c) = side - 4, w[n + "_w"].shape[:2]
        i, j = np.divmod(np.arange(25), 5)
        row, column = np.divmod(np.arange(out * out), out)
        windows = (row + i[:, None]) * side + column + j[:, None]  # (25, out²)
        columns = h.reshape((-1, c, side * side))[:, :, windows].reshape((-1, c * 25, out * out))
        sums = p[n + "_w"].reshape((k, c * 25)) @ columns + p[n + "_b"][:, None]
        return sums.reshape((-1, k, out, out))

    def pool(h):
        return sum(h[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)) * np.float32(0.25)

    h = pool(pt.tanh(conv(x, "conv1", 32)))
    h = pool(pt.tanh(conv(h, "conv2", 14))).reshape((-1, 400))
    h = pt.tanh(h @ p["fc1_w"].T + p["fc1_b"])
    h = pt.tanh(h @ p["fc2_w"].T + p["fc2_b"])
    z = h @ p["fc3_w"].T + p["fc3_b"]
    loss = -pt.special.log_softmax(z, axis=1)[pt.arange(y.shape[0]), y].mean()
    gradients = zip(p.values(), pytensor.grad(loss, list(p.values())), strict=True)
    updates = [(v, (v - lr * g).astype("float32")) for v, g in gradients]
    return pytensor.function([x, y], loss, updates=updates)
