"""Recognising a number per channel: [c], [1, c, 1, 1] and [c, 1, 1] in their many spellings."""

from __future__ import annotations

import numpy as np

from zhisuan.graph.dims import Shape
from zhisuan.graph.ir import Node
from zhisuan.graph.rewrite.view import Edit


def is_per_channel(shape: Shape, channels: object) -> bool:
    """Whether a value of this shape broadcasts over [n, channels, h, w] channel by channel."""
    return shape in ((1, channels, 1, 1), (channels, 1, 1))


def channel_vector(
    edit: Edit, name: str, channels: object, label: str
) -> tuple[str, list[Node]] | None:
    """The value [c] behind `name`, and the node to add for it when it does not exist yet.

    reshape(v [c]) to [1, c, 1, 1]   ->   v        scalar constant   ->   that number c times
    """
    if not isinstance(channels, int):
        return None
    array = edit.constants.get(name)
    if array is not None and array.size == 1:
        return edit.constant(f"{label}/vector", np.full(channels, array.reshape(()))), []
    if not is_per_channel(edit.shape(name), channels):
        return None
    if array is not None:
        return edit.constant(f"{label}/vector", np.ascontiguousarray(array.reshape(-1))), []
    source = edit.producer(name, "reshape", "unsqueeze")
    if source is not None and edit.shape(source.inputs[0]) == (channels,):
        return source.inputs[0], []
    target = edit.constant(f"{label}/shape", np.array([channels], np.int64))
    flat = edit.node("reshape", [name, target], None, label=f"{label}/{name}/flat")
    return flat.output, [flat]
