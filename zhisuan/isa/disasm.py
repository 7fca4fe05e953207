"""Program → `.dlps` text that assembles back to the same program.

Comes in: a `Program`, or one word of it.  Goes out: text.  It never fails on a word that is
not an instruction: that prints as `.word`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import space_of
from zhisuan.isa.debug_text import debug_lines
from zhisuan.isa.encoding import Encodable, decode
from zhisuan.isa.program import Array, Kernel, Program
from zhisuan.isa.registry import Kind, Operand
from zhisuan.isa.syntax import LABEL, float_text, number_text, quoted

CONST_LINE = 16
"""Bytes of constant data per printed line."""
_INDENT = " " * 8
_MNEMONIC_WIDTH = 16
_COMMENT_COLUMN = 56
_COLUMNS_PER_LINE = 24


def format_instruction(
    word: int, pc: int | None = None, labels: Mapping[int, str] | None = None
) -> str:
    """One word as assembly.

    A branch shows the label of its destination when `pc` and `labels` tell it, else its
    distance, with the destination's index as a comment when `pc` is known.
    """
    try:
        item = decode(int(word))
    except ZhisuanError:
        return f".word 0x{int(word):016x}"
    destination = _destination(item, pc)
    name = (labels or {}).get(destination) if destination is not None else None
    operands = [
        name if name and operand.kind is Kind.TARGET else _operand(operand, value)
        for operand, value in zip(item.row.operands, item.values, strict=True)
    ]
    mnemonic = item.row.mnemonic + (f".{item.mode}" if item.mode else "")
    text = f"{mnemonic} {', '.join(operands)}".rstrip()
    if destination is not None and not name:
        text += f"  // to {destination}"
    return text


def _operand(operand: Operand, value: int) -> str:
    if operand.is_register:
        return f"${value}"
    return "#" + (float_text(value) if operand.kind is Kind.FLOAT else number_text(value))


def _destination(item: Encodable, pc: int | None) -> int | None:
    """Word index a branch at `pc` goes to; None for other instructions or an unknown pc."""
    operand = item.row.immediate
    if pc is None or operand is None or operand.kind is not Kind.TARGET:
        return None
    return pc + 1 + item.values[item.row.operands.index(operand)]


def disassemble(
    program: Program,
    *,
    words: bool = False,
    sources: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The whole program as text; `assemble` gives the same program back.

    words: add each instruction's index and encoding as a comment.
    sources: file name → its lines; a `.line` shows the line it names as a comment.
    """
    return "\n".join(_lines(program, words, sources or {})) + "\n"


def _lines(program: Program, words: bool, sources: Mapping[str, Sequence[str]]) -> Iterator[str]:
    count = len(program.words)
    symbols = _symbols(program)
    kernels = list(program.kernels.values())
    in_place = kernels == sorted(kernels, key=lambda kernel: kernel.entry)
    yield f".program {quoted(program.name)}"
    yield from (f".file {quoted(name)}" for name in program.files)
    told: set[tuple[int, int]] = set()
    yield from (_array(program, array, told) for array in program.arrays)
    yield from _constants(program.const_data)
    if not in_place:
        yield from (_kernel(kernel) + f" entry={kernel.entry}" for kernel in kernels)
    place = (-1, 0)
    for pc in range(count + 1):
        if in_place:
            for kernel in kernels:
                if kernel.entry == pc:
                    yield ""
                    yield _kernel(kernel)
        yield from _label(program, symbols, pc)
        if pc == count:
            break
        if len(program.lines) and (here := _place(program, pc)) != place:
            place = here
            yield _place_text(program, here, sources, told)
        text = _INDENT + _aligned(format_instruction(program.words[pc], pc, symbols))
        if words:
            text = f"{text.split('  // ')[0]:<{_COMMENT_COLUMN}}// {pc}: {program.words[pc]:016x}"
        yield text
    yield from _columns(program.columns.tolist())
    if program.debug is not None:
        yield ""
        yield from debug_lines(program.debug, program.files)


def _aligned(instruction: str) -> str:
    """Operands in a column of their own."""
    mnemonic, space, operands = instruction.partition(" ")
    return f"{mnemonic:<{_MNEMONIC_WIDTH}}{operands}" if space else mnemonic


def _symbols(program: Program) -> dict[int, str]:
    """Word index → the name its label is printed by: its own if fit and unique, else local."""
    count = len(program.words)
    uses = Counter(program.labels.values())
    symbols = {
        pc: name for pc, name in program.labels.items() if LABEL.match(name) and uses[name] == 1
    }
    for pc, word in enumerate(program.words):
        try:
            target = _destination(decode(int(word)), pc)
        except ZhisuanError:
            continue
        if target is not None and 0 <= target <= count:
            symbols.setdefault(target, f".L{target}")
    return symbols


def _label(program: Program, symbols: dict[int, str], pc: int) -> Iterator[str]:
    name = program.labels.get(pc)
    if name is not None and symbols.get(pc) != name:
        yield f"    .label {quoted(name)}"
    if pc in symbols:
        yield f"{symbols[pc]}:"


def _kernel(kernel: Kernel) -> str:
    parameters = ", ".join(f"{p.kind} {quoted(p.name)}" for p in kernel.parameters)
    text = f".kernel {quoted(kernel.name)}({parameters})"
    if kernel.nram_bytes:
        text += f" nram={kernel.nram_bytes}"
    if kernel.wram_bytes:
        text += f" wram={kernel.wram_bytes}"
    if kernel.sram_bytes:
        text += f" sram={kernel.sram_bytes}"
    return text


def _array(program: Program, array: Array, told: set[tuple[int, int]]) -> str:
    space = space_of(array.address)
    assert space is not None
    text = f".array {quoted(array.name)} {space.name}={array.address - space.base}"
    if array.size:
        text += f" bytes={array.size}"
    if array.file >= 0:
        text += " " + _file_and_line(program, (array.file, array.line), told)
    return text


def _place(program: Program, pc: int) -> tuple[int, int]:
    file, line = program.lines[pc].tolist()
    return (file, line) if file >= 0 else (-1, 0)


def _place_text(
    program: Program,
    place: tuple[int, int],
    sources: Mapping[str, Sequence[str]],
    told: set[tuple[int, int]],
) -> str:
    file, line = place
    if file < 0:
        return "    .line ?"
    text = f"    .line {_file_and_line(program, place, told)}"
    listing = () if place in program.texts else sources.get(program.files[file], ())
    if 1 <= line <= len(listing):
        text = f"{text:<{_COMMENT_COLUMN}}// {listing[line - 1].strip()}"
    return text


def _file_and_line(program: Program, place: tuple[int, int], told: set[tuple[int, int]]) -> str:
    """A place, the first time with the text that stands there; `told` are those told before."""
    file, line = place
    text = f"{quoted(program.files[file])}:{line}"
    if place not in program.texts or place in told:
        return text
    told.add(place)
    return f"{text} {json.dumps(program.texts[place], ensure_ascii=False)}"


def _columns(columns: Sequence[int]) -> Iterator[str]:
    """The words' columns, equal neighbours as one."""
    runs = [(column, len(list(same))) for column, same in groupby(columns)]
    words = [str(column) + (f":{count}" if count > 1 else "") for column, count in runs]
    for start in range(0, len(words), _COLUMNS_PER_LINE):
        yield ".columns " + " ".join(words[start : start + _COLUMNS_PER_LINE])


def _constants(data: bytes) -> Iterator[str]:
    """Hex lines of 16 bytes; runs of two or more zero lines shrink to `zero count`."""
    zero = bytes(CONST_LINE)
    start = 0
    while start < len(data):
        end = start
        while data[end : end + CONST_LINE] == zero:
            end += CONST_LINE
        if end - start >= 2 * CONST_LINE:
            yield f".const zero {end - start}"
            start = end
            continue
        line = data[start : start + CONST_LINE]
        shown = "".join(chr(b) if 33 <= b < 127 and b != 92 else "." for b in line)
        yield f".const hex {line.hex(' '):<{3 * CONST_LINE}} // +{start} {shown}"
        start += CONST_LINE
