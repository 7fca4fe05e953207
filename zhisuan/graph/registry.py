"""One declaration per op: in comes a NumPy function, out goes a complete row of the registry.

    @op(shape=broadcast, dtype=same_dtype, onnx="Mul")
    def mul(a, b):
        '''a * b, element by element, sizes broadcast.'''
        return a * b

    @gradient("mul")
    def _(g, a, b):
        return F.sum_like(g * b, a), F.sum_like(g * a, b)

The function *is* the reference.  Its name is the op's name, its parameters are the inputs
(`x=None` is optional, `*xs` takes any number), its keyword-only parameters are the attributes
with their types and defaults, its docstring is the documentation.  An op of several results names
them in `outputs`, and its rules and its reference give a tuple.  A first parameter `state` is no
input: it is where the op keeps what outlives a run, such as variables (`session`).

Importer, verifier, shape inference, text form, folding, both automatic differentiators and the
tensor's methods read the row; nothing is declared twice.  No hardware here.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeVar

import numpy as np

from zhisuan.base.dtype import DType
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.graph.dims import Shape
from zhisuan.graph.gradient_rule import GradientRule, parse_rule

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


Function = TypeVar("Function", bound=Callable[..., Any])
ShapeRule = Callable[[Call], Any]
DTypeRule = Callable[[Call], Any]
"""A `Shape` or a `DType`; for an op of several outputs a tuple of them."""


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
    reference: Callable[..., Any]
    shape: ShapeRule
    dtype: DTypeRule
    onnx: tuple[str, ...]
    onnx_note: str
    doc: str
    inputs: tuple[str, ...]
    min_inputs: int
    variadic: bool
    outputs: tuple[str, ...] = ("y",)
    aten: tuple[str, ...] = ()
    flat: str = ""
    has_state: bool = False
    steers: bool = False
    value: Callable[[Call], np.ndarray] | None = None
    attrs: Mapping[str, Attr] = field(default_factory=dict)

    @property
    def is_pure(self) -> bool:
        """Whether equal inputs always make equal outputs, so that it may run once or beforehand."""
        return not self.has_state and not self.steers

    @property
    def gradient(self) -> GradientRule | None:
        """The rule for going back through the op; None where `flat` says why there is none."""
        return GRADIENTS.get(self.name)

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

    def inferred(self, call: Call) -> tuple[tuple[DType, Shape], ...]:
        """Element type and shape of every output, by the op's own rules."""
        dtypes, shapes = self.dtype(call), self.shape(call)
        if len(self.outputs) == 1:
            return ((dtypes, shapes),)  # pyright: ignore
        several = dtypes if isinstance(dtypes, tuple) else (dtypes,) * len(self.outputs)
        return tuple(zip(several, shapes, strict=True))  # pyright: ignore

    def input_names(self, count: int) -> tuple[str, ...]:
        """What each of `count` inputs is called; the variadic ones are numbered."""
        if not self.variadic:
            return self.inputs[:count]
        plain = self.inputs[:-1]
        return plain + tuple(f"{self.inputs[-1]}[{i}]" for i in range(count - len(plain)))

    def results(self, *inputs: Any, **attrs: Any) -> tuple[Any, ...]:
        """What the reference makes, always as a tuple."""
        found = self.reference(*inputs, **attrs)
        return found if len(self.outputs) > 1 else (found,)

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
GRADIENTS: dict[str, GradientRule] = {}


def op(
    *,
    shape: ShapeRule,
    dtype: DTypeRule,
    onnx: str | tuple[str, ...] = (),
    onnx_note: str = "",
    aten: str | tuple[str, ...] = (),
    outputs: tuple[str, ...] = ("y",),
    flat: str = "",
    steers: bool = False,
    value: Callable[[Call], np.ndarray] | None = None,
) -> Callable[[Function], Function]:
    """Register the decorated NumPy function as an op.

    `onnx` names the ONNX operators it imports from, `onnx_note` says why there is none; `aten`
    names PyTorch's operators of the same meaning; `flat` says why no gradient goes back through
    it; one that `steers` is a part of control flow; `value`
    gives an op whose result depends on shapes only (such as `shape`) its known value.
    """
    names = (onnx,) if isinstance(onnx, str) else onnx

    def register(function: Function) -> Function:
        name = function.__name__.rstrip("_")
        if name in OPS:
            raise AssertionError(f"op '{name}' is declared twice")
        kinds = inspect.Parameter
        parameters = list(inspect.signature(function).parameters.values())
        has_state = bool(parameters) and parameters[0].name == "state"
        parameters = parameters[has_state:]
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
            min_inputs=max(len(inputs) - len(plain), sum(p.default is kinds.empty for p in plain)),
            variadic=len(inputs) > len(plain),
            outputs=outputs,
            aten=(aten,) if isinstance(aten, str) else aten,
            flat=flat,
            has_state=has_state,
            steers=steers,
            value=value,
            attrs={
                p.name: _attr(p.name, hints[p.name], p.default)
                for p in parameters
                if p.kind is kinds.KEYWORD_ONLY
            },
        )
        return function

    return register


def gradient(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function as the gradient rule of op `name` (`gradient_rule`)."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        row = OPS[name]
        if name in GRADIENTS or row.flat:
            raise AssertionError(f"op '{name}' has more than one word on its gradient")
        GRADIENTS[name] = parse_rule(
            function, row.inputs, row.outputs, tuple(row.attrs), row.variadic
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
