"""Split, subtract, concatenate: what the inputs are, and what must come out."""

import numpy as np


def inputs(random, pixels, c, special=0):
    values = random.normal(0, 100, (pixels, 2 * c)).astype(np.float16)
    if special:
        chosen = random.permutation(values.size)[: values.size // 4]
        values.flat[chosen] = np.resize([np.inf, -np.inf, 65504, -0.0, 6e-8], len(chosen))
    means = random.normal(0, 100, 2 * c).astype(np.float16)
    return {"in": values, "means": means, "pixels": pixels, "c": c}


def reference(pixels, c, **given):
    with np.errstate(all="ignore"):
        centred = given["in"] - given["means"]
    return {"out": np.concatenate([centred[:, c:], centred[:, :c]], axis=1)}
