"""A student's part under judgement: compiled once, launched once a case and way.

Comes in: a part, its material, the text that was handed in, a seed.  Goes out: runs, each with
what is wrong with its values.  Inputs are drawn by the seed, so no answer can know them.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zhisuan import bcl
from zhisuan.arch.machine import Machine
from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.base.files import read_text
from zhisuan.bcl.architecture import defined_for
from zhisuan.isa.program import Kernel, Program
from zhisuan.labs.compare import difference
from zhisuan.labs.lab_file import Case, Part
from zhisuan.labs.launch import Launched, launch
from zhisuan.labs.material import Material
from zhisuan.sim.checks.run import CHECKS

MOST_NOTES = 10_000_000
"""Scalar loads and stores of a launch that can be checked: each leaves a note."""


@dataclass(frozen=True)
class Run:
    """A launch for a case; `wrong` says what is wrong with its values."""

    text: str
    done: Launched
    expected: Mapping[str, np.ndarray]
    wrong: str | None


@dataclass
class Work:
    """`file` is what was handed in, `answer` the reference answer."""

    part: Part
    material: Material
    machine: Machine
    file: Path
    answer: Path
    seed: int
    _program: Program | ZhisuanError | None = None
    _runs: dict[str, Run] = field(default_factory=dict)
    _answers: dict[str, int] = field(default_factory=dict)

    def ready(self) -> None:
        """Raise what is wrong with the file or its kernel."""
        self.program()

    def program(self) -> Program:
        """The compiled file; what is wrong with it or its kernel is raised, each time."""
        if self._program is None:
            try:
                self._program = compiled(self.file, self.part, self.machine)
            except ZhisuanError as error:
                self._program = error
        if isinstance(self._program, ZhisuanError):
            raise self._program
        return self._program

    def run(self, case: Case) -> Run:
        """The case under all checks; without them, if the kernel stops, or has more scalar
        accesses than can be noted."""
        plain = self.timed(case)
        hopeless = plain.done.fault is not None or plain.done.scalar_accesses > MOST_NOTES
        return plain if hopeless else self._run(case, CHECKS)

    def traced(self, case: Case) -> Run:
        """The case, whose values are wrong, under checks, which know who wrote what; without them
        if the values are right then."""
        checked = self.run(case)
        return self.timed(case) if checked.wrong is None else checked

    def timed(self, case: Case) -> Run:
        """The case without checks, at the sizes where time counts."""
        return self._run(case, ())

    def answer_cycles(self, case: Case) -> int:
        """Cycles of the reference answer for the case."""
        key = _key(case)
        if key not in self._answers:
            program = compiled(self.answer, self.part, self.machine)
            _, values = self._drawn(case)
            expected = self.material.reference(**values)
            done = launch(program, self.part, self.machine, values, expected, ())
            self._answers[key] = done.cycles
        return self._answers[key]

    def _run(self, case: Case, checks: tuple[str, ...]) -> Run:
        key = _key(case, *checks)
        if key not in self._runs:
            text, values = self._drawn(case)
            expected = self.material.reference(**values)
            done = launch(self.program(), self.part, self.machine, values, expected, checks)
            wrong = difference(done, self.part, values, expected)
            self._runs[key] = Run(text, done, expected, wrong)
        return self._runs[key]

    def _drawn(self, case: Case) -> tuple[str, Mapping[str, Any]]:
        """The case in words, and arguments for it; the same for the same seed and case."""
        random = np.random.default_rng([self.seed, zlib.crc32(_key(case).encode())])
        fixed = {
            name: int(random.integers(value[0], value[1] + 1))
            if isinstance(value, tuple)
            else value
            for name, value in case.items()
        }
        text = ", ".join(f"{name} = {value}" for name, value in fixed.items())
        return text, self.material.inputs(random, **fixed)


def compiled(file: Path, part: Part, machine: Machine) -> Program:
    """The program of a file that has the part's kernel with its parameters."""
    source = read_text(file)
    program = bcl.compile(
        source, file.name, defines=defined_for(machine), include_dirs=(file.parent,)
    ).program
    if part.kernel not in program.kernels:
        raise ZhisuanError(
            f"there is no kernel '{part.kernel}'",
            where=file.name,
            expected=_signature(part),
            found=", ".join(program.kernels),
            hint=did_you_mean(part.kernel, program.kernels),
        )
    kernel = program.kernels[part.kernel]
    if [p.kind for p in kernel.parameters] != [kind for kind, _ in part.parameters]:
        raise ZhisuanError(
            f"kernel '{part.kernel}' has other parameters than the lab's",
            where=program.place(kernel.entry),
            expected=_signature(part),
            found=_found(kernel),
        )
    return program


def _signature(part: Part) -> str:
    return f"{part.kernel}({', '.join(f'{kind} {name}' for kind, name in part.parameters)})"


def _found(kernel: Kernel) -> str:
    return f"{kernel.name}({', '.join(f'{p.kind} {p.name}' for p in kernel.parameters)})"


def _key(case: Case, *more: str) -> str:
    return json.dumps([dict(case), *more])
