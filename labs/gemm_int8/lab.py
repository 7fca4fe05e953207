"""INT8 GEMM: two matrices, quantised as the course does, and what must come out."""

import numpy as np

MOST = 127


def quantise(values):
    """int8 values, position and scale: values ≈ int8 · 2^position / scale."""
    largest = float(np.abs(values).max())
    position = int(np.ceil(np.log2(largest / MOST)))
    scale = max(1.0, 2.0**position * MOST / largest)
    scaled = np.rint(values.astype(np.float64) * scale / 2.0**position)
    return np.clip(scaled, -MOST, MOST).astype(np.int8), position, scale


def inputs(random, m, k, n, ends=0):
    """With `ends`, every value is the largest or the smallest that there is."""
    a, b = random.normal(0, 1, (m, k)), random.normal(0, k**-0.5, (n, k))
    if ends:
        a, b = np.sign(a), np.sign(b) * k**-0.5
    a, position_a, scale_a = quantise(a)
    b, position_b, scale_b = quantise(b)
    scale = float(np.float32(1 / (scale_a * scale_b)))
    position = position_a + position_b
    return {"a": a, "b": b, "m": m, "k": k, "n": n, "position": position, "scale": scale}


def reference(a, b, position, scale, **sizes):
    """Sums of float32 products are exact up to 2^24, in float64 always."""
    kind = np.float32 if a.shape[1] * MOST**2 < 2**24 else np.float64
    sums = (a.astype(kind) @ b.astype(kind).T).astype(np.float64)
    return {"c": (sums * 2.0**position * scale).astype(np.float16)}
