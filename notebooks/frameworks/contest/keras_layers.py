"""Keras: a list of layers; PyTorch, TensorFlow or JAX does the work underneath (KERAS_BACKEND)."""

import keras
from keras import layers
from layouts import channels_last


def contestant(w, lr, mode):
    net = keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation="tanh"), layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"), layers.AveragePooling2D(2), layers.Flatten(),
            layers.Dense(120, activation="tanh"), layers.Dense(84, activation="tanh"), layers.Dense(10),
        ]
    )  # fmt: skip
    net.set_weights([channels_last(name, value) for name, value in w.items()])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.SGD(lr), loss, jit_compile=False)

    def step(x, y):
        net.reset_metrics()
        return net.train_on_batch(x.transpose(0, 2, 3, 1), y)

    return step
