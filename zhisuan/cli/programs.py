"""`zhisuan bcl`: kernel source compiled; whole programs, kernels and `main`, run, built, shown.

`zhisuan bcl FILE` is short for `zhisuan bcl compile FILE`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from zhisuan.cli import check as checks
from zhisuan.cli import options, translate
from zhisuan.cli.check import Check

if TYPE_CHECKING:
    from zhisuan.arch.machine import Machine as MachineOf
    from zhisuan.report.model import RunReport
    from zhisuan.runtime.host_run import HostRun

MACHINE = "mlu370"
"""The machine of programs that name none: public ones are written for chips with clusters."""
_SHORT = "compile"


class _Group(TyperGroup):
    """A first argument that is no command is a file to compile."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            args = [_SHORT, *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0].startswith("-") and args[0] != "--help":
            args = [_SHORT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Compile kernels; run whole programs.",
)
app.command(_SHORT)(translate.bcl)

Words = Annotated[
    list[str],
    typer.Argument(help="The program's files (.mlu, .bcl, .cpp), then arguments for its main."),
]
Include = Annotated[
    list[Path] | None,
    typer.Option("-I", "--include", help="Folder to search for headers.", show_default=False),
]
Define = Annotated[
    list[str] | None,
    typer.Option("-D", "--define", help="Macro: NAME or NAME=VALUE.", show_default=False),
]
Level = Annotated[int, typer.Option("-O", min=0, max=3, help="Optimisation level.")]


@app.command()
def run(
    words: Words,
    include: Include = None,
    define: Define = None,
    optimize: Level = 2,
    debug: translate.Debug = False,
    machine: options.Machine = MACHINE,
    report: options.Report = None,
    trace: options.Trace = None,
    check: Check = None,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Print what the program prints and no more.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Compile a whole program and run its main; then tell what the chip did.

    Arguments that begin with a dash stand after `--`.  Exits as the program does.
    """
    from zhisuan.arch import load as machines
    from zhisuan.base.files import Outputs
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen
    from zhisuan.runtime import host_run

    files, arguments = split_words(words)
    chip = machines.load(machine or MACHINE)
    asked = checks.names(check)
    wanted = {"--report": report, "--trace": trace}
    names.check_distinct({f"FILE {file}": file for file in files}, wanted)
    with Outputs() as claimed:
        out = {name: claimed.file(path) for name, path in wanted.items() if path is not None}
        library = build_library(files, chip, include, define, optimize, debug)
        done = host_run.run(
            library, arguments, machine or MACHINE, name=str(files[0]), checks=asked
        )
        told = report_of(done, files[0], machine or MACHINE)
        if told is None and out:
            _refuse_outputs(done, list(out))
        if told is not None and report is not None:
            from zhisuan.report.html import page

            out["--report"].write_text(page(told), encoding="utf-8")
        if told is not None and trace is not None:
            out["--trace"].write_bytes(told.trace.to_bytes())
    if told is not None and not quiet:
        print(file=sys.stderr if as_json else sys.stdout)
        screen.show_report(told, as_json)
        written = {"report": report, "trace": trace}
        screen.show_written({k: v for k, v in written.items() if v is not None}, as_json)
    sys.stdout.flush()
    raise typer.Exit(done.status)


@app.command()
def build(
    words: Words,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")],
    include: Include = None,
    define: Define = None,
    optimize: Level = 2,
    debug: translate.Debug = False,
    machine: options.Machine = MACHINE,
) -> None:
    """Compile a whole program to a file that runs, on this machine's Python and Zhisuan."""
    from zhisuan.arch import load as machines
    from zhisuan.base.files import write_atomically
    from zhisuan.cli import outputs as names
    from zhisuan.cli import screen
    from zhisuan.runtime import host_archive

    files, arguments = split_words(words)
    if arguments:
        raise _not_a_file(arguments[0])
    chip = machines.load(machine or MACHINE)
    names.check_distinct({f"FILE {file}": file for file in files}, {"--output": output})
    library = build_library(files, chip, include, define, optimize, debug)
    write_atomically(output, host_archive.pack(library.read_bytes(), machine or MACHINE))
    output.chmod(output.stat().st_mode | 0o111)
    screen.show_written({"program": output})


@app.command()
def asm(
    file: Annotated[Path, typer.Argument(help="A file with kernels, .mlu or .bcl.")],
    output: translate.Output = None,
    include: Include = None,
    define: Define = None,
    optimize: Level = 2,
    debug: translate.Debug = False,
) -> None:
    """Show the assembly of a file's kernels."""
    from zhisuan import bcl
    from zhisuan.base.files import write_atomically

    text = bcl.compile(
        translate.read_source(file, ".bcl"),
        file.name,
        optimize=optimize,
        defines=macros(define),
        include_dirs=(file.parent, *(include or [])),
        debug=debug,
    ).assembly
    if output is None:
        print(text, end="")
    else:
        write_atomically(output, text)


def build_library(
    files: list[Path], chip: MachineOf, include: list[Path] | None, define: list[str] | None,
    optimize: int, debug: bool = False,
) -> Path:  # fmt: skip
    from zhisuan.bcl import host
    from zhisuan.bcl.architecture import defined_for

    defines = {**defined_for(chip), **macros(define)}
    return host.build(files, include_dirs=include or [], defines=defines, optimize=optimize,
                      debug=debug)  # fmt: skip


def macros(define: list[str] | None) -> dict[str, str]:
    """`NAME` is 1, as compilers have it."""
    from zhisuan.cli.values import pair

    return dict(
        pair(item if "=" in item else f"{item}=1", "--define", "TILE=64") for item in define or []
    )


def split_words(words: list[str]) -> tuple[list[Path], list[str]]:
    """The program's files, then its arguments: files end with the first that is no source."""
    from zhisuan.bcl.host import KERNEL_FILES, PLAIN_FILES

    sources = (*KERNEL_FILES, *PLAIN_FILES)
    count = 0
    while count < len(words) and Path(words[count]).suffix in sources:
        count += 1
    if not count:
        raise _not_a_file(words[0])
    return [Path(word) for word in words[:count]], words[count:]


def _not_a_file(word: str) -> Exception:
    from zhisuan.base.errors import ZhisuanError
    from zhisuan.bcl.host import KERNEL_FILES, PLAIN_FILES

    return ZhisuanError(
        f"'{word}' is no file of a program",
        expected="files ending in " + ", ".join((*KERNEL_FILES, *PLAIN_FILES)),
        found=Path(word).suffix or "no extension",
    )


def report_of(done: HostRun, file: Path, machine: str) -> RunReport | None:
    """What the chip did; None where it did nothing, or a kernel stopped."""
    from zhisuan.arch import load as machines
    from zhisuan.report.model import RunReport, layers_of_trace
    from zhisuan.sim.timing import replay

    if done.trace is None or not done.trace.launches:
        return None
    chip = machines.load(machine)
    return RunReport(
        title=f"{file.name} on {chip.name}",
        machine=chip,
        timing=replay(done.trace, chip),
        trace=done.trace,
        layers=layers_of_trace([launch.label for launch in done.trace.launches]),
        programs=done.programs,
    )


def _refuse_outputs(done: HostRun, named: list[str]) -> None:
    from zhisuan.base.errors import ZhisuanError

    raise ZhisuanError(
        f"there is nothing to write for {' and '.join(named)}",
        found=f"no trace: the program ended with status {done.status}"
        if done.trace is None
        else "no launches: the program launched no kernel",
    )
