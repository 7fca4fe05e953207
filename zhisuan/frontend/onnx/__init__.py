"""ONNX in: a model file becomes a verified `Graph`; nothing is executed, nothing guessed."""

from zhisuan.frontend.onnx.load import from_model, load

__all__ = ["from_model", "load"]
