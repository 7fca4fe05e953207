"""`zhisuan bcl compile`, `asm`, `disasm`: a program from one form to the next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zhisuan.isa.program import Program

Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="File to write.", show_default=False)
]

Debug = Annotated[
    bool, typer.Option("-g", help="Keep names, types and places of variables for a debugger.")
]


def bcl(
    file: Annotated[Path, typer.Argument(help="Kernel source, a .bcl file.")],
    output: Output = None,
    emit: Annotated[
        Path | None,
        typer.Option("--emit", help="Folder for LLVM IR, assembly and program.",
                     show_default=False),
    ] = None,
    include: Annotated[
        list[Path] | None,
        typer.Option("-I", "--include", help="Folder to search for headers.", show_default=False),
    ] = None,
    define: Annotated[
        list[str] | None,
        typer.Option("-D", "--define", help="Macro: NAME=VALUE.", show_default=False),
    ] = None,
    optimize: Annotated[int, typer.Option("-O", min=0, max=3, help="Optimisation level.")] = 2,
    debug: Debug = False,
) -> None:  # fmt: skip
    """Compile kernel source (.bcl) to a program."""
    from zhisuan import bcl as compiler
    from zhisuan.base.files import Outputs
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen
    from zhisuan.cli.values import pair

    text = read_source(file, ".bcl")
    target = output or file.with_suffix(".dlp")
    names.check_distinct({"FILE": file}, {"--output": target})
    with Outputs() as claimed:
        program_file = claimed.file(target)
        folder = claimed.folder(emit) if emit is not None else None
        compiled = compiler.compile(
            text,
            file.name,
            optimize=optimize,
            defines=dict(pair(item, "--define", "TILE=64") for item in define or []),
            include_dirs=(file.parent, *(include or [])),
            debug=debug,
        )
        program_file.write_bytes(compiled.program.to_bytes())
        if folder is not None:
            (folder / f"1-{file.name}").write_text(text, encoding="utf-8")
            (folder / f"2-{file.stem}.ll").write_text(compiled.llvm, encoding="utf-8")
            (folder / f"3-{file.stem}.dlps").write_text(compiled.assembly, encoding="utf-8")
            (folder / f"4-{file.stem}.dlp").write_bytes(compiled.program.to_bytes())
    print(_summary(compiled.program))
    screen.show_written({"program": target, **({"steps": emit} if emit is not None else {})})


def asm(
    file: Annotated[Path, typer.Argument(help="Assembly, a .dlps file.")],
    output: Output = None,
) -> None:
    """Assemble text (.dlps) to a program (.dlp)."""
    from zhisuan.base.files import Outputs
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen
    from zhisuan.isa.asm import assemble

    text = read_source(file, ".dlps")
    target = output or file.with_suffix(".dlp")
    names.check_distinct({"FILE": file}, {"--output": target})
    with Outputs() as claimed:
        program_file = claimed.file(target)
        program = assemble(text, str(file))
        program_file.write_bytes(program.to_bytes())
    print(_summary(program))
    screen.show_written({"program": target})


def disasm(
    file: Annotated[Path, typer.Argument(help="A program, a .dlp file.")],
    output: Output = None,
    words: Annotated[
        bool, typer.Option("--words", help="Show each instruction's index and 64-bit word.")
    ] = False,
) -> None:
    """Show a program (.dlp) as assembly."""
    from zhisuan.base.files import write_atomically
    from zhisuan.isa.disasm import disassemble
    from zhisuan.isa.program import Program

    _existing(file)
    program = Program.load(file)
    text = disassemble(program, words=words, sources=_sources(program, file.parent))
    if output is None:
        print(text, end="")
    else:
        write_atomically(output, text)


def _sources(program: Program, folder: Path) -> dict[str, list[str]]:
    """The lines of the program's source files that lie beside it or where their names say."""
    found = {}
    for name in program.files:
        for path in (folder / name, Path(name), *sorted(folder.glob(f"*-{name}"))):
            if path.is_file():
                found[name] = path.read_text(encoding="utf-8", errors="replace").splitlines()
                break
    return found


def _summary(program: Program) -> str:
    from zhisuan.cli.signature import parameters

    kernels = [
        f"{kernel.name}({parameters(kernel) if kernel.parameters else ''})"
        for kernel in program.kernels.values()
    ]
    return f"{len(program.words):,} instructions; {', '.join(kernels) or 'no kernels'}"


def read_source(path: Path, suffix: str) -> str:
    from zhisuan.base.errors import ZhisuanError

    _existing(path)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ZhisuanError(
            f"'{path.name}' is not text",
            where=str(path),
            expected=f"a {suffix} file in UTF-8",
            found=f"bytes that are not UTF-8 at offset {error.start:,}",
        ) from error


def _existing(path: Path) -> None:
    from zhisuan.base.errors import ZhisuanError

    if not path.is_file():
        raise ZhisuanError(
            "no such file",
            where=str(path),
            expected="an existing file",
            found="a folder" if path.is_dir() else "nothing",
        )
