"""What stands for a tensor while a program is written: a handle, on which ops are called.

A face of the framework derives its own: in a graph a handle names a value to come, in eager code
it holds the numbers.  `F.NAME(inputs..., attribute=...)` calls op NAME of the registry on handles
of either face; a number among the inputs becomes a constant of the type of the handle before it.
So one gradient rule, one model and one loss serve both.  Knows ops only through their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph.dims import Shape
from zhisuan.graph.registry import OpDef, find


class Handle:
    """A tensor, or a value of a graph; `dtype` and `shape` are known, sizes may be symbols."""

    __slots__ = ()
    __array_priority__ = 1000.0  # NumPy arrays and scalars leave operators to handles
    __array_ufunc__ = None

    @property
    def dtype(self) -> DType:
        raise NotImplementedError

    @property
    def shape(self) -> Shape:
        raise NotImplementedError

    @property
    def key(self) -> Any:
        """What tells this value from others of its face; hashable."""
        raise NotImplementedError

    def apply(self, row: OpDef, inputs: tuple[Any, ...], attrs: Mapping[str, Any]) -> Any:
        """Call the op on handles of this face: a handle, or a tuple for several outputs."""
        raise NotImplementedError

    def constant(self, array: np.ndarray) -> Any:
        """A handle of this face for numbers."""
        raise NotImplementedError

    def operand(self, other: Any) -> Any:
        """`other` as a handle of this face; a Python number takes this one's element type."""
        if isinstance(other, Handle):
            return other
        if isinstance(other, (bool, int, float)):
            return self.constant(np.asarray(other, self.dtype.numpy))
        return self.constant(np.asarray(other))

    def binary(self, name: str, other: Any, swapped: bool = False) -> Any:
        """Op `name` on this and `other`; faces that promote element types do so here."""
        pair = (self, self.operand(other))
        return self.apply(find(name), pair[::-1] if swapped else pair, {})

    def unary(self, name: str) -> Any:
        return self.apply(find(name), (self,), {})

    def __add__(self, other: Any) -> Any:
        return self.binary("add", other)

    def __radd__(self, other: Any) -> Any:
        return self.binary("add", other, swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self.binary("sub", other)

    def __rsub__(self, other: Any) -> Any:
        return self.binary("sub", other, swapped=True)

    def __mul__(self, other: Any) -> Any:
        return self.binary("mul", other)

    def __rmul__(self, other: Any) -> Any:
        return self.binary("mul", other, swapped=True)

    def __truediv__(self, other: Any) -> Any:
        return self.binary("div", other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.binary("div", other, swapped=True)

    def __pow__(self, other: Any) -> Any:
        return self.binary("pow", other)

    def __rpow__(self, other: Any) -> Any:
        return self.binary("pow", other, swapped=True)

    def __matmul__(self, other: Any) -> Any:
        return self.binary("matmul", other)

    def __rmatmul__(self, other: Any) -> Any:
        return self.binary("matmul", other, swapped=True)

    def __mod__(self, other: Any) -> Any:
        return self.binary("mod", other)

    def __floordiv__(self, other: Any) -> Any:
        return self.binary("floor_div", other)

    def __neg__(self) -> Any:
        return self.unary("neg")

    def __abs__(self) -> Any:
        return self.unary("abs")

    def __invert__(self) -> Any:
        return self.unary("logical_not" if self.dtype.name == "bool" else "bitwise_not")

    def __lt__(self, other: Any) -> Any:
        return self.binary("less", other)

    def __le__(self, other: Any) -> Any:
        return self.binary("less_equal", other)

    def __gt__(self, other: Any) -> Any:
        return self.binary("greater", other)

    def __ge__(self, other: Any) -> Any:
        return self.binary("greater_equal", other)

    def __and__(self, other: Any) -> Any:
        return self.binary("logical_and" if self.dtype.name == "bool" else "bitwise_and", other)

    def __or__(self, other: Any) -> Any:
        return self.binary("logical_or" if self.dtype.name == "bool" else "bitwise_or", other)

    def __xor__(self, other: Any) -> Any:
        return self.binary("logical_xor" if self.dtype.name == "bool" else "bitwise_xor", other)


class _Functions:
    """The ops of the registry as functions of handles, found by name when first used."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        function = _function(find(name))
        setattr(self, name, function)
        return function


def _function(row: OpDef) -> Callable[..., Any]:
    def call(*inputs: Any, **attrs: Any) -> Any:
        like = next((item for item in inputs if isinstance(item, Handle)), None)
        if like is None:
            raise ZhisuanError(
                f"{row.name} is called on no tensor",
                expected="at least one tensor or graph value among " + ", ".join(row.inputs),
                found=", ".join(type(item).__name__ for item in inputs) or "nothing",
            )
        handles = []
        for item in inputs:
            like = item if isinstance(item, Handle) else like
            handles.append(like.operand(item))
        return like.apply(row, tuple(handles), attrs)

    call.__name__ = row.name
    call.__doc__ = row.doc
    return call


F = _Functions()
