"""BCL source → program: the stages in order, and the cache around them.

In: kernel source.  Out: `Compiled`: the program, LLVM IR and assembly as text.  Compiling the
same source again reads the cache and starts no compiler.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache as remember
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from zhisuan.arch.load import DEFAULT, load
from zhisuan.arch.machine import Machine
from zhisuan.base import cache, clang
from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import diagnostics, driver, header, ir
from zhisuan.bcl.allocate import allocate
from zhisuan.bcl.architecture import defined_for
from zhisuan.bcl.code import ALLOCATABLE
from zhisuan.bcl.debug_build import DebugBuilder
from zhisuan.bcl.debug_flow import Follower
from zhisuan.bcl.debug_moves import Located
from zhisuan.bcl.debug_notes import ProgramNotes
from zhisuan.bcl.delay import delay_syncs
from zhisuan.bcl.emit import Emitter
from zhisuan.bcl.fold import fold
from zhisuan.bcl.layout import QUALIFIERS, lay_out
from zhisuan.bcl.legalize import legalize
from zhisuan.bcl.link import LIBRARY, complete, link, reachable
from zhisuan.bcl.order import add_syncs
from zhisuan.bcl.read_llvm import read_module
from zhisuan.bcl.reuse import reuse
from zhisuan.bcl.scalarize import scalarize
from zhisuan.bcl.select import select
from zhisuan.bcl.strength import reduce_addresses
from zhisuan.bcl.verify import verify
from zhisuan.isa.disasm import disassemble
from zhisuan.isa.program import Parameter, Program


@dataclass(frozen=True)
class Compiled:
    """What a compilation gives; `llvm` and `assembly` are for people to read.

    `compiled.NAME[dims, type, queue](arguments…)` calls a kernel on a card of `machine`; so does
    `compiled["f<float>"]` with an instance of a template.
    """

    program: Program
    llvm: str
    assembly: str
    machine: str | Machine = DEFAULT

    @functools.cached_property
    def module(self) -> Any:
        """The kernels on a card of their own; what calls them is the `runtime`'s."""
        (point,) = entry_points(group="zhisuan.launch")
        return point.load()(self)

    def __getitem__(self, kernel: str) -> Any:
        return self.module[kernel]

    def __getattr__(self, name: str) -> Any:
        if "program" not in self.__dict__ or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.module, name)


def compile(
    source: str,
    filename: str = "kernels.bcl",
    *,
    machine: str | Machine | None = None,
    optimize: int = 2,
    defines: Mapping[str, object] | None = None,
    include_dirs: Sequence[Path | str] = (),
    language: str = "bcl",
    debug: bool = False,
) -> Compiled:
    """Compile the kernels in `source`.

    `filename` names the source in messages and finds quoted includes beside it; `optimize` is
    clang's level 0 to 3; `language` "c" takes C as it is, without the built-ins, with double in
    software.  With `debug` the program has a table of its variables (`Program.debug`), and the same
    instructions.  With a `machine` the architecture follows it, and its kernels can be called
    there.  Errors carry file, line, column and the line's text.
    """
    chip = load(machine) if isinstance(machine, str) else machine
    defines = {**(defined_for(chip) if chip else {}), **(defines or {})}
    key = _key(source, filename, optimize, defines, include_dirs, language, debug)
    found = cache.get("bcl", key, suffix=".bclz")
    if found is not None:
        return replace(_unpack(found.read_bytes()), machine=chip or DEFAULT)
    try:
        llvm = driver.to_llvm(
            source, filename, optimize=optimize, defines=defines, include_dirs=include_dirs,
            language=language,
        )  # fmt: skip
    except ZhisuanError as error:
        folders = driver.search_folders(filename, include_dirs)
        raise diagnostics.explained(error, filename, folders) from None
    program = from_llvm(
        llvm, Path(filename).stem, {filename: source}, soft_double=True, debug=debug
    )
    compiled = Compiled(program, llvm, disassemble(program), chip or DEFAULT)
    cache.put("bcl", key, _pack(compiled), suffix=".bclz")
    return compiled


def from_llvm(
    llvm: str,
    name: str,
    sources: Mapping[str, str] | None = None,
    *,
    registers: tuple[int, ...] = ALLOCATABLE,
    more: Sequence[str] = (),
    soft_double: bool = False,
    debug: bool = False,
) -> Program:
    """The program `name` from LLVM IR text; `sources` (file → text) serve error messages.

    `registers` are those that functions may use: fewer make a test of spilling.  `more` are
    modules to link with this one.  With `soft_double` the library computes in double; without
    it a double is an error.  With `debug` the program has a table of its variables.
    """
    notes = ProgramNotes() if debug else None
    module = link([read_module(text, dict(sources or {}), notes) for text in (llvm, *more)])
    fold(module)
    scalarize(module)
    legalize(module, soft_double=soft_double)
    kernels = [f for f in module.functions.values() if module.is_kernel(f.name)]
    if not kernels:
        raise ZhisuanError(
            "there is no kernel in this source",
            where=next(iter(sources or {}), None),
            expected="a function marked __mlu_entry__ (or __mlu_global__, __dlp_entry__)",
        )
    _refuse_equal_names(kernels)
    _refuse_memories(module)
    complete(module, [kernel.name for kernel in kernels])
    functions = _wanted(module, kernels)
    for function in functions:
        reduce_addresses(function)
    verify(module)
    layout = lay_out(module, functions)
    emitter = Emitter(name, layout)
    builder = DebugBuilder(notes or ProgramNotes(), layout)
    known = {function.name for function in functions}
    for function in functions:
        known_of = notes.functions.get(function.name) if notes else None
        code, watches = select(function, layout, module.is_kernel(function.name), known, known_of)
        add_syncs(code)
        follower = Follower(code, watches)
        homes = allocate(code, registers)
        delay_syncs(code)
        located = Located(code, follower, homes)
        located.follow(reuse(code, is_followed=bool(located.moving)))
        builder.add(code, function, located, emitter)
    program = emitter.program([(kernel, _parameters(kernel)) for kernel in kernels])
    if debug:
        program.debug = builder.table(emitter.files)
        program.files = tuple(emitter.files)
    return program


def _parameters(kernel: ir.Function) -> tuple[Parameter, ...]:
    return tuple(Parameter(p.name, p.kind or "ptr") for p in kernel.parameters)


def _refuse_equal_names(kernels: list[ir.Function]) -> None:
    seen: dict[str, ir.Function] = {}
    for kernel in kernels:
        if kernel.source_name in seen:
            raise ZhisuanError(
                f"two kernels are called '{kernel.source_name}'",
                where=kernel.place,
                hint="a launch names a kernel without its parameter types: rename one of them",
            )
        seen[kernel.source_name] = kernel


def _refuse_memories(module: ir.Module) -> None:
    """Functions lie in no memory that a program could name."""
    for function in module.functions.values():
        named = module.annotations.get(function.name, set()) & QUALIFIERS.keys()
        if named:
            raise ZhisuanError(
                f"'{function.source_name}' is a function, and has no memory",
                where=function.place,
                expected="arrays and pointers behind " + ", ".join(QUALIFIERS.values()),
                found=", ".join(QUALIFIERS[space] for space in sorted(named)),
            )


def _wanted(module: ir.Module, kernels: list[ir.Function]) -> list[ir.Function]:
    """Kernels and the functions they refer to, in source order, the first one a kernel.

    A function's address is the index of its first word, and 0 is no function.
    """
    seen = set(reachable(module, [kernel.name for kernel in kernels]))
    found = [function for function in module.functions.values() if function.name in seen]
    return found if found[0] in kernels else sorted(found, key=lambda f: f not in kernels)


# -- cache --------------------------------------------------------------------------------


@remember
def compiler_version() -> str:
    """Changes whenever this compiler, its headers or the instruction table change."""
    here = Path(__file__).parent
    hasher = hashlib.sha256(header.text().encode())
    files = [*here.glob("*.py"), *driver.INCLUDE.rglob("*.h"), *LIBRARY.glob("*.c"),
             *(here.parent / "isa").glob("*.py")]  # fmt: skip
    for path in sorted(files):
        hasher.update(path.name.encode() + path.read_bytes())
    return hasher.hexdigest()


def _key(
    source: str,
    filename: str,
    optimize: int,
    defines: Mapping[str, object],
    include_dirs: Sequence[Path | str],
    language: str,
    debug: bool,
) -> list[str]:
    parts = [compiler_version(), clang.version(), language, source, filename, str(optimize)]
    parts += ["debug"] if debug else []
    parts.append(json.dumps({name: str(value) for name, value in sorted(defines.items())}))
    for path in driver.included_files(source, driver.search_folders(filename, include_dirs)):
        parts += [str(path), path.read_text(encoding="utf-8", errors="replace")]
    return parts


def _pack(compiled: Compiled) -> bytes:
    pieces = [
        compiled.program.to_bytes(),
        compiled.llvm.encode(),
        compiled.assembly.encode(),
    ]
    head = json.dumps([len(piece) for piece in pieces]).encode()
    return len(head).to_bytes(8, "little") + head + b"".join(pieces)


def _unpack(raw: bytes) -> Compiled:
    start = 8 + int.from_bytes(raw[:8], "little")
    pieces = []
    for size in json.loads(raw[8:start]):
        pieces.append(raw[start : start + size])
        start += size
    return Compiled(Program.from_bytes(pieces[0]), pieces[1].decode(), pieces[2].decode())
