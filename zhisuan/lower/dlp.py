"""The DLP as a device of the framework: `x.to("dlp")`, and ops that kernels were made for.

A tensor's numbers lie in host memory between ops and are copied to the chip for each, as
`KernelModule` does; copies take no time on the machine.  Whatever is computed on such a tensor is
computed by instructions, or refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zhisuan.base.dtype import DType, from_numpy
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.registry import OpDef
from zhisuan.lower.kernel_op import LAUNCHES
from zhisuan.session.devices import Types

MOVES = ("identity", "transfer", "transfer_like", "reshape", "reshape_like", "flatten", "squeeze",
         "unsqueeze")  # fmt: skip
"""Ops that leave every number where it lies, in row-major order."""
FILLS = {"ones_like": 1, "zeros_like": 0}


class DlpDevice:
    """Device `dlp:N`."""

    def __init__(self, number: int = 0) -> None:
        self.name = f"dlp:{number}"

    def __repr__(self) -> str:
        return f"device('{self.name}')"

    def put(self, array: np.ndarray) -> np.ndarray:
        return np.array(array, order="C")

    def get(self, storage: np.ndarray) -> np.ndarray:
        return storage.copy()

    def supports(self, row: OpDef, dtypes: Sequence[DType]) -> bool:
        return row.name in LAUNCHES or row.name in MOVES or row.name in FILLS

    def run(
        self, row: OpDef, inputs: Sequence[np.ndarray], attrs: Mapping[str, Any], types: Types
    ) -> tuple[np.ndarray, ...]:
        if row.name in MOVES:
            return (inputs[0].reshape(types[0][1]),)
        if row.name in FILLS:
            return (np.full(types[0][1], FILLS[row.name], types[0][0].numpy),)
        if row.name == "sum_like" and inputs[0].shape == inputs[1].shape:
            return (inputs[0],)
        if row.name not in LAUNCHES:
            raise ZhisuanError(
                f"{row.name}: there is no kernel for it on {self.name}",
                expected="ops made from kernels: " + (", ".join(sorted(LAUNCHES)) or "none yet"),
                found=", ".join(f"{from_numpy(a.dtype)}{list(a.shape)}" for a in inputs),
                hint="x.to('cpu') computes it there",
            )
        results = [np.zeros(shape, dtype.numpy) for dtype, shape in types]
        frozen = [_read_only(item) for item in inputs]
        LAUNCHES[row.name](*results, *frozen, **attrs)
        return tuple(results)


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
