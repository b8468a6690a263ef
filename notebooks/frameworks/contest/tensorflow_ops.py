"""TensorFlow from raw operations: eager (define-by-run), traced to a graph, or compiled by XLA."""

import tensorflow as tf
from layouts import channels_last


def contestant(w, lr, mode):
    p = {name: tf.Variable(channels_last(name, value)) for name, value in w.items()}

    def pool(h):
        return tf.nn.avg_pool2d(h, 2, 2, "VALID")

    def forward(x):
        h = pool(tf.tanh(tf.nn.conv2d(x, p["conv1_w"], 1, "VALID") + p["conv1_b"]))
        h = pool(tf.tanh(tf.nn.conv2d(h, p["conv2_w"], 1, "VALID") + p["conv2_b"]))
        h = tf.reshape(h, [-1, 400])
        h = tf.tanh(h @ p["fc1_w"] + p["fc1_b"])
        h = tf.tanh(h @ p["fc2_w"] + p["fc2_b"])
        return h @ p["fc3_w"] + p["fc3_b"]

    def train(x, y):
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, forward(x))
            loss = tf.reduce_mean(losses)
        for v, g in zip(p.values(), tape.gradient(loss, list(p.values())), strict=True):
            v.assign_sub(lr * g)
        return loss

    if mode != "eager":
        train = tf.function(train, jit_compile=mode == "xla")

    def step(x, y):
        return train(tf.constant(x.transpose(0, 2, 3, 1)), tf.constant(y)).numpy()

    return step
