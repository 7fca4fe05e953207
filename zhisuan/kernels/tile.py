"""What tile.h has beside code: the numbers of pad modes and activations, and the bytes of a sum."""

PAD_MODES = ("constant", "reflect", "edge")
ACTIVATIONS = ("", "relu", "sigmoid", "tanh")
FLOAT = 4
"""Bytes of a sum, of FP32 or INT32."""
