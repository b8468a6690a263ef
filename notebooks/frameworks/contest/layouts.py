"""From PyTorch's order of axes (channels first) to that of TensorFlow and Keras (channels last)."""


def channels_last(name, value):
    """The same weight where a convolution is (height, width, in, out) and a dense layer (in, out)."""
    if name.startswith("conv") and value.ndim == 4:
        return value.transpose(2, 3, 1, 0)
    if name == "fc1_w":  # its 400 inputs arrive as 5 × 5 × 16 and no longer as 16 × 5 × 5
        value = value.reshape(120, 16, 5, 5).transpose(0, 2, 3, 1).reshape(120, 400)
    return value.T
