"""The manual: docs/isa.md, written from the table and nothing else.

Comes in: the rows, the address map, the assembler's directives.  Goes out: Markdown text.
A test keeps docs/isa.md equal to it; `pytest tests/isa --update-golden` writes it again.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

from zhisuan.isa import address, number, table
from zhisuan.isa.asm_directives import DIRECTIVES
from zhisuan.isa.registry import (
    FIELD_BITS,
    LINK_REGISTER,
    MODE_BITS,
    OPCODE_BITS,
    REGISTERS,
    STACK_POINTER,
    Instruction,
    Queue,
    Unit,
    touched,
)
from zhisuan.isa.syntax import syntax

UNIT_NAMES = {
    Unit.SCALAR: "scalar ALU",
    Unit.VFU: "vector unit (VFU)",
    Unit.MFU: "matrix unit (MFU)",
    Unit.IO: "IO-DMA",
    Unit.MOVE: "Move-DMA",
}
QUEUE_NAMES = {Queue.COMPUTE: "compute", Queue.IO: "IO-DMA", Queue.MOVE: "Move-DMA"}

_INTRODUCTION = f"""\
# The DLP instruction set

This file is generated from the instruction table (`zhisuan/isa`); a test keeps it up to date.
`pytest tests/isa --update-golden` writes it again.

## Words and registers

Every instruction is one word of 64 bits: opcode {OPCODE_BITS} bits, mode {MODE_BITS} bits,
then one field of {FIELD_BITS} bits for each register operand, in the order written; a number
takes all the bits above as a signed constant. There are {REGISTERS} registers of 64 bits,
`$0` to `${REGISTERS - 1}`; `${STACK_POINTER}` is the stack pointer and `${LINK_REGISTER}` the
link register by convention.

"""

_TEXT_FORM = """\
## Assembly text

One instruction a line: `MNEMONIC.mode operand, operand`. Registers are `$n`, numbers `#n`
(decimal or 0x, also `#f32:1.5` and `#f16:1.5` for the bits of a float), branch targets a
label or `#n`, the distance in words from the next instruction. `#label` as a number is the
index of the labelled word. The mode may be left out: it is then the first one listed. Where a
mnemonic has several forms, the operands choose. Comments start with `//`. A label is a name
and a colon; one that starts with a dot is local to the text.

A text that starts with `.program` is complete. Without it, the text gets a kernel `main` at
its first word if it declares none, and words know their lines in this text.

"""


def manual() -> str:
    """The whole of docs/isa.md."""
    parts = [_INTRODUCTION, _contents(), _addresses(), _TEXT_FORM, _directives(), _summary()]
    parts.extend(_class(module) for module in table.CLASSES)
    return "\n".join("".join(parts).rstrip().split("\n")) + "\n"


def diagram(row: Instruction) -> str:
    """The 64 bits of a row as three lines of text, highest bit on the left."""
    fields: list[tuple[str, int]] = []
    if row.immediate is not None:
        fields.append((row.immediate.name, row.immediate_bits))
    elif row.immediate_bits:
        fields.append(("0", row.immediate_bits))
    fields.extend((operand.name, FIELD_BITS) for operand in reversed(row.registers))
    fields.extend([("mode", MODE_BITS), (f"0x{row.opcode:03x}", OPCODE_BITS)])
    top, bits, names = 63, "", ""
    for name, width in fields:
        low = top - width + 1
        room = max(len(name), 7, 15 if width > 3 * FIELD_BITS else 0)
        bits += f" {top:<{room - 3}} {low:>2} " if room > 6 else f" {top} {low} "
        names += f"|{name:^{room + 1}}"
        top = low - 1
    ruler = "".join("+" if mark == "|" else "-" for mark in names) + "+"
    return "\n".join([bits.rstrip(), ruler, names + "|", ruler])


def _contents() -> str:
    text = (inspect.getdoc(number) or "").removeprefix("Register contents: ")
    return f"## Register contents\n\n{text[0].upper()}{text[1:]}\n\n"


def _size(count: int) -> str:
    """Bytes in the largest unit that keeps the number whole."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = 0
    while count % 1024 == 0 and power + 1 < len(units):
        count, power = count // 1024, power + 1
    return f"{count} {units[power]}"


def _addresses() -> str:
    lines = [
        "## Address map",
        "",
        "| space | first address | window | what |",
        "|---|---|---|---|",
    ]
    for space in address.SPACES:
        where = "on chip" if space.on_chip else "off chip"
        window = _size(space.window)
        lines.append(f"| {space.name} | 0x{space.base:x} | {window} | {space.doc}; {where} |")
    slot = address.PARAM_SLOT
    lines += ["", f"Argument i of a kernel lies at the base of param + {slot}·i.", "", ""]
    return "\n".join(lines)


def _directives() -> str:
    lines = ["| directive | meaning |", "|---|---|"]
    for function in DIRECTIVES.values():
        form, _, meaning = " ".join((inspect.getdoc(function) or "").split()).partition("`: ")
        if not meaning:  # `.const KIND …`, whose forms follow its first sentence
            form, _, meaning = form.partition("`")
        lines.append(f"| {form}` | {meaning} |")
    return "\n".join([*lines, "", ""])


def _summary() -> str:
    lines = [
        "## All instructions",
        "",
        "| instruction | opcode | unit | meaning |",
        "|---|---|---|---|",
    ]
    for row in sorted(table.ROWS, key=lambda row: row.opcode):
        first = row.doc.split("\n")[0].replace("|", "\\|")
        lines.append(f"| `{syntax(row)}` | 0x{row.opcode:03x} | {row.unit.name} | {first} |")
    return "\n".join([*lines, "", ""])


def _class(module: ModuleType) -> str:
    """The sections of the instructions whose rows a module declares, in its order."""
    heading = (inspect.getdoc(module) or "").split("\n")[0].rstrip(".")
    lines = [f"## {heading}", ""]
    rows = [row for row in table.ROWS if row.meaning.__module__ == module.__name__]
    for mnemonic in dict.fromkeys(row.mnemonic for row in rows):
        lines += [f"### {mnemonic}", ""]
        for row in rows:
            if row.mnemonic == mnemonic:
                lines += _row(row)
    return "\n".join([*lines, ""])


def _row(row: Instruction) -> Iterator[str]:
    yield from [inspect.cleandoc(row.doc), "", "```"]
    yield from [syntax(row), "", *diagram(row).split("\n"), "```", ""]
    if row.modes != ("",):
        numbered = ", ".join(f"{n} `.{mode}`" for n, mode in enumerate(row.modes))
        yield f"- Modes: {numbered}"
    queue = row.unit.queue
    yield f"- Unit: {UNIT_NAMES[row.unit]}" + (f", {QUEUE_NAMES[queue]} queue" if queue else "")
    yield f"- Cost: {cost_text(row)}"
    yield from _touches(row)
    yield ""


def cost_text(row: Instruction) -> str:
    """What an instruction costs, in words: from the formula's docstring."""
    if not row.is_queued:
        return f"`scalar.{row.cost}` cycles of the decoder"
    formula = inspect.getdoc(row.cycles) or ""
    text = " ".join(formula.split()).rstrip(".") + " cycles"
    return text + (f"; visible `{row.latency}` cycles later" if row.latency else "")


def _touches(row: Instruction) -> Iterator[str]:
    written, read = touched(row)
    for verb, names, spaces in (("Writes", written, row.writes), ("Reads", read, row.reads)):
        if names:
            where = " or ".join(space.name.upper() for space in spaces)
            yield f"- {verb} from " + ", ".join(f"`{name}`" for name in names) + f" in {where}"
