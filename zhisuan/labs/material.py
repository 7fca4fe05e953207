"""What a lab's own module gives: how arguments are drawn, and what the outputs must be.

Comes in: `lab.py` of a lab's folder.  Goes out: its functions.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhisuan.labs.lab_file import Lab

FILE = "lab.py"

Values = Mapping[str, Any]
"""Arguments by name of the parameter: arrays and numbers."""


@dataclass(frozen=True)
class Material:
    """`inputs(random, **case)` draws arguments, those of pointers as arrays, outputs left out;
    `reference(**inputs)` gives the outputs.  A name that both give is changed in place.

    Of labs with an op, `tensors(random, **case)` draws its inputs and attributes, and
    `expected(*inputs, **attributes)` gives its result.
    """

    inputs: Callable[..., Values]
    reference: Callable[..., Mapping[str, np.ndarray]]
    tensors: Callable[..., tuple[list[np.ndarray], Values]] | None = None
    expected: Callable[..., np.ndarray] | None = None


def load(lab: Lab) -> Material:
    """The lab's module, loaded from its folder."""
    spec = importlib.util.spec_from_file_location(f"lab_{lab.name}", lab.folder / FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    more = (getattr(module, name, None) for name in ("tensors", "expected"))
    return Material(module.inputs, module.reference, *more)
