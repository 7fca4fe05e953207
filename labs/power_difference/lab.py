"""PowerDifference: what the inputs are, and what must come out, of the kernel and of the op."""

import numpy as np


def _drawn(random, shape):
    """Whose differences are far enough from 0, and not too far, for their powers in halves."""
    b = random.uniform(-2, 2, shape[-1:])
    a = b + random.uniform(0.25, 3, shape) * random.choice([-1, 1], shape)
    return a.astype(np.float16), b.astype(np.float16)


def expected(a, b, power):
    return (a - b) ** power


def inputs(random, rows, m, power):
    a, b = _drawn(random, (rows, m))
    return {"a": a, "b": b, "rows": rows, "m": m, "power": power}


def reference(a, b, rows, m, power):
    return {"out": expected(a.astype(np.float64), b.astype(np.float64), power).astype(np.float16)}


def tensors(random, shape, power):
    return list(_drawn(random, tuple(shape))), {"power": power}
