"""Files of frameworks that no longer install, written by hand and read by a library that still can.

`caffemodel` writes what Caffe's users called weights: a Protocol Buffers message, here four message types
and one wire type. The text beside it, the prototxt, is all that a Caffe user wrote about a network.
`torch7_file` writes what Lua's torch.save wrote. OpenCV (below version 5) reads both.
"""

import struct
import sys
from pathlib import Path

import numpy as np

PROTOTXT = """\
name: "LeNet"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 32 dim: 32 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 6 kernel_size: 5 } }
layer { name: "tanh1" type: "TanH" bottom: "conv1" top: "tanh1" }
layer { name: "pool1" type: "Pooling" bottom: "tanh1" top: "pool1" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2" convolution_param { num_output: 16 kernel_size: 5 } }
layer { name: "tanh2" type: "TanH" bottom: "conv2" top: "tanh2" }
layer { name: "pool2" type: "Pooling" bottom: "tanh2" top: "pool2" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "fc1" type: "InnerProduct" bottom: "pool2" top: "fc1" inner_product_param { num_output: 120 } }
layer { name: "tanh3" type: "TanH" bottom: "fc1" top: "tanh3" }
layer { name: "fc2" type: "InnerProduct" bottom: "tanh3" top: "fc2" inner_product_param { num_output: 84 } }
layer { name: "tanh4" type: "TanH" bottom: "fc2" top: "tanh4" }
layer { name: "fc3" type: "InnerProduct" bottom: "tanh4" top: "fc3" inner_product_param { num_output: 10 } }
"""


# --- Caffe ----------------------------------------------------------------------------------------


def varint(n: int) -> bytes:
    """An unsigned integer, seven bits to a byte, the lowest first; the top bit says: more follows."""
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def field(number: int, payload: bytes) -> bytes:
    """A field of wire type 2: its number, its length, its bytes."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def blob(a: np.ndarray) -> bytes:
    """BlobProto: shape (field 7) and float32 data (field 5)."""
    shape = field(1, b"".join(map(varint, a.shape)))
    return field(7, shape) + field(5, np.ascontiguousarray(a, "<f4").tobytes())


def caffemodel(weights: dict[str, np.ndarray]) -> bytes:
    """NetParameter: a name and one LayerParameter (field 100) per layer with weights."""
    net = field(1, b"LeNet")
    for name in dict.fromkeys(key.split("_")[0] for key in weights):
        kind = b"Convolution" if name.startswith("conv") else b"InnerProduct"
        blobs = b"".join(field(7, blob(weights[f"{name}_{part}"])) for part in "wb")
        net += field(100, field(1, name.encode()) + field(2, kind) + blobs)
    return net


# --- Torch7 ---------------------------------------------------------------------------------------


class Lua:
    """Torch7's binary files: every value is a type number and a payload; objects carry an index."""

    def __init__(self) -> None:
        self.objects = 0

    def text(self, s: str) -> bytes:
        return struct.pack("<i", len(s)) + s.encode()

    def index(self) -> bytes:
        self.objects += 1
        return struct.pack("<i", self.objects)

    def value(self, v: object) -> bytes:
        if isinstance(v, bytes):  # already written
            return v
        if isinstance(v, bool):
            return struct.pack("<ii", 5, v)
        if isinstance(v, str):
            return struct.pack("<i", 2) + self.text(v)
        if isinstance(v, dict):
            items = b"".join(self.value(k) + self.value(x) for k, x in v.items())
            return struct.pack("<i", 3) + self.index() + struct.pack("<i", len(v)) + items
        if isinstance(v, np.ndarray):
            return self.tensor(np.ascontiguousarray(v, "<f4"))
        return struct.pack("<id", 1, v)

    def head(self, kind: str) -> bytes:
        return struct.pack("<i", 4) + self.index() + self.text("V 1") + self.text(kind)

    def tensor(self, a: np.ndarray) -> bytes:
        strides = [s // 4 for s in a.strides]
        about = struct.pack(f"<i{2 * a.ndim + 1}q", a.ndim, *a.shape, *strides, 1)
        storage = self.head("torch.FloatStorage") + struct.pack("<q", a.size) + a.tobytes()
        return self.head("torch.FloatTensor") + about + storage

    def module(self, kind: str, **fields: object) -> bytes:
        return self.head(f"nn.{kind}") + self.value({"_type": "torch.FloatTensor", **fields})


def torch7_file(w: dict[str, np.ndarray]) -> bytes:
    """The trained LeNet as torch.save in Lua would write it."""
    lua = Lua()
    square = {"kW": 2, "kH": 2, "dW": 2, "dH": 2, "padW": 0, "padH": 0}
    square["ceil_mode"] = False

    def conv(n: str) -> bytes:
        out, planes = w[f"{n}_w"].shape[:2]
        about = {"nInputPlane": planes, "nOutputPlane": out, "kW": 5, "kH": 5, "dW": 1, "dH": 1}
        about |= {"padW": 0, "padH": 0, "weight": w[f"{n}_w"], "bias": w[f"{n}_b"]}
        return lua.module("SpatialConvolution", **about)

    def dense(n: str) -> bytes:
        return lua.module("Linear", weight=w[f"{n}_w"], bias=w[f"{n}_b"])

    def pool() -> bytes:
        return lua.module("SpatialAveragePooling", **square)

    head = lua.head("nn.Sequential")
    layers = [conv("conv1"), lua.module("Tanh"), pool(), conv("conv2"), lua.module("Tanh"), pool()]
    layers += [lua.module("Reshape", size=400), dense("fc1"), lua.module("Tanh"), dense("fc2")]
    layers += [lua.module("Tanh"), dense("fc3")]
    return head + lua.value({"modules": dict(enumerate(layers, 1)), "_type": "torch.FloatTensor"})


# --- the readers, in a process of their own -------------------------------------------------------


def logits(kind: str, folder: Path, x: np.ndarray) -> np.ndarray:
    """What a library of today computes from the file: logits (N, 10) of images x (N, 1, 32, 32)."""
    if kind == "cntk":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        net = onnxruntime.InferenceSession(Path(__file__).with_name("lenet_cntk27.onnx"), options)
        name = net.get_inputs()[0].name  # CNTK fixed the batch to one image
        return np.concatenate([net.run(None, {name: image[None]})[0] for image in x])
    import cv2

    if kind == "caffe":
        net = cv2.dnn.readNetFromCaffe(str(folder / "net.prototxt"), str(folder / "net.caffemodel"))
    else:
        net = cv2.dnn.readNetFromTorch(str(folder / "net.t7"))
    net.setInput(x)
    return net.forward()


if __name__ == "__main__":  # python importers.py KIND FOLDER: reads x.npy there, writes logits.npy
    place = Path(sys.argv[2])
    np.save(place / "logits.npy", logits(sys.argv[1], place, np.load(place / "x.npy")))
