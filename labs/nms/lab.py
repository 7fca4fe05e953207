"""Non-maximum suppression: what the inputs are, and what must come out.

Corners are whole numbers below 1024 and `overlap` is a half or a quarter, so that areas and their
comparison are exact in single precision: every right kernel gives the same indices.
"""

import numpy as np


def inputs(random, classes, n, side=60, levels=0, least=0.25, kind="any"):
    boxes = np.sort(random.integers(0, side, (n, 2, 2)), axis=1).reshape(n, 4).astype(np.float32)
    boxes[:, 2:] += 1
    if kind == "touching":  # 30 wide, shifted by 10: overlap is exactly a half
        at = 10 * random.integers(0, 8, n)
        boxes = np.stack([at, 0 * at, at + 30, 0 * at + 16], axis=1).astype(np.float32)
    elif kind == "nested":
        at = random.integers(0, 20, n)
        boxes = np.stack([at, at, 64 - at, 64 - at], axis=1).astype(np.float32)
    elif kind == "empty":  # some have no area, and lie within others
        boxes[::3, 2] = boxes[::3, 0]
        boxes[1::3, 3] = boxes[1::3, 1]
    scores = random.uniform(0.05, 1, (classes, n)).astype(np.float32)
    if levels:
        scores = (np.ceil(scores * levels) / levels).astype(np.float32)
    scores[:, ::7] = least  # not above the least
    overlap = 0.5 if kind == "touching" else float(random.choice([0.25, 0.5]))
    return {
        "boxes": boxes, "scores": scores, "overlap": overlap, "least": least, "classes": classes,
        "n": n,
    }  # fmt: skip


def reference(boxes, scores, overlap, least, classes, n):
    keep = np.full((classes, n), -1, np.int32)
    count = np.zeros(classes, np.int32)
    for number in range(classes):
        kept = one_class(boxes.astype(np.float64), scores[number], overlap, least)
        keep[number, : len(kept)] = kept
        count[number] = len(kept)
    return {"keep": keep, "count": count}


def one_class(boxes, scores, overlap, least):
    x1, y1, x2, y2 = boxes.T
    area = (x2 - x1) * (y2 - y1)
    waiting = [int(i) for i in np.argsort(-scores, kind="stable") if scores[i] > least]
    kept = []
    while waiting:
        best, *waiting = waiting
        kept.append(best)
        rest = np.array(waiting, np.int64)
        wide = np.minimum(x2[rest], x2[best]) - np.maximum(x1[rest], x1[best])
        high = np.minimum(y2[rest], y2[best]) - np.maximum(y1[rest], y1[best])
        common = np.maximum(wide, 0) * np.maximum(high, 0)
        stay = common <= overlap * (area[rest] + area[best] - common)
        waiting = rest[stay].tolist()
    return kept
