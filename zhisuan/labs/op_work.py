"""A student's op under judgement: their module loaded, the op called on tensors.

Comes in: a part whose file makes an op of a kernel, its material, a seed.  Goes out: results and
gradients on the CPU, results on the chip.  What the module enters in the registries is taken out
again at the end.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.base.files import read_text
from zhisuan.eager import Tensor, grad, on
from zhisuan.graph.handle import F
from zhisuan.graph.registry import GRADIENTS, OPS, OpDef
from zhisuan.labs.lab_file import Case, Part
from zhisuan.labs.material import Material
from zhisuan.lower.kernel_op import LAUNCHES
from zhisuan.runtime.kernel_module import Launcher

MARK = 0x5A
"""What every byte is changed by that a watched kernel leaves in an array."""


@dataclass(frozen=True)
class Seen:
    """A launch from Python: the kernel, the arrays it was given as they were, those it may write
    to as it left them."""

    kernel: str
    given: tuple[np.ndarray, ...]
    left: tuple[np.ndarray, ...]


@dataclass
class OpWork:
    """`with OpWork(…) as work`: the module is loaded when first asked for."""

    part: Part
    material: Material
    file: Path
    seed: int
    _before: tuple[dict[str, Any], ...] = ()
    _tables: tuple[dict[str, Any], ...] = field(
        default_factory=lambda: (OPS, GRADIENTS, LAUNCHES, vars(F))
    )
    _loaded: ZhisuanError | bool = False

    def __enter__(self) -> OpWork:
        self._before = tuple(dict(table) for table in self._tables)
        return self

    def __exit__(self, *_: object) -> None:
        for table, before in zip(self._tables, self._before, strict=True):
            table.clear()
            table.update(before)

    @property
    def row(self) -> OpDef:
        return OPS[self.part.op]

    def ready(self) -> None:
        """Load the module; what is wrong with it is raised, each time."""
        if self._loaded is False:
            try:
                self._load()
                self._loaded = True
            except ZhisuanError as error:
                self._loaded = error
        if isinstance(self._loaded, ZhisuanError):
            raise self._loaded

    def drawn(self, case: Case) -> tuple[list[np.ndarray], Mapping[str, Any]]:
        """Inputs and attributes of the op; the same for the same seed and case."""
        assert self.material.tensors is not None
        key = zlib.crc32(repr(sorted(case.items())).encode())
        return self.material.tensors(np.random.default_rng([self.seed, key]), **case)

    def expected(self, arrays: list[np.ndarray], attrs: Mapping[str, Any]) -> np.ndarray:
        """The op's result in double precision."""
        assert self.material.expected is not None
        return self.material.expected(*(array.astype(np.float64) for array in arrays), **attrs)

    def call(
        self, arrays: list[np.ndarray], attrs: Mapping[str, Any], device: str, wanted: bool = False
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The op on tensors of a device: its result, and the tensors it was given."""
        tensors = tuple(on(array, device, wanted) for array in arrays)
        with _located(self.file):
            return tensors[0].apply(self.row, tensors, attrs), tensors

    def gradients(
        self, arrays: list[np.ndarray], attrs: Mapping[str, Any], weights: np.ndarray
    ) -> list[np.ndarray]:
        """Gradients of Σ weights · result, by the op's own rule, on the CPU."""
        result, tensors = self.call(arrays, attrs, "cpu", wanted=True)
        with _located(self.file):
            found = grad(result, tensors, grad_outputs=on(weights))
        return [item.numpy() for item in found]

    def _load(self) -> None:
        read_text(self.file)
        name = f"handed_in_{self.file.stem}"
        spec = importlib.util.spec_from_file_location(name, self.file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            with _located(self.file):
                spec.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = writes
        op = self.part.op
        if op not in LAUNCHES:
            made = sorted(set(LAUNCHES) - set(self._before[2]))
            raise ZhisuanError(
                f"{self.file.name} makes no op '{op}' of a kernel", where=str(self.file),
                expected=f"@zs.kernel_op(…) above a function called {op}",
                found=", ".join(made) or "no op",
            )  # fmt: skip


@contextmanager
def watched() -> Iterator[list[Seen]]:
    """Notes the launches of kernels from Python, and marks what they leave in arrays."""
    seen: list[Seen] = []
    real = Launcher.__call__

    def call(self: Launcher, *arguments: Any) -> None:
        arrays = [value for value in arguments if isinstance(value, np.ndarray)]
        given = tuple(array.copy() for array in arrays)
        real(self, *arguments)
        results = [array for array in arrays if array.flags.writeable]
        seen.append(Seen(self.kernel.name, given, tuple(array.copy() for array in results)))
        for array in results:
            array[...] = marked(array)

    Launcher.__call__ = call
    try:
        yield seen
    finally:
        Launcher.__call__ = real


def marked(array: np.ndarray) -> np.ndarray:
    """The array with every byte changed by MARK."""
    changed = np.frombuffer(array.tobytes(), np.uint8) ^ np.uint8(MARK)
    return changed.view(array.dtype).reshape(array.shape)


@contextmanager
def _located(file: Path) -> Iterator[None]:
    """Turn whatever a student's Python raises into an error that says where."""
    try:
        yield
    except ZhisuanError:
        raise
    except (Exception, SystemExit) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
        line = frames[-1].lineno if frames else getattr(error, "lineno", None)
        raise ZhisuanError(
            f"{file.name} stops", where=f"{file.name}:{line}" if line else file.name,
            found=f"{type(error).__name__}: {error}",
        ) from error  # fmt: skip
