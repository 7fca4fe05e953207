"""A pad in front of a convolution becomes the convolution's own.

    y = conv2d(pad(x, [0, 0, t, l, 0, 0, b, r], mode), w)   ->   y = conv2d(x, w, pads, pad_mode)

Only pads of height and width; zeros only when the constant is 0; a convolution with pads of
its own takes more of the same kind (zeros on zeros).
"""

from __future__ import annotations

from zhisuan.graph.ir import Graph, Node
from zhisuan.graph.rewrite.view import Edit


def fuse_pad_conv(graph: Graph) -> Graph:
    """The graph with every pad that a convolution can do moved into it."""
    edit = Edit(graph)
    return edit.rewrite(lambda node: _absorb(edit, node))


def _absorb(edit: Edit, node: Node) -> list[Node] | None:
    pad = edit.producer(node.inputs[0], "pad") if node.op == "conv2d" else None
    array = edit.constants.get(pad.inputs[1]) if pad else None
    if pad is None or array is None:
        return None
    n0, c0, top, left, n1, c1, bottom, right = array.tolist()
    mode, own = pad.attrs["mode"], node.attrs["pads"]
    if any((n0, c0, n1, c1)) or min(top, left, bottom, right) < 0:
        return None
    zeros = mode == "constant" and node.attrs["pad_mode"] == "constant"
    if (mode == "constant" and pad.attrs["value"] != 0) or (any(own) and not zeros):
        return None
    pads = (top + own[0], left + own[1], bottom + own[2], right + own[3])
    attrs = {**node.attrs, "pads": pads, "pad_mode": mode}
    inputs = (pad.inputs[0], *node.inputs[1:])
    return [edit.node("conv2d", inputs, attrs, output=node.output, label=node.label)]
