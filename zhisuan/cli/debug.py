"""`zhisuan debug` and `zhisuan dap`: stop in kernels, step them forwards and back, look at them.

What is debugged: a kernel of a .bcl, .dlps or .dlp file, launched as `zhisuan run` launches it; a
launch of a .plan; a whole program, .mlu, host and kernels.  The command line and the arguments of
an editor's `launch` say the same (`Wanted`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhisuan.cli import options, programs
from zhisuan.cli.programs import Define, Include

if TYPE_CHECKING:
    from zhisuan.arch.machine import Machine
    from zhisuan.debug.launch import Launch
    from zhisuan.debug.target import Target
    from zhisuan.isa.program import Program

SOURCES = (".bcl", ".mlu")


def debug(
    words: Annotated[
        list[str],
        typer.Argument(help="A file with kernels, a .plan, or a program's files and arguments."),
    ],
    kernel: Annotated[
        str | None,
        typer.Option("--kernel", help="For a kernel: which one.", show_default=False),
    ] = None,
    arg: Annotated[
        list[str] | None,
        typer.Option("--arg", help="For a kernel: NAME=7, NAME=x.npy or NAME=f32[1024].",
                     show_default=False),
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option("--tasks", help="For a kernel: tasks to launch, 16 or 16x2x1 [one].",
                     show_default=False),
    ] = None,
    task_type: Annotated[
        str | None,
        typer.Option("--type", help="For a kernel: BLOCK, UNION1, UNION2, UNION4, UNION8 [BLOCK].",
                     show_default=False),
    ] = None,
    launch: Annotated[
        int, typer.Option("--launch", min=0, help="For a .plan: which launch, counted from 0.")
    ] = 0,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", help="For a .plan: its inputs [inputs.safetensors beside it].",
                     show_default=False),
    ] = None,
    include: Include = None,
    define: Define = None,
    optimize: Annotated[
        int, typer.Option("-O", min=0, max=3, help="Optimisation level of source files.")
    ] = 0,
    machine: options.Machine = None,
    commands: Annotated[
        Path | None,
        typer.Option("-x", "--commands", help="File of commands to begin with.",
                     show_default=False),
    ] = None,
    execute: Annotated[
        list[str] | None,
        typer.Option("-e", "--execute", help="A command to begin with.", show_default=False),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Leave when the commands are done.")
    ] = False,
) -> None:  # fmt: skip
    """Debug kernels: break, step, look at memory, and go back.

    `help` at the prompt lists its commands.
    """
    from zhisuan.base.files import read_text
    from zhisuan.debug.prompt import Prompt, read_history
    from zhisuan.debug.stop import Left

    script = read_text(commands).splitlines() if commands is not None else []
    wanted = Wanted(
        words, kernel, arg or [], tasks, task_type, launch, inputs, include or [], define or [],
        optimize, machine,
    )  # fmt: skip
    target = wanted.target()
    prompt = Prompt([*script, *(execute or [])], batch=batch, is_program=target.is_program)
    if not batch:
        read_history()
    try:
        target.run(prompt.debug, lambda _: None)
    except Left:
        return


def dap(
    port: Annotated[
        int | None,
        typer.Option("--port", help="Wait for the editor on a port of this machine; 0: any.",
                     show_default=False),
    ] = None,
) -> None:  # fmt: skip
    """Debug kernels from an editor.

    A debug adapter (DAP) on standard input and output, or on a port.
    """
    from zhisuan.debug.dap import serve

    status = serve.on_stdio(target_of) if port is None else serve.on_port(port, target_of)
    raise typer.Exit(status)


def target_of(arguments: dict[str, Any]) -> Target:
    """What an editor's `launch` asks for; its arguments are named in docs/debugger.md."""
    from zhisuan.base.errors import ZhisuanError

    folder = Path(str(arguments.get("cwd") or "."))

    def path(name: object) -> str:
        return str(folder / str(name))

    program = arguments.get("program")
    if not program:
        raise ZhisuanError("the launch names no program", expected='"program": "kernel.bcl"')
    files = program if isinstance(program, list) else [program]
    given = arguments.get("arguments") or {}
    texts = [f"{k}={v}" for k, v in given.items()] if isinstance(given, dict) else list(given)
    inputs = arguments.get("inputs")
    return Wanted(
        [*map(path, files), *map(str, arguments.get("args") or [])],
        arguments.get("kernel"),
        [str(text) for text in texts],
        str(arguments["tasks"]) if arguments.get("tasks") else None,
        arguments.get("taskType"),
        int(arguments.get("launch") or 0),
        Path(path(inputs)) if inputs else None,
        [Path(path(one)) for one in arguments.get("include") or []],
        list(arguments.get("define") or []),
        int(arguments.get("optimize") or 0),
        arguments.get("machine"),
        folder,
    ).target()


@dataclass(frozen=True)
class Wanted:
    """What is to be debugged, as the options say it; array files are looked for in `folder`."""

    words: list[str]
    kernel: str | None = None
    texts: list[str] = field(default_factory=list)
    tasks: str | None = None
    task_type: str | None = None
    launch: int = 0
    inputs: Path | None = None
    include: list[Path] = field(default_factory=list)
    define: list[str] = field(default_factory=list)
    optimize: int = 0
    machine: str | None = None
    folder: Path = Path(".")

    def target(self) -> Target:
        from zhisuan.debug import target

        file = Path(self.words[0])
        if file.suffix == ".plan":
            return target.of_launch(self._of_plan(file))
        by_hand = self.kernel is not None or bool(self.texts)
        if file.suffix in (".bcl", ".dlps", ".dlp", ".ll") or by_hand:
            return target.of_launch(self._of_kernel(file))
        return self._of_program()

    def _of_program(self) -> Target:
        from zhisuan.arch import load as machines
        from zhisuan.debug import target

        files, arguments = programs.split_words(self.words)
        chip = machines.load(self.machine or programs.MACHINE)
        library = programs.build_library(
            files, chip, self.include, self.define, self.optimize, debug=True
        )
        folders = tuple(dict.fromkeys(file.parent for file in files))
        return target.of_program(library, [str(files[0]), *arguments], chip, folders)

    def _of_kernel(self, file: Path) -> Launch:
        from zhisuan.arch import load as machines
        from zhisuan.cli import launch as by_hand
        from zhisuan.debug.launch import Launch
        from zhisuan.runtime.card import Card

        chip = machines.load(self.machine or machines.DEFAULT)
        program = self._kernels(file, chip)
        entry = by_hand.kernel_of(program, self.kernel)
        given = by_hand.given_arguments(entry, self.texts)
        card = Card(chip, ())
        values: list[int | float] = []
        for parameter in entry.parameters:
            text = given[parameter.name]
            if not parameter.is_pointer:
                values.append(by_hand.scalar_argument(parameter, text))
                continue
            if text.endswith(".npy"):
                text = str(self.folder / text)
            array = by_hand.buffer_argument(parameter, text)
            values.append(card.allocate(max(array.nbytes, 1), parameter.name))
            card.write(int(values[-1]), array)
        dims = by_hand.dimensions(self.tasks)
        return Launch(
            program, entry.name, values, card.device.memory, dims, self.task_type or "BLOCK",
            card.device.executor, (file.parent,),
        )  # fmt: skip

    def _kernels(self, file: Path, chip: Machine) -> Program:
        """Source is compiled with debug information; any other file is taken as it is."""
        from zhisuan import bcl, pipeline
        from zhisuan.base.files import read_text
        from zhisuan.bcl.architecture import defined_for

        if file.suffix not in SOURCES:
            return pipeline.load_program(file)
        return bcl.compile(
            read_text(file), str(file), optimize=self.optimize,
            defines={**defined_for(chip), **programs.macros(self.define)},
            include_dirs=(file.parent, *self.include), debug=True,
        ).program  # fmt: skip

    def _of_plan(self, file: Path) -> Launch:
        """A launch of a plan, all launches before it done."""
        from zhisuan import pipeline
        from zhisuan.arch import load as machines
        from zhisuan.base import knobs
        from zhisuan.base.errors import ZhisuanError
        from zhisuan.debug.launch import Launch
        from zhisuan.isa.program import Program
        from zhisuan.runtime import plan as plans
        from zhisuan.runtime.device import Loaded

        plan, number = plans.load(file), self.launch
        if number >= len(plan.launches):
            raise ZhisuanError(f"the plan has no launch {number}", where="--launch",
                               expected=f"0 to {len(plan.launches) - 1}")  # fmt: skip
        known = {name: Program.load(file.parent / path) for name, path in plan.programs.items()}
        loaded = Loaded(
            plan, known, pipeline.read_tensors(file.parent / plan.data),
            machines.load(self.machine or plan.machine), executor=knobs.executor(),
            checks=(),
        )  # fmt: skip
        loaded.begin(pipeline.read_inputs(self.inputs, file.parent))
        for index in range(number):
            loaded.launch(index)
        launch = plan.launches[number]
        program, device = known[launch.program], loaded.device
        order = [parameter.name for parameter in program.kernel(launch.kernel).parameters]
        return Launch(
            program, launch.kernel, [launch.args[name] for name in order], device.memory,
            launch.dims, launch.task_type, device.executor, (file.parent,), number,
        )  # fmt: skip
