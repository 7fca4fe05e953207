"""Batched matrix product: what the inputs are, and what must come out."""

import numpy as np


def inputs(random, batch, m, k, n):
    left = random.normal(0, 1, (batch, m, k)).astype(np.float16)
    right = random.normal(0, 1, (batch, k, n)).astype(np.float16)
    return {"left": left, "right": right, "batch": batch, "m": m, "k": k, "n": n}


def reference(left, right, **sizes):
    return {"out": (left.astype(np.float64) @ right.astype(np.float64)).astype(np.float32)}
