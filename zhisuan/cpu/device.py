"""A CPU device: runs each op by its NumPy reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.graph.registry import OpDef
from zhisuan.session.devices import Types


class CpuDevice:
    """Device `cpu:N`; all numbers are the same memory and the same cores."""

    def __init__(self, number: int = 0) -> None:
        self.name = f"cpu:{number}"

    def __repr__(self) -> str:
        return f"device('{self.name}')"

    def put(self, array: np.ndarray) -> np.ndarray:
        return array

    def get(self, storage: np.ndarray) -> np.ndarray:
        return storage

    def supports(self, row: OpDef, dtypes: Sequence[DType]) -> bool:
        return True

    def run(
        self,
        row: OpDef,
        inputs: Sequence[np.ndarray],
        attrs: Mapping[str, Any],
        types: Types,
    ) -> tuple[np.ndarray, ...]:
        with np.errstate(all="ignore"):
            results = row.results(*inputs, **attrs)
        return tuple(
            np.asarray(item, dtype.numpy) for item, (dtype, _) in zip(results, types, strict=True)
        )
