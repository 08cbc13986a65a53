"""Options that several commands of `tito model` have."""

import enum


class Pixels(enum.StrEnum):
    """How a pixel from 0 to 1 enters a network: with MNIST's mean and deviation taken out, or as it is."""

    standard = "standard"
    unit = "unit"


class Format(enum.StrEnum):
    """A format to write."""

    safetensors = "safetensors"
    gguf = "gguf"
    onnx = "onnx"
    web = "web"
