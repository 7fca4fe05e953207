"""Element types and shapes of an op's results, from the rules of the registry, remembered.

A call whose rules read types, shapes and attributes only is worked out once; one that reads values
(such as the sizes that `reshape` is given) each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.graph.ops import OPS
from zhisuan.graph.registry import Call, OpDef

Types = tuple[tuple[DType, tuple[int, ...]], ...]
_known: dict[Any, Types] = {}
MOST = 1 << 16  # calls remembered; then all are forgotten


class _Values(Sequence[np.ndarray]):
    """The numbers of the inputs, and whether anybody looked."""

    def __init__(self, inputs: Sequence[Any]) -> None:
        self.inputs = inputs
        self.read = False

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: Any) -> Any:
        self.read = True
        return self.inputs[index].numpy()

    def __iter__(self) -> Iterator[np.ndarray]:
        self.read = True
        return (item.numpy() for item in self.inputs)


def infer(row: OpDef, inputs: tuple[Any, ...], attrs: Mapping[str, Any]) -> Types:
    """Type and shape per output; a broken rule is a `ZhisuanError` that names the op."""
    key = (row.name, *[(t.dtype.name, t.shape) for t in inputs], *attrs.values())
    found = _known.get(key)
    if found is not None:
        return found
    row.check_arity(len(inputs), row.name)
    values = _Values(inputs)
    call = Call(
        op=row.name,
        label=row.name,
        names=row.input_names(len(inputs)),
        dtypes=tuple(item.dtype for item in inputs),
        shapes=tuple(item.shape for item in inputs),
        known=values,  # pyright: ignore[reportArgumentType]
        attrs=attrs,
    )
    types: Any = row.inferred(call)
    if not values.read:
        if len(_known) >= MOST:
            _known.clear()
        _known[key] = types
    return types


assert OPS, "importing zhisuan.graph.ops fills the registry"
