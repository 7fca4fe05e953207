"""An op of the framework made from a kernel: its meaning in NumPy, its work on the chip.

    @kernel_op(
        reference=lambda a, b: (a - b) ** 2,
        gradient=lambda g, a, b: (g * 2 * (a - b), g * 2 * (b - a)),
    )
    def squared_difference(out, a, b):
        module.squared_difference[4, "UNION1"](out, a, b, out.size)

    squared_difference(x.to("dlp"), y.to("dlp"))

The decorated function launches; it is given arrays, results first, then inputs, then attributes,
and is called for tensors on a DLP.  On other devices the reference runs.  Both are one row of the
registry, so the op has a place in graphs, and its gradient in every face.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import registry
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import first_dtype, same_shape
from zhisuan.graph.registry import OPS, DTypeRule, ShapeRule

Launch = Callable[..., None]
LAUNCHES: dict[str, Launch] = {}
"""What launches the ops that are made from kernels."""


def kernel_op(
    *,
    reference: Callable[..., Any],
    gradient: Callable[..., Any] | str,
    shape: ShapeRule = same_shape,
    dtype: DTypeRule = first_dtype,
) -> Callable[[Launch], Callable[..., Any]]:
    """Make the decorated launch function an op, which is called like any other on tensors.

    `reference` is the op in NumPy: its parameters name the inputs and, behind a `*`, the attributes
    with their types.  `gradient` is the op's rule (`graph.gradient_rule`), or a text that says why
    there is none.  Without `shape` and `dtype` the result is like the first input.
    """

    def register(launch: Launch) -> Callable[..., Any]:
        name = launch.__name__
        if name in OPS:
            raise ZhisuanError(f"there is an op '{name}' already", expected="a name of its own")
        _check_parameters(launch, reference)
        flat = gradient if isinstance(gradient, str) else ""
        enter = registry.op(shape=shape, dtype=dtype, flat=flat, onnx_note="made from a kernel")
        enter(_named(reference, launch))
        if not isinstance(gradient, str):
            registry.gradient(name)(gradient)
        LAUNCHES[name] = launch
        return getattr(F, name)

    return register


def _named(reference: Callable[..., Any], launch: Launch) -> Callable[..., Any]:
    """The reference under the op's name and with its documentation."""

    def named(*inputs: Any, **attrs: Any) -> Any:
        return reference(*inputs, **attrs)

    named.__name__ = launch.__name__
    named.__doc__ = launch.__doc__ or f"The kernel {launch.__name__}."
    named.__signature__ = inspect.signature(reference)  # pyright: ignore[reportFunctionMemberAccess]
    named.__annotations__ = dict(getattr(reference, "__annotations__", {}))
    return named


def _check_parameters(launch: Launch, reference: Callable[..., Any]) -> None:
    mine = list(inspect.signature(launch).parameters)
    theirs = list(inspect.signature(reference).parameters)
    if len(mine) <= len(theirs) or mine[-len(theirs) :] != theirs:
        raise ZhisuanError(
            f"'{launch.__name__}' does not take what its reference takes",
            expected=f"(out, {', '.join(theirs)})",
            found=f"({', '.join(mine)})",
            hint="results first, then the reference's parameters under their names",
        )
