"""Zhisuan: an intelligent computing system, from network to cycles, on a laptop.

The names people program with, each brought in from its room when first used:

    import zhisuan as zs
    x = zs.tensor([1.0, 2.0], requires_grad=True)
    module = zs.bcl.compile(source)
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_ROOMS = {
    "Tensor": "eager",
    "enable_grad": "eager",
    "grad": "eager",
    "is_grad_enabled": "eager",
    "no_grad": "eager",
    "set_grad_enabled": "eager",
    "tensor": "eager",
    "F": "graph.handle",
    "device": "session.devices",
    "kernel_op": "lower.kernel_op",
    "Graph": "session.graph",
    "Session": "session.session",
    "Variable": "session.variables",
    "cond": "session.control_flow",
    "current_graph": "session.graph",
    "global_variables_initializer": "session.variables",
    "gradients": "session.gradients",
    "while_loop": "session.control_flow",
}
"""Public name → the module under zhisuan/ that has it."""


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'zhisuan' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
