"""Kernels as a host program names them, and their arguments as it passes them.

Comes in: what a shared object registers, then stubs and argument bytes.  Goes out: programs,
kernels, numbers.  It launches nothing.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from zhisuan.base import dtype as dtypes
from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl.host import HEAD, MAGIC, unpack
from zhisuan.isa.program import Kernel, Parameter, Program
from zhisuan.runtime.card import Card, wrong_count
from zhisuan.runtime.status import CallError, Status
from zhisuan.sim.tasks import Dims


@dataclass
class Pending:
    """A launch between its `<<<…>>>`, at `place` in the source, and its call."""

    dims: Dims
    task_type: str
    queue: int
    place: str
    values: list[bytes] = field(default_factory=list)


def sizes_of(kernel: Kernel) -> list[int]:
    """Bytes of each argument, for a host that gives their addresses alone."""
    if any(parameter.kind == "struct" for parameter in kernel.parameters):
        raise CallError(
            Status.cnrtErrorArgsInvalid,
            f"kernel '{kernel.name}' takes a structure, whose size cnrtInvokeKernel does not tell",
            hint=f"{kernel.name}<<<dim, type, queue>>>(…)",
        )
    return [_number(parameter).itemsize for parameter in kernel.parameters]


def _number(parameter: Parameter) -> np.dtype:
    return np.dtype(np.uint64) if parameter.is_pointer else dtypes.dtype(parameter.kind).numpy


class Kernels:
    """Stubs, the addresses by which host code calls kernels, and what they stand for."""

    def __init__(self) -> None:
        self.programs: list[Program] = []
        self._symbols: list[dict[str, str]] = []
        self._of_stub: dict[int, tuple[int, str]] = {}

    def add_program(self, data: int) -> int:
        """Enter the program at an address of the host; its handle, never 0."""
        magic, names, body = HEAD.unpack(ctypes.string_at(data, HEAD.size))
        if magic != MAGIC:
            raise ZhisuanError("the shared object carries no program of this kind")
        kernels, program = unpack(ctypes.string_at(data, HEAD.size + names + body))
        self._symbols.append(kernels)
        self.programs.append(program)
        return len(self.programs)

    def add(self, handle: int, stub: int, symbol: str) -> None:
        kernel = self._symbols[handle - 1].get(symbol)
        if kernel is not None:
            self._of_stub[stub] = handle - 1, kernel

    def find(self, stub: int) -> tuple[Program, str]:
        """The kernel behind a stub; anything else is an error that lists the kernels."""
        if stub not in self._of_stub:
            known = [name for program in self.programs for name in program.kernels]
            raise CallError(
                Status.cnrtErrorArgsInvalid,
                "launch of something that is no kernel",
                expected="one of " + ", ".join(known) if known else "a kernel: there are none",
                found=f"address 0x{stub:x}",
                hint="mark the function __mlu_entry__ or __mlu_global__",
            )
        index, kernel = self._of_stub[stub]
        return self.programs[index], kernel

    def arguments(
        self, kernel: Kernel, values: Sequence[bytes], card: Card
    ) -> tuple[list[int | float], list[int]]:
        """Numbers from the bytes that the host passes, by the kinds of the parameters.

        Also the addresses on the card of structures' copies, to be freed after the launch.
        """
        if len(values) != len(kernel.parameters):
            raise wrong_count(kernel.name, [p.name for p in kernel.parameters], len(values))
        found: list[int | float] = []
        copies: list[int] = []
        for parameter, raw in zip(kernel.parameters, values, strict=True):
            if parameter.kind == "struct":
                copies.append(card.allocate(len(raw), f"argument '{parameter.name}'"))
                card.write(copies[-1], np.frombuffer(raw, np.uint8))
                found.append(copies[-1])
                continue
            kind = _number(parameter)
            if len(raw) != kind.itemsize:
                raise CallError(
                    Status.cnrtErrorArgsInvalid,
                    f"argument '{parameter.name}' of kernel '{kernel.name}' has another size",
                    expected=f"{kind.itemsize} bytes, {parameter.kind}",
                    found=f"{len(raw)} bytes",
                )
            found.append(np.frombuffer(raw, kind)[0].item())
        return found, copies
