"""`.dlps` text → Program.

Comes in: assembly text and its file name.  Goes out: the `Program`, with every mistake of the
text reported at once.  It never chooses instructions beyond picking, among the forms of one
mnemonic, the form that takes the operands as written.

A text that starts with `.program` is complete, as `disassemble` writes it.  Without it, the
text is a sketch: it gets a kernel `main` at its first word if it declares none, and its
words' places are its own lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePath

import numpy as np

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.isa.asm_directives import DIRECTIVES
from zhisuan.isa.asm_lines import Cursor, Token
from zhisuan.isa.asm_state import Draft, Label
from zhisuan.isa.debug_draft import finish
from zhisuan.isa.encoding import Encodable, encode
from zhisuan.isa.program import Kernel, Program
from zhisuan.isa.registry import REGISTERS, Instruction, Kind, Operand
from zhisuan.isa.syntax import (
    LABEL,
    float_text,
    is_decimal,
    modes_text,
    parse_half,
    parse_integer,
    syntax,
)
from zhisuan.isa.table import BY_MNEMONIC

SHOWN_ERRORS = 10
WHOLE_ERRORS = 1


class AssemblyErrors(ZhisuanError):
    """Several mistakes of one text, in the order of its lines."""

    def __init__(self, file: str, errors: list[ZhisuanError]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"{len(errors)} mistakes", where=file)

    def render(self) -> str:
        """One screen: the first mistakes whole, more of them a line each."""
        whole = [error.render() for error in self.errors[:WHOLE_ERRORS]]
        brief = [f"{e.where}: {e.what}" for e in self.errors[WHOLE_ERRORS:SHOWN_ERRORS]]
        more = len(self.errors) - len(whole) - len(brief)
        summary = f"error: {len(self.errors)} mistakes in {self.where}"
        blocks = [*whole, "\n".join(brief)] if brief else whole
        return "\n\n".join([*blocks, summary + (f", {more} not shown" if more else "")])


@dataclass(frozen=True)
class _Statement:
    """An instruction as written: its tokens, not yet understood."""

    cursor: Cursor
    mnemonic: Token
    operands: tuple[Token, ...]
    pc: int


@dataclass
class _Reading:
    """What the first pass leaves for the second."""

    draft: Draft
    statements: list[_Statement] = field(default_factory=list)
    errors: list[tuple[int, ZhisuanError]] = field(default_factory=list)  # (line, error)


def assemble(text: str, filename: str = "program.dlps") -> Program:
    """The program that `text` describes; all its mistakes are one error."""
    reading = _Reading(Draft(PurePath(filename).stem))
    for number, line in enumerate(text.split("\n"), 1):
        try:
            _line(Cursor(filename, number, line), reading)
        except ZhisuanError as error:
            reading.errors.append((number, error))
    for statement in reading.statements:
        try:
            reading.draft.words[statement.pc] = _encode(statement, reading.draft)
        except ZhisuanError as error:
            reading.errors.append((statement.cursor.line, error))
    if reading.errors:
        reading.errors.sort(key=lambda entry: entry[0])
        errors = [error for _, error in reading.errors]
        raise errors[0] if len(errors) == 1 else AssemblyErrors(filename, errors)
    return _finish(reading.draft, filename)


def _finish(draft: Draft, filename: str) -> Program:
    kernels = draft.kernels
    files, places, arrays = draft.files, draft.places, list(draft.arrays)
    if not draft.complete and draft.words:
        kernels = kernels or {"main": Kernel("main", 0)}
        if not draft.placed:
            files, places = [filename], [(0, line) for line in draft.own_lines]
            arrays = [replace(array, file=0, line=line) for array, line in draft.arrays.items()]
    for kernel in kernels.values():
        if not 0 <= kernel.entry < len(draft.words):
            raise ZhisuanError(f"kernel '{kernel.name}' has no instructions", where=filename,
                               found=f"it starts at word {kernel.entry} of {len(draft.words)}",
                               hint="put .kernel before the first instruction")  # fmt: skip
    if len(draft.columns) not in (0, len(draft.words)):
        raise ZhisuanError(".columns does not say it of every word", where=filename,
                           expected=f"{len(draft.words)} columns",
                           found=str(len(draft.columns)))  # fmt: skip
    known = any(file >= 0 for file, _ in places)
    return Program(
        name=draft.name,
        words=np.array(draft.words, np.uint64),
        kernels=kernels,
        const_data=bytes(draft.const),
        files=tuple(files),
        lines=np.array(places if known else [], np.int32).reshape(-1, 2),
        labels=draft.kept_labels,
        arrays=tuple(sorted(arrays, key=lambda array: array.address)),
        debug=None if draft.debug is None else finish(draft.debug, filename),
        texts=draft.texts,
        columns=np.array(draft.columns, np.int32),
    )


# line := { name ":" } [ directive | instruction ]
def _line(cursor: Cursor, reading: _Reading) -> None:
    while (following := cursor.peek(1)) and following.text == ":" and _is_label(cursor):
        token = cursor.take("a label", "word")
        cursor.expect(":")
        _define(cursor, token, reading.draft)
    token = cursor.peek()
    if token is None:
        return
    if token.kind == "word" and token.text.startswith("."):
        _directive(cursor, reading.draft)
    else:
        _instruction(cursor, reading)


def _is_label(cursor: Cursor) -> bool:
    token = cursor.peek()
    return token is not None and token.kind == "word" and token.text not in DIRECTIVES


def _define(cursor: Cursor, token: Token, draft: Draft) -> None:
    name = token.text
    local = name.startswith(".")
    fits = LABEL.match(name.removeprefix(".")) or (local and name[1:].isdecimal())
    if not fits:
        raise cursor.error(f"'{name}' cannot be a label", token.column,
                           expected="letters, digits and _, parts joined by dots",
                           hint='name the word by a local label and add .label "…"')  # fmt: skip
    if name in draft.labels:
        raise cursor.error(f"label '{name}' is defined twice", token.column,
                           found=f"first defined in line {draft.labels[name].line}")  # fmt: skip
    draft.labels[name] = Label(len(draft.words), cursor.line)
    if not local:
        draft.kept_labels[len(draft.words)] = name


# directive := "." name …            (each is a function of asm_directives)
def _directive(cursor: Cursor, draft: Draft) -> None:
    token = cursor.take("a directive", "word")
    if token.text not in DIRECTIVES:
        raise cursor.error(f"unknown directive '{token.text}'", token.column,
                           expected="one of " + ", ".join(DIRECTIVES),
                           hint=did_you_mean(token.text, DIRECTIVES))  # fmt: skip
    DIRECTIVES[token.text](cursor, draft)
    cursor.end()


# instruction := MNEMONIC ["." mode] [ operand { "," operand } ]
def _instruction(cursor: Cursor, reading: _Reading) -> None:
    pc = len(reading.draft.words)
    reading.draft.add_word(0, cursor.line)  # counted even when wrong: later labels stay true
    mnemonic = cursor.take("an instruction", "word")
    operands = []
    while cursor.peek() is not None:
        if operands:
            cursor.expect(",")
        operands.append(cursor.take("an operand", "register", "number", "word"))
    reading.statements.append(_Statement(cursor, mnemonic, tuple(operands), pc))


def _encode(statement: _Statement, draft: Draft) -> int:
    row = _choose(statement)
    mode = _mode(statement, row)
    values = tuple(
        _value(operand, token, statement, draft)
        for operand, token in zip(row.operands, statement.operands, strict=True)
    )
    try:
        return encode(Encodable(row, mode, values))
    except ZhisuanError as error:  # registers and mode were checked: the immediate
        at = row.operands.index(row.immediate) if row.immediate else 0
        column = statement.operands[at].column if statement.operands else 1
        raise statement.cursor.error(error.what, column, expected=error.expected,
                                     found=error.found, hint=error.hint) from None  # fmt: skip


def _choose(statement: _Statement) -> Instruction:
    """The form of the mnemonic that takes these kinds of operands."""
    name = statement.mnemonic.text.partition(".")[0]
    column = statement.mnemonic.column
    if name not in BY_MNEMONIC:
        raise statement.cursor.error(f"unknown instruction '{name}'", column,
                                     hint=did_you_mean(name.upper(), BY_MNEMONIC))  # fmt: skip
    forms = BY_MNEMONIC[name]
    for row in forms:
        if _first_misfit(row, statement.operands) is None:
            return row
    same_count = [row for row in forms if len(row.operands) == len(statement.operands)]
    if same_count:
        misfits = [_first_misfit(row, statement.operands) for row in same_count]
        column = statement.operands[max(at for at in misfits if at is not None)].column
    raise statement.cursor.error(
        f"{name} does not take these operands",
        column,
        expected="\n".join(syntax(row) for row in forms),
        found=f"{name} " + ", ".join(token.text for token in statement.operands),
    )


def _first_misfit(row: Instruction, tokens: tuple[Token, ...]) -> int | None:
    """Position of the first operand of the wrong kind; None when all fit."""
    for at, (operand, token) in enumerate(zip(row.operands, tokens, strict=False)):
        if not _accepts(operand, token):
            return at
    if len(row.operands) != len(tokens):
        return min(len(row.operands), len(tokens))
    return None


def _accepts(operand: Operand, token: Token) -> bool:
    if operand.is_register:
        return token.kind == "register"
    body = token.text[1:]
    if operand.kind is Kind.FLOAT:
        return token.kind == "number" and (is_decimal(body) or parse_integer(body) is not None)
    if operand.kind is Kind.TARGET and token.kind == "word":
        return True
    return token.kind == "number" and (parse_integer(body) is not None or bool(_symbol(body)))


def _symbol(text: str) -> bool:
    return bool(LABEL.match(text.removeprefix(".")))


def _mode(statement: _Statement, row: Instruction) -> str:
    name, dot, mode = statement.mnemonic.text.partition(".")
    if not dot:
        return row.modes[0]
    if mode not in row.modes or not mode:
        raise statement.cursor.error(
            f"{syntax(row).replace('[.mode]', '')} has no mode '.{mode}'",
            statement.mnemonic.column + len(name),
            expected=modes_text(row.modes),
            hint=did_you_mean(mode, row.modes),
        )
    return mode


def _value(operand: Operand, token: Token, statement: _Statement, draft: Draft) -> int:
    if operand.is_register:
        return _register(token, statement.cursor)
    text = token.text.removeprefix("#")
    if operand.kind is Kind.FLOAT:
        return _half(text, token, statement.cursor)
    number = parse_integer(text) if token.kind == "number" else None
    if number is not None:
        return number
    label = draft.labels.get(text)
    if label is None:
        raise statement.cursor.error(f"label '{text}' is not defined", token.column,
                                     hint=did_you_mean(text, draft.labels))  # fmt: skip
    return label.pc - (statement.pc + 1) if operand.kind is Kind.TARGET else label.pc


def _register(token: Token, cursor: Cursor) -> int:
    number = token.text[1:]
    if not number.isdecimal() or int(number) >= REGISTERS:
        raise cursor.error(f"there is no register {token.text}", token.column,
                           expected=f"$0 to ${REGISTERS - 1}")  # fmt: skip
    return int(number)


def _half(text: str, token: Token, cursor: Cursor) -> int:
    bits, exact = parse_half(text)
    if not exact:
        raise cursor.error(
            f"{text} is not exact in FP16, the format of float immediates",
            token.column,
            expected=f"a number FP16 holds, such as #{float_text(bits)}",
            hint=f"load it into a register: SLOAD $d, #f32:{text}",
        )
    return bits
