"""TensorFlow as the surveys knew it: first a graph with placeholders, then a session that runs it."""

import tensorflow.compat.v1 as tf
from layouts import channels_last


def contestant(w, lr, mode):
    tf.disable_v2_behavior()
    x = tf.placeholder(tf.float32, [None, 32, 32, 1])
    y = tf.placeholder(tf.int64, [None])
    p = {name: tf.Variable(channels_last(name, value)) for name, value in w.items()}

    def pool(h):
        return tf.nn.avg_pool2d(h, 2, 2, "VALID")

    h = pool(tf.tanh(tf.nn.conv2d(x, p["conv1_w"], 1, "VALID") + p["conv1_b"]))
    h = pool(tf.tanh(tf.nn.conv2d(h, p["conv2_w"], 1, "VALID") + p["conv2_b"]))
    h = tf.reshape(h, [-1, 400])
    h = tf.tanh(h @ p["fc1_w"] + p["fc1_b"])
    h = tf.tanh(h @ p["fc2_w"] + p["fc2_b"])
    z = h @ p["fc3_w"] + p["fc3_b"]
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=z)
    loss = tf.reduce_mean(losses)
    train = tf.train.GradientDescentOptimizer(lr).minimize(loss)
    session = tf.Session()
    session.run(tf.global_variables_initializer())

    def step(bx, by):
        return session.run([loss, train], {x: bx.transpose(0, 2, 3, 1), y: by})[0]

    return step
