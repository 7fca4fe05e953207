"""FP32 matrix product: two matrices, and what must come out."""

import numpy as np


def inputs(random, m, k, n, whole=0):
    """With `whole`, small whole numbers, whose sums are exact."""
    if whole:
        a, b = (random.integers(-3, 4, shape, np.int8) for shape in ((m, k), (n, k)))
    else:
        a, b = random.normal(0, 1, (m, k)), random.normal(0, k**-0.5, (n, k))
    return {"a": a.astype(np.float32), "b": b.astype(np.float32), "m": m, "k": k, "n": n}


def reference(a, b, **sizes):
    wide = np.float32 if np.array_equal(b, np.rint(b)) else np.float64
    return {"c": (a.astype(wide) @ b.astype(wide).T).astype(np.float32)}
