"""What eager code keeps for the way back: per call of an op a record, linked through tensors.

A record holds what the op's gradient rule reads and nothing else; outputs are kept as numbers, not
as tensors, so that no record holds itself.  Records are numbered as they come, so going back is
going down in number.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.registry import OpDef
from zhisuan.graph.reverse import Step

_numbers = itertools.count()


class Record:
    """One recorded call; `outputs` holds what `Tensor.made` needs to make each output again."""

    __slots__ = ("attrs", "inputs", "number", "outputs", "row")

    def __init__(
        self,
        row: OpDef,
        inputs: tuple[Any, ...],
        outputs: tuple[Any, ...],
        attrs: Mapping[str, Any],
    ) -> None:
        self.row = row
        self.inputs: tuple[Any, ...] | None = inputs
        self.outputs: tuple[Any, ...] = outputs
        self.attrs = attrs
        self.number = next(_numbers)

    def release(self) -> None:
        """Let go of what was kept; going back a second time is then refused."""
        self.inputs, self.outputs = None, ()


def before(roots: Iterable[Any]) -> list[Record]:
    """The records that led to the tensors, latest first."""
    found: dict[int, Record] = {}
    ahead = [tensor.record for tensor in roots]
    while ahead:
        record = ahead.pop()
        if record is None or record.number in found:
            continue
        found[record.number] = record
        if record.inputs is None:
            raise ZhisuanError(
                "the way back from this result was already gone",
                expected="one call of backward per result",
                found=f"a second one, through {record.row.name}",
                hint="backward(retain_graph=True) keeps what the second one needs",
            )
        ahead += [tensor.record for tensor in record.inputs]
    return [found[number] for number in sorted(found, reverse=True)]


def step_of(record: Record, outputs: tuple[Any, ...]) -> Step:
    assert record.inputs is not None
    return Step.of(record.row, record.inputs, outputs, record.attrs)
