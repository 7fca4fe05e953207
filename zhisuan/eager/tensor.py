"""Tensors: numbers on a device, ops that run at once, and the way back to their gradients.

    x = tensor([[1.0, 2.0]], requires_grad=True)
    (x * x).sum().backward()
    x.grad                                             # [[2., 4.]]

Every op is a row of the registry, run by the tensor's device.  Names and arguments are PyTorch's
where it has them.  A tensor never shares its numbers with another one: what PyTorch makes a view
is a value of its own here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zhisuan.base import dtype as dtypes
from zhisuan.base.dtype import DType, from_numpy
from zhisuan.base.errors import ZhisuanError
from zhisuan.eager import autograd
from zhisuan.eager.grad_mode import is_grad_enabled
from zhisuan.eager.inference import infer
from zhisuan.eager.record import Record
from zhisuan.graph.handle import F, Handle
from zhisuan.graph.registry import OpDef
from zhisuan.session.devices import Device, device

MOVERS = ("transfer", "transfer_like")


class Tensor(Handle):
    """Numbers of one element type and shape on a device; made by `tensor` and by ops."""

    __slots__ = (
        "_dtype", "_shape", "device", "grad", "index", "record", "requires_grad", "storage",
    )  # fmt: skip

    def __init__(self, storage: Any, dtype: DType, shape: tuple[int, ...], at: Device) -> None:
        self.storage = storage
        self._dtype = dtype
        self._shape = shape
        self.device = at
        self.requires_grad = False
        self.grad: Tensor | None = None
        self.record: Record | None = None
        self.index = 0

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def key(self) -> Any:
        return (self.record.number, self.index) if self.record is not None else id(self)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded call made it."""
        return self.record is None

    def apply(self, row: OpDef, inputs: tuple[Tensor, ...], attrs: Mapping[str, Any]) -> Any:
        """Run one op now; recorded when an input requires its gradient."""
        complete = row.complete(attrs, row.name)
        types = infer(row, inputs, complete)
        at = self.device
        if row.name in MOVERS:
            at = device(complete["device"]) if len(inputs) == 1 else inputs[1].device
            storages: Sequence[Any] = (_moved(inputs[0], at),)
        else:
            if any(item.device is not at for item in inputs):
                _refuse_devices(row, inputs)
            storages = at.run(row, [item.storage for item in inputs], complete, types)
        made = [
            Tensor(storage, dtype, shape, at)
            for storage, (dtype, shape) in zip(storages, types, strict=True)
        ]
        if is_grad_enabled() and not row.flat and any(item.requires_grad for item in inputs):
            _record(row, inputs, made, complete)
        return made[0] if len(made) == 1 else tuple(made)

    def made(self, storage: Any, dtype: DType, shape: tuple[int, ...]) -> Tensor:
        """A tensor of a storage on this one's device."""
        return Tensor(storage, dtype, shape, self.device)

    def constant(self, array: np.ndarray) -> Tensor:
        return Tensor(self.device.put(array), from_numpy(array.dtype), array.shape, self.device)

    def to(self, where: str | Device) -> Tensor:
        """The same numbers on another device; gradients come back by the same way."""
        place = device(where)
        return self if place is self.device else F.transfer(self, device=place.name)

    def backward(
        self, gradient: Tensor | None = None, retain_graph: bool = False, create_graph: bool = False
    ) -> None:
        """Add d self / d leaf to `.grad` of every leaf; `gradient` is needed unless it is one
        element."""
        autograd.backward([self], [gradient], retain_graph, create_graph)

    def numpy(self) -> np.ndarray:
        """The numbers; on the CPU without a copy."""
        return self.device.get(self.storage)

    def detach(self) -> Tensor:
        """The same numbers, of which no gradient is wanted."""
        return Tensor(self.storage, self._dtype, self._shape, self.device)

    def item(self) -> Any:
        """The only element, as a Python number."""
        array = self.numpy()
        if array.size != 1:
            raise ZhisuanError(
                "only a tensor of one element is a number",
                expected="one element",
                found=f"{array.size}, in {self.dtype}{list(self._shape)}",
            )
        return array.item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        body = np.array2string(self.numpy(), separator=", ", prefix="tensor(")
        extra = "" if self.dtype is dtypes.F32 else f", dtype={self.dtype}"
        extra += "" if self.device.name == "cpu:0" else f", device='{self.device.name}'"
        extra += ", requires_grad=True" if self.requires_grad and self.is_leaf else ""
        extra += f", grad_fn={self.record.row.name}" if self.record is not None else ""
        return f"tensor({body}{extra})"


def _moved(item: Tensor, at: Device) -> Any:
    """The tensor's numbers as `at` stores them."""
    return item.storage if item.device is at else at.put(item.device.get(item.storage))


def tensor(
    data: Any,
    dtype: DType | str | None = None,
    device: str | Device = "cpu",
    requires_grad: bool = False,
) -> Tensor:
    """A tensor with the numbers of `data` (copied); Python floats become f32, integers i64."""
    array = np.array(data)
    if dtype is not None:
        wanted = dtypes.dtype(dtype) if isinstance(dtype, str) else dtype
        array = array.astype(wanted.numpy)
    elif array.dtype == np.float64 and not isinstance(data, (np.ndarray, np.generic)):
        array = array.astype(np.float32)
    return on(array, device, requires_grad)


def on(array: np.ndarray, where: str | Device = "cpu", requires_grad: bool = False) -> Tensor:
    """A tensor of `array`'s numbers, not copied where the device can use them as they are."""
    place = device(where)
    made = Tensor(place.put(array), from_numpy(array.dtype), array.shape, place)
    if requires_grad and not made.dtype.is_float:
        raise ZhisuanError(
            "only floating-point tensors can require gradients", found=str(made.dtype)
        )
    made.requires_grad = requires_grad
    return made


def _record(
    row: OpDef, inputs: tuple[Tensor, ...], made: Sequence[Tensor], attrs: Mapping[str, Any]
) -> None:
    rule = row.gradient
    kept = rule.reads_outputs if rule is not None else frozenset()
    outputs = tuple(
        (item.storage if i in kept else None, item._dtype, item._shape)
        for i, item in enumerate(made)
    )
    record = Record(row, inputs, outputs, attrs)
    for index, item in enumerate(made):
        if item._dtype.is_float:
            item.requires_grad, item.record, item.index = True, record, index


def _refuse_devices(row: OpDef, inputs: Sequence[Tensor]) -> None:
    raise ZhisuanError(
        f"{row.name}: the inputs lie on different devices",
        expected="one device",
        found=", ".join(item.device.name for item in inputs),
        hint="x.to('cpu') moves a tensor",
    )
