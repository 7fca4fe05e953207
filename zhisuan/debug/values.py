"""Values of a program at a moment: where they lie, their bytes, their parts, as text.

Comes in: types, the memory and the registers of a task.  Goes out: numbers, parts, text as C writes
it.  Nothing is changed but by `Reader.store`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.debug.types import Types
from zhisuan.isa.address import space_of
from zhisuan.isa.debug_table import SCALAR_BYTES, VOID, Array, Enum, Member, Pointer, Scalar, Struct
from zhisuan.isa.number import MASK64
from zhisuan.sim.memory import Memory

SHOWN = 16
"""Elements of an array in one line of text."""
_REPEATED = 5
"""Equal neighbours from this many on are told once."""
_NUMPY = {
    "i8": "<i1", "u8": "<u1", "i16": "<i2", "u16": "<u2", "i32": "<i4", "u32": "<u4", "i64": "<i8",
    "u64": "<u8", "f16": "<f2", "f32": "<f4", "f64": "<f8", "bool": "<u1", "bf16": "<u2",
}  # fmt: skip
FLOATING = ("f16", "bf16", "f32", "f64")


@dataclass(frozen=True)
class InMemory:
    address: int


@dataclass(frozen=True)
class InRegister:
    number: int


@dataclass(frozen=True)
class Bits:
    data: bytes


@dataclass(frozen=True)
class Lost:
    """Optimised out."""


@dataclass(frozen=True)
class Joined:
    """Parts (first byte, how many, where) of one value; what lies between is optimised out."""

    parts: tuple[tuple[int, int, Where], ...]


Where = InMemory | InRegister | Bits | Joined | Lost
Number = int | float


@dataclass(frozen=True)
class Value:
    type: int
    where: Where
    bits: tuple[int, int] | None = None
    """Of a bit field: its first bit and how many."""


class Reader:
    """Reads values for one task; `registers` are those of the frame that is looked at."""

    def __init__(self, types: Types, memory: Memory, registers: tuple[int, ...]) -> None:
        self.types, self.memory, self.registers = types, memory, registers

    # -- bytes --------------------------------------------------------------------------------

    def raw(self, value: Value, size: int | None = None) -> bytes:
        """The bytes of a value, or its first ones."""
        wanted = self.types.size_of(value.type) if size is None else size
        return self.bytes_at(value.where, wanted)

    def bytes_at(self, where: Where, wanted: int) -> bytes:
        match where:
            case InMemory(address):
                return self.memory.read(address, np.uint8, wanted).tobytes()
            case InRegister(number):
                return self.registers[number].to_bytes(8, "little")[:wanted]
            case Bits(data):
                return data[:wanted].ljust(wanted, b"\0")
            case Joined(parts):
                whole = b""
                for first, size, part in parts:
                    whole += self.bytes_at(part, size) if first == len(whole) else b""
                if len(whole) >= wanted:
                    return whole[:wanted]
        raise ZhisuanError("the value is optimised out", hint="compile with -O0 -g")

    def number(self, value: Value) -> Number:
        """A scalar's value; that of an array is its address."""
        kind = self.types.kind_of(value.type)
        if kind is None:
            return self.address(value)
        raw = self.raw(value, SCALAR_BYTES[kind])
        if value.bits is not None:
            first, width = value.bits
            found = int.from_bytes(raw, "little") >> first & ((1 << width) - 1)
            return found - (1 << width) if kind[0] == "i" and found >> (width - 1) else found
        return number_in(raw, kind)

    def address(self, value: Value) -> int:
        if isinstance(value.where, InMemory):
            return value.where.address
        raise ZhisuanError("the value is in no memory, so it has no address")

    def make(self, number: Number, kind: str) -> Value:
        return Value(self.types.scalar(kind), Bits(bytes_for(number, kind)))

    # -- parts --------------------------------------------------------------------------------

    def item(self, value: Value, index: int) -> Value:
        """`value[index]` of an array or a pointer; nothing checks the index."""
        kind = self.types.plain(value.type)
        if isinstance(kind, Array):
            part = self.types.array(kind.of, kind.counts[1:])
            return self._part(value, part, index * self.types.size_of(part))
        if isinstance(kind, Pointer):
            size = max(self.types.size_of(kind.to), 1)
            return Value(kind.to, InMemory((int(self.number(value)) + index * size) & MASK64))
        raise ZhisuanError(f"a {self.types.name_of(value.type)} has no elements")

    def span(self, value: Value, first: int, last: int) -> Value:
        """`value[first:last]`, an array."""
        if last <= first:
            raise ZhisuanError("these are no elements", expected="[first:behind the last]",
                               found=f"[{first}:{last}]")  # fmt: skip
        start = self.item(value, first)
        kind = self.types.plain(value.type)
        if isinstance(kind, Array):
            return Value(self.types.array(kind.of, (last - first, *kind.counts[1:])), start.where)
        return Value(self.types.array(start.type, (last - first,)), start.where)

    def member(self, value: Value, name: str) -> Value:
        kind = self.types.plain(value.type)
        if isinstance(kind, Struct):
            for member in kind.members:
                if member.name == name:
                    return self._member(value, member)
            for member in kind.members:  # of a base class
                if not member.name:
                    try:
                        return self.member(self._part(value, member.type, member.offset), name)
                    except ZhisuanError:
                        continue
        raise ZhisuanError(f"a {self.types.name_of(value.type)} has no member '{name}'")

    def _part(self, value: Value, kind: int, offset: int) -> Value:
        if isinstance(value.where, InMemory):
            return Value(kind, InMemory(value.where.address + offset))
        if isinstance(value.where, Lost):
            return Value(kind, value.where)
        if isinstance(value.where, Joined):
            return Value(kind, self._piece(value.where, offset, self.types.size_of(kind)))
        return Value(kind, Bits(self.raw(value)[offset:]))

    def _piece(self, whole: Joined, offset: int, size: int) -> Where:
        """What is known of the bytes [offset, offset + size)."""
        found: list[tuple[int, int, Where]] = []
        for first, count, where in whole.parts:
            start, end = max(first, offset), min(first + count, offset + size)
            if (start, end) == (first, first + size):
                return where
            if start < end:
                data = self.bytes_at(where, count)[start - first : end - first]
                found.append((start - offset, end - start, Bits(data)))
        return Joined(tuple(found)) if found else Lost()

    def follow(self, value: Value) -> Value:
        """What a reference refers to; any other value is itself."""
        kind = self.types.plain(value.type)
        if isinstance(kind, Pointer) and kind.is_reference and not isinstance(value.where, Lost):
            return Value(kind.to, InMemory(int(self.number(value))))
        return value

    def parts(
        self, value: Value, first: int = 0, most: int | None = None
    ) -> list[tuple[str, Value]]:
        """Names and values of members or elements, those of an array from `first` on."""
        value = self.follow(value)
        kind = self.types.plain(value.type)
        if isinstance(kind, Struct):
            return [
                (m.name or self.types.name_of(m.type), self._member(value, m)) for m in kind.members
            ]
        if isinstance(kind, Array):
            end = kind.counts[0] if most is None else min(first + most, kind.counts[0])
            return [(f"[{index}]", self.item(value, index)) for index in range(first, end)]
        if isinstance(kind, Pointer) and kind.to != VOID and self.types.size_of(kind.to):
            return [("*", self.item(value, 0))]
        return []

    def _member(self, value: Value, member: Member) -> Value:
        part = self._part(value, member.type, member.offset)
        bits = (member.first_bit, member.bits) if member.bits else None
        return Value(part.type, part.where, bits)

    # -- text ---------------------------------------------------------------------------------

    def text(self, value: Value, form: str = "") -> str:
        """As C writes it; `form`: x d u o t c f, as gdb names them, for scalars within."""
        if isinstance(value.where, Lost):
            return "<optimised out>"
        value = self.follow(value)
        kind = self.types.plain(value.type)
        try:
            if isinstance(kind, Array):
                return self._array(value, kind, form)
            if isinstance(kind, Struct):
                inner = (f"{name} = {self.text(part, form)}" for name, part in self.parts(value))
                return "{" + ", ".join(inner) + "}"
            if isinstance(kind, Pointer):
                return f"({self.types.name_of(value.type)}) {show_address(int(self.number(value)))}"
            if isinstance(kind, Enum) and not form:
                number = self.number(value)
                return next((n for n, v in kind.values if v == number), str(number))
            if isinstance(kind, Scalar | Enum):
                return number_text(self.number(value), kind.kind, form, kind.name)
        except ZhisuanError as error:
            return f"<{error.what}>"
        return f"<{self.types.name_of(value.type)}>"

    def rows(self, value: Value, form: str = "") -> str:
        """As `text`, a matrix with a line for each row."""
        kind = self.types.plain(value.type)
        if not isinstance(kind, Array) or len(kind.counts) < 2:
            return self.text(value, form)
        shown = [self.text(part, form) for _, part in self.parts(value, 0, SHOWN)]
        more = [] if kind.counts[0] <= SHOWN else ["..."]
        return "{" + ",\n ".join(shown + more) + "}"

    def _array(self, value: Value, kind: Array, form: str) -> str:
        scalar = self.types.kind_of(kind.of) if len(kind.counts) == 1 else None
        count = kind.counts[0]
        if scalar in _NUMPY:
            raw = np.frombuffer(self.raw(value), np.uint8)
            whole = _runs(decoded(raw, scalar)) if count else []
            texts = [(number_text(number, scalar, form), times) for number, times in whole]
        else:
            texts = [(self.text(part, form), 1) for _, part in self.parts(value, 0, SHOWN)]
        shown, told = [], 0
        for text, times in texts:
            if told >= SHOWN:
                break
            shown += [f"{text} <{times} times>"] if times >= _REPEATED else [text] * times
            told += 1 if times >= _REPEATED else times
        more = ["..."] if sum(t for _, t in texts[: len(shown)]) < count and told >= SHOWN else []
        return "{" + ", ".join(shown + more) + "}"

    def numbers(self, address: int, kind: str, count: int) -> np.ndarray:
        """Numbers that lie one behind the other."""
        raw = self.memory.read(address, np.uint8, count * SCALAR_BYTES[kind])
        return decoded(raw, kind)


def decoded(raw: np.ndarray, kind: str) -> np.ndarray:
    """Bytes → numbers of a kind."""
    if kind == "bf16":
        return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
    return raw.view(_NUMPY[kind])


def number_in(raw: bytes, kind: str) -> Number:
    if kind in _NUMPY:
        return decoded(np.frombuffer(raw, np.uint8), kind)[0].item()
    return int.from_bytes(raw, "little", signed=kind[0] == "i")


def bytes_for(number: Number, kind: str) -> bytes:
    """A number as a kind holds it: integers wrap, floats round."""
    if kind == "bf16":
        bits = int(np.array([number], np.float32).view(np.uint32)[0])
        return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).to_bytes(2, "little")
    if kind in FLOATING:
        with np.errstate(over="ignore"):
            return np.array([number], _NUMPY[kind]).tobytes()
    if kind == "bool":
        return bytes([bool(number)])
    if isinstance(number, float) and not math.isfinite(number):
        raise ZhisuanError(f"{number} is no integer")
    size = SCALAR_BYTES[kind]
    return (int(number) & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def number_text(number: Number, kind: str, form: str = "", name: str = "") -> str:
    bits = 8 * SCALAR_BYTES[kind]
    if form in ("x", "t", "o", "c", "u", "d") and isinstance(number, float):
        number = int.from_bytes(bytes_for(number, kind), "little") if form in "xto" else int(number)
    if isinstance(number, int) and form in ("x", "t", "o", "u"):
        low = number & ((1 << bits) - 1)
        return {"x": f"{low:#x}", "t": f"{low:#b}", "o": f"{low:#o}", "u": str(low)}[form]
    if isinstance(number, float):
        return float_text(number, kind)
    if kind == "bool":
        return "true" if number else "false"
    if form == "c" or (name == "char" and not form):
        shown = chr(number & 0xFF) if 32 <= (number & 0xFF) < 127 else f"\\{number & 0xFF:o}"
        return f"{number} '{shown}'"
    return str(number)


def float_text(number: float, kind: str) -> str:
    """The shortest text that gives the same number of its kind."""
    if not math.isfinite(number):
        return "nan" if math.isnan(number) else "inf" if number > 0 else "-inf"
    exact = {"f16": np.float16, "f32": np.float32, "f64": np.float64}.get(kind)
    text = str(exact(number)) if exact is not None else f"{number:.4g}"
    return text.removesuffix(".0")


def show_address(address: int) -> str:
    """An address and the memory that it is in."""
    space = space_of(address)
    return f"{address:#x}" + (f" <{space.name}+{address - space.base}>" if space else "")


def _runs(numbers: np.ndarray) -> list[tuple[Number, int]]:
    """Equal neighbours as (number, how many), as far as anybody will read."""
    raw = numbers.view(f"u{numbers.itemsize}")
    starts = np.append(0, np.flatnonzero(raw[1:] != raw[:-1]) + 1)
    lengths = np.diff(np.append(starts, len(raw)))
    most = slice(0, SHOWN + 1)
    return [
        (numbers[start].item(), int(times))
        for start, times in zip(starts[most], lengths[most], strict=True)
    ]
