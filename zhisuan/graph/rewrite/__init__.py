"""The rewrites in their order: a graph goes in, an equal and simpler graph comes out.

`PASSES` is the whole optimiser; a pass's name is also its name on the command line and in tests.
The graph is verified after every pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.graph.ir import Graph
from zhisuan.graph.rewrite.cse import cse
from zhisuan.graph.rewrite.dce import dce
from zhisuan.graph.rewrite.fold import fold
from zhisuan.graph.rewrite.fuse_epilogue import fuse_epilogue
from zhisuan.graph.rewrite.fuse_instance_norm import fuse_instance_norm
from zhisuan.graph.rewrite.fuse_pad_conv import fuse_pad_conv
from zhisuan.graph.rewrite.fuse_style_mix import fuse_style_mix
from zhisuan.graph.rewrite.name_layers import name_layers
from zhisuan.graph.verify import verify

PASSES: dict[str, Callable[[Graph], Graph]] = {
    "fold": fold,
    "cse": cse,
    "dce": dce,
    "fuse_instance_norm": fuse_instance_norm,
    "fuse_pad_conv": fuse_pad_conv,
    "fuse_epilogue": fuse_epilogue,
    "fuse_style_mix": fuse_style_mix,
    "name_layers": name_layers,
}


def optimize(graph: Graph, passes: Iterable[str] | None = None, until: str | None = None) -> Graph:
    """`graph` after the named passes (all, in order); `until` is the last one to run."""
    names = list(PASSES if passes is None else passes)
    for name in [*names, *([until] if until else [])]:
        if name not in PASSES:
            raise ZhisuanError(
                f"unknown pass '{name}'",
                expected=", ".join(PASSES),
                hint=did_you_mean(name, PASSES),
            )
    if until is not None:
        names = names[: names.index(until) + 1] if until in names else names
    for name in names:
        graph = verify(PASSES[name](graph), after=name)
    return graph
