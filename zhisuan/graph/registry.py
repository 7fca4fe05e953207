"""One declaration per op: in comes a NumPy function, out goes a complete row of the registry.

    @op(shape=broadcast, dtype=same_dtype, onnx="Add")
    def add(a, b):
        '''a + b, element by element, sizes broadcast.'''
        return a + b

The function *is* the reference.  Its name is the op's name, its parameters are the inputs
(`x=None` is optional, `*xs` takes any number), its keyword-only parameters are the attributes
with their types and defaults, its docstring is the documentation.  Importer, verifier, shape
inference, text form and folding read the row; nothing is declared twice.  No hardware here.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.graph.dims import Shape

AttrValue = bool | int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Call:
    """One use of an op as its rules see it.

    `known[i]` is the value of input i where it is known before running: an array of numbers, or
    an object array of `Dim` for shape arithmetic; None otherwise.
    """

    op: str
    label: str
    names: tuple[str, ...]
    dtypes: tuple[DType, ...]
    shapes: tuple[Shape, ...]
    known: tuple[np.ndarray | None, ...]
    attrs: Mapping[str, Any]

    def fail(self, what: str, *, expected: str | None = None, found: str | None = None) -> NoReturn:
        """Stop with an error that names this node and its op."""
        raise ZhisuanError(
            f"{self.op}: {what}", where=f"node '{self.label}'", expected=expected, found=found
        )

    def value(self, index: int) -> np.ndarray:
        """The known value of input `index`; an error when it depends on run-time data."""
        value = self.known[index]
        if value is None:
            self.fail(
                f"the value of input '{self.names[index]}' must be known before running",
                expected="a constant, or arithmetic on sizes and constants",
                found="a value that depends on run-time data",
            )
        return value

    def rank(self, index: int, rank: int) -> Shape:
        """The shape of input `index`, which must have `rank` dimensions."""
        shape = self.shapes[index]
        if len(shape) != rank:
            self.fail(
                f"input '{self.names[index]}' has the wrong number of dimensions",
                expected=str(rank),
                found=f"{len(shape)}: {shape_text(shape)}",
            )
        return shape


ShapeRule = Callable[[Call], Shape]
DTypeRule = Callable[[Call], DType]


_KIND_TEXT = {
    int: "an integer",
    float: "a float",
    str: "a string",
    bool: "true or false",
    tuple: "a list of numbers",
}


@dataclass(frozen=True)
class Attr:
    """One attribute: its type, its default (`required` when there is none), its choices."""

    name: str
    kind: type
    default: Any
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    @property
    def kind_text(self) -> str:
        if self.choices:
            return "one of " + ", ".join(f'"{choice}"' for choice in self.choices)
        return _KIND_TEXT[self.kind]

    def accepts(self, value: object) -> bool:
        """Whether `value` has this attribute's type and is one of its choices."""
        if self.choices:
            return value in self.choices
        if self.kind is tuple:
            return isinstance(value, tuple) and all(type(item) in (int, float) for item in value)
        return type(value) is self.kind


@dataclass(frozen=True)
class OpDef:
    """A row of the registry."""

    name: str
    reference: Callable[..., np.ndarray]
    shape: ShapeRule
    dtype: DTypeRule
    onnx: tuple[str, ...]
    onnx_note: str
    doc: str
    inputs: tuple[str, ...]
    min_inputs: int
    variadic: bool
    value: Callable[[Call], np.ndarray] | None = None
    attrs: Mapping[str, Attr] = field(default_factory=dict)

    def complete(self, attrs: Mapping[str, Any], label: str) -> dict[str, Any]:
        """`attrs` checked and with defaults filled in, in declaration order."""
        where = f"node '{label}'"
        for name in attrs:
            if name not in self.attrs:
                raise ZhisuanError(
                    f"{self.name} has no attribute '{name}'",
                    where=where,
                    expected=", ".join(self.attrs) or "no attributes",
                    hint=did_you_mean(name, self.attrs),
                )
        complete = {}
        for name, attr in self.attrs.items():
            value = attrs.get(name, attr.default)
            if value is inspect.Parameter.empty:
                raise ZhisuanError(
                    f"{self.name} needs the attribute '{name}'",
                    where=where,
                    expected=attr.kind_text,
                    found="nothing",
                )
            if not attr.accepts(value):
                raise ZhisuanError(
                    f"{self.name} has a bad attribute '{name}'",
                    where=where,
                    expected=attr.kind_text,
                    found=repr(value),
                )
            complete[name] = value
        return complete

    def check_arity(self, count: int, label: str) -> None:
        """An error unless the op takes `count` inputs."""
        most = len(self.inputs)
        if count >= self.min_inputs and (self.variadic or count <= most):
            return
        expected = str(self.min_inputs)
        if self.variadic:
            expected += " or more"
        elif most > self.min_inputs:
            expected += f" to {most}"
        raise ZhisuanError(
            f"{self.name} has the wrong number of inputs",
            where=f"node '{label}'",
            expected=f"{expected} ({', '.join(self.inputs)})",
            found=str(count),
        )


OPS: dict[str, OpDef] = {}


def op(
    *,
    shape: ShapeRule,
    dtype: DTypeRule,
    onnx: str | tuple[str, ...] = (),
    onnx_note: str = "",
    value: Callable[[Call], np.ndarray] | None = None,
) -> Callable[[Callable[..., np.ndarray]], Callable[..., np.ndarray]]:
    """Register the decorated NumPy function as an op.

    `onnx` names the ONNX operators it imports from, `onnx_note` says why there is none;
    `value` gives an op whose result depends on shapes only (such as `shape`) its known value.
    """
    names = (onnx,) if isinstance(onnx, str) else onnx

    def register(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        name = function.__name__.rstrip("_")
        if name in OPS:
            raise AssertionError(f"op '{name}' is declared twice")
        kinds = inspect.Parameter
        parameters = list(inspect.signature(function).parameters.values())
        inputs = [p for p in parameters if p.kind is not kinds.KEYWORD_ONLY]
        plain = [p for p in inputs if p.kind is not kinds.VAR_POSITIONAL]
        hints = typing.get_type_hints(function)
        OPS[name] = OpDef(
            name=name,
            reference=function,
            shape=shape,
            dtype=dtype,
            onnx=names,
            onnx_note=onnx_note,
            doc=inspect.getdoc(function) or "",
            inputs=tuple(p.name for p in inputs),
            min_inputs=max(1, sum(p.default is kinds.empty for p in plain)),
            variadic=len(inputs) > len(plain),
            value=value,
            attrs={
                p.name: _attr(p.name, hints[p.name], p.default)
                for p in parameters
                if p.kind is kinds.KEYWORD_ONLY
            },
        )
        return function

    return register


def find(name: str, label: str = "") -> OpDef:
    """The row of op `name`; an unknown op is an error that offers the nearest."""
    if name not in OPS:
        raise ZhisuanError(
            f"unknown op '{name}'",
            where=f"node '{label}'" if label else None,
            expected="an op of the registry (zhisuan/graph/ops)",
            hint=did_you_mean(name, OPS),
        )
    return OPS[name]


def shape_text(shape: Shape) -> str:
    """`[1, 3, h, w]`."""
    return "[" + ", ".join(str(dim) for dim in shape) + "]"


def _attr(name: str, hint: Any, default: Any) -> Attr:
    origin = typing.get_origin(hint)
    if origin is Literal:
        return Attr(name, str, default, typing.get_args(hint))
    return Attr(name, tuple if origin is tuple else hint, default)
