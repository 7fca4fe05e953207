"""Gradients of what eager code computed: `backward` into `.grad`, `grad` as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.eager.grad_mode import set_grad_enabled
from zhisuan.eager.record import Record, before, step_of
from zhisuan.graph.handle import F, Handle
from zhisuan.graph.reverse import go_back


def backward(
    outputs: Sequence[Any],
    grads: Sequence[Any],
    retain_graph: bool = False,
    create_graph: bool = False,
) -> None:
    """Add d outputs / d leaf to `.grad` of every leaf that requires it."""
    records = before(outputs)
    found = _gradients(outputs, grads, records, create_graph)
    leaves = {item.key: item for item in outputs if item.is_leaf and item.requires_grad}
    for record in records:
        for item in record.inputs or ():
            if item.is_leaf and item.requires_grad:
                leaves[item.key] = item
    for key, leaf in leaves.items():
        if key in found:
            leaf.grad = found[key] if leaf.grad is None else leaf.grad + found[key]
    if not (retain_graph or create_graph):
        for record in records:
            record.release()


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """d outputs / d inputs, one tensor per input (None where unused and allowed)."""
    ys, xs = _listed(outputs), _listed(inputs)
    gs = [None] * len(ys) if grad_outputs is None else _listed(grad_outputs)
    records = before(ys)
    found = _gradients(ys, gs, records, create_graph)
    result = tuple(found.get(item.key) for item in xs)
    if any(item is None for item in result) and not allow_unused:
        raise ZhisuanError(
            "one of the inputs was not used for the outputs",
            expected="inputs that the outputs depend on",
            hint="grad(..., allow_unused=True) gives None for it",
        )
    keep = create_graph if retain_graph is None else retain_graph
    if not keep:
        for record in records:
            record.release()
    return result


def _listed(items: Any) -> list[Any]:
    return [items] if isinstance(items, Handle) else list(items)


def _gradients(
    outputs: Sequence[Any],
    grads: Sequence[Any],
    records: Sequence[Record],
    create_graph: bool,
) -> dict[Any, Any]:
    with set_grad_enabled(create_graph):
        seeds: dict[Any, Any] = {}
        pairs: Any = zip(outputs, grads, strict=True)
        for output, given in pairs:
            seed = _seed(output, given)
            seeds[output.key] = seeds[output.key] + seed if output.key in seeds else seed
        steps = (step_of(record, _outputs(record)) for record in records)
        return go_back(steps, seeds, _wanted)


def _wanted(item: Handle) -> bool:
    return getattr(item, "requires_grad", False)


def _outputs(record: Record) -> tuple[Any, ...]:
    """The outputs again, as parts of the same record; numbers only where the rule reads them."""
    assert record.inputs is not None
    like = record.inputs[0]
    made = []
    for index, (storage, dtype, shape) in enumerate(record.outputs):
        item = like.made(storage, dtype, shape)
        item.requires_grad, item.record, item.index = dtype.is_float, record, index
        made.append(item)
    return tuple(made)


def _seed(output: Any, given: Any) -> Any:
    if not output.requires_grad:
        raise ZhisuanError(
            "the tensor does not depend on anything that requires a gradient",
            expected="a result of tensors with requires_grad=True",
            found=repr(output)[:80],
        )
    if given is not None:
        if given.shape != output.shape:
            raise ZhisuanError(
                "the gradient does not fit the output",
                expected=str(list(output.shape)),
                found=str(list(given.shape)),
            )
        return given
    if np.prod(output.numpy().shape) != 1:
        raise ZhisuanError(
            "a gradient can be made up only for an output of one element",
            expected="a scalar such as a loss, or the gradient of the output",
            found=f"a tensor of shape {list(output.shape)}",
        )
    return F.ones_like(output.detach())
