"""The forward pass of tensorflow_ops, once: run eagerly, as a graph, by XLA, from a file, on a phone's interpreter."""

import json
import sys
import tempfile

import numpy as np
import tensorflow as tf
from layouts import channels_last


class LeNet(tf.Module):
    def __init__(self, w):
        super().__init__()
        self.p = {name: tf.Variable(channels_last(name, value)) for name, value in w.items()}

    def forward(self, x):
        p = self.p
        h = tf.tanh(tf.nn.conv2d(x, p["conv1_w"], 1, "VALID") + p["conv1_b"])
        h = tf.nn.avg_pool2d(h, 2, 2, "VALID")
        h = tf.tanh(tf.nn.conv2d(h, p["conv2_w"], 1, "VALID") + p["conv2_b"])
        h = tf.reshape(tf.nn.avg_pool2d(h, 2, 2, "VALID"), [-1, 400])
        h = tf.tanh(h @ p["fc1_w"] + p["fc1_b"])
        return tf.tanh(h @ p["fc2_w"] + p["fc2_b"]) @ p["fc3_w"] + p["fc3_b"]


def main():
    given = dict(np.load(sys.argv[1]))
    weights = {k: v for k, v in given.items() if k.endswith(("_w", "_b"))}
    net, x = LeNet(weights), given["x_test"][:64].transpose(0, 2, 3, 1)
    spec = [tf.TensorSpec([64, 32, 32, 1], tf.float32)]
    net.graph = tf.function(net.forward, input_signature=spec)
    out = {"eager": net.forward(x), "graph": net.graph(x)}
    out["XLA"] = tf.function(net.forward, jit_compile=True)(tf.constant(x))
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(net, folder)
        loaded = tf.saved_model.load(folder)
        out["SavedModel (server)"] = loaded.graph(x)
        content = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=None).convert()
    phone = tf.lite.Interpreter(model_content=content)
    phone.allocate_tensors()
    phone.set_tensor(phone.get_input_details()[0]["index"], x)
    phone.invoke()
    out["LiteRT (phone)"] = phone.get_tensor(phone.get_output_details()[0]["index"])
    gaps = {
        k: float(np.abs(np.asarray(v) - np.asarray(out["eager"])).max()) for k, v in out.items()
    }
    print(
        json.dumps({"version": tf.__version__, "largest difference": gaps, "bytes": len(content)})
    )


if __name__ == "__main__":
    main()
