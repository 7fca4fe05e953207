"""What an expression means in a frame of a task.

Comes in: an expression's text, a frame of a task.  Goes out: a value, or what an assignment would
change.  It changes nothing itself.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.bcl.layout import SPECIALS
from zhisuan.debug import location
from zhisuan.debug.syntax import Parser, Tree
from zhisuan.debug.types import Types
from zhisuan.debug.values import (
    FLOATING,
    Bits,
    InMemory,
    InRegister,
    Number,
    Reader,
    Value,
    bytes_for,
)
from zhisuan.isa import debug_query
from zhisuan.isa.address import PARAM, PARAM_SLOT
from zhisuan.isa.debug_query import CallFrame
from zhisuan.isa.debug_table import SCALAR_BYTES, VOID, Array, Pointer
from zhisuan.isa.number import MASK64
from zhisuan.isa.program import Program
from zhisuan.isa.registry import LINK_REGISTER, REGISTERS, STACK_POINTER
from zhisuan.sim.memory import Memory
from zhisuan.sim.tasks import Task

_REGISTER_NAMES = {"$sp": STACK_POINTER, "$lr": LINK_REGISTER}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_COMPUTE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
}  # fmt: skip
_INTEGER: dict[str, Callable[[int, int], int]] = {
    "|": operator.or_, "^": operator.xor, "&": operator.and_,
    "<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63),
}  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """Where names are looked up.  `executed` is the task's count of instructions."""

    program: Program
    types: Types
    memory: Memory
    task: Task
    frame: CallFrame
    core: int
    executed: int
    is_innermost: bool = True


class Evaluator:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.reader = Reader(scope.types, scope.memory, scope.frame.registers)

    def value(self, text: str) -> Value:
        """The value of an expression; an assignment is none."""
        tree = _parsed(text, _Known(self.scope.types))
        if tree[0] == "=":
            raise ZhisuanError("an assignment is no value", hint=f"set var {text}")
        return self._value(tree)

    def number(self, text: str) -> Number:
        return self.reader.number(self.value(text))

    def target(self, text: str) -> tuple[Value, Number]:
        """`name = value` → what is to change, and the number that it gets."""
        tree = _parsed(text, _Known(self.scope.types))
        if tree[0] != "=":
            raise ZhisuanError(f"'{text}' changes nothing", expected="name = value")
        return self.reader.follow(self._value(tree[1])), self.reader.number(self._value(tree[2]))

    # -- names --------------------------------------------------------------------------------

    def _name(self, name: str) -> Value:
        if name.startswith("$"):
            return self._register(name)
        scope, types = self.scope, self.scope.types
        locals_ = debug_query.locals_at(scope.program, scope.frame.pc, scope.frame.scopes)
        for local in (*reversed(locals_), *debug_query.globals_of(scope.program)):
            if local.name == name:
                return self.located(local.type, local.location)
        for array in scope.program.arrays:
            if array.name == name:
                kind = types.array(types.scalar("u8"), (array.size,))
                return Value(kind, InMemory(array.address))
        if (value := self._parameter(name)) is not None:
            return value
        if name in SPECIALS:
            return self.reader.make(scope.task.special[SPECIALS[name]], "i32")
        known = [local.name for local in locals_]
        known += [array.name for array in scope.program.arrays] + list(SPECIALS)
        raise ZhisuanError(f"there is no '{name}' here", hint=did_you_mean(name, known))

    def _parameter(self, name: str) -> Value | None:
        """A kernel's argument, as it was passed."""
        scope, types = self.scope, self.scope.types
        for kernel in scope.program.kernels.values():
            if kernel.name != scope.frame.function:
                continue
            for number, parameter in enumerate(kernel.parameters):
                if parameter.name == name:
                    is_pointer = parameter.is_pointer
                    kind = types.pointer(VOID) if is_pointer else types.scalar(parameter.kind)
                    return Value(kind, InMemory(PARAM.base + PARAM_SLOT * number))
        return None

    def _register(self, name: str) -> Value:
        scope = self.scope
        whole = {"$pc": scope.frame.pc, "$core": scope.core, "$task": scope.task.number,
                 "$instructions": scope.executed}  # fmt: skip
        if name in whole:
            return self.reader.make(whole[name], "i64")
        digits = name[1:].removeprefix("r")
        number = _REGISTER_NAMES.get(name, int(digits) if digits.isdecimal() else REGISTERS)
        if number >= REGISTERS:
            raise ZhisuanError(f"there is no register '{name}'",
                               expected="$0 to $63, $sp, $lr, $pc, $core, $task")  # fmt: skip
        kind = scope.types.scalar("i64")
        if scope.is_innermost:
            return Value(kind, InRegister(number))
        return Value(kind, Bits(scope.frame.registers[number].to_bytes(8, "little")))

    def located(self, kind: int, where: location.Location | None) -> Value:
        """A variable of a type at its location."""
        found = location.resolve(where, self.reader, self.scope.frame, self.scope.is_innermost)
        return Value(kind, found)

    # -- trees --------------------------------------------------------------------------------

    def _value(self, tree: Tree) -> Value:
        reader, types = self.reader, self.scope.types
        match tree:
            case ("number", number):
                return reader.make(number, "f64" if isinstance(number, float) else _width(number))
            case ("name", name):
                return reader.follow(self._name(name))
            case ("index", inner, index):
                return reader.follow(reader.item(self._value(inner), self._integer(index)))
            case ("slice", inner, first, last):
                return reader.span(self._value(inner), self._integer(first), self._integer(last))
            case ("@", inner, count):
                value = self._value(inner)
                pointer = Value(types.pointer(value.type), self._address_of(value))
                return reader.span(pointer, 0, self._integer(count))
            case ("member", inner, name):
                return reader.follow(reader.member(self._value(inner), name))
            case ("cast", inner, kind):
                return self._cast(self._value(inner), self._type(kind))
            case ("as", inner, kind):
                return self._as(self._value(inner), self._type(kind))
            case ("sizeof", inner):
                return reader.make(types.size_of(self._value(inner).type), "u64")
            case ("sizeof type", kind):
                return reader.make(types.size_of(self._type(kind)), "u64")
            case ("?", condition, first, second):
                return self._value(first if reader.number(self._value(condition)) else second)
            case (word, inner):
                return self._unary(word.split()[1], inner)
            case ("&&" | "||" as word, first, second):
                left = bool(reader.number(self._value(first)))
                right = left if left == (word == "||") else reader.number(self._value(second))
                return reader.make(bool(right), "bool")
            case (word, first, second):
                return self._binary(word, self._value(first), self._value(second))
        raise AssertionError(tree)

    def _integer(self, tree: Tree) -> int:
        found = self.reader.number(self._value(tree))
        if isinstance(found, float):
            raise ZhisuanError("an index is a whole number", found=str(found))
        return found

    def _address_of(self, value: Value) -> Bits:
        return Bits(self.reader.address(value).to_bytes(8, "little"))

    def _unary(self, word: str, inner: Tree) -> Value:
        reader, value = self.reader, self._value(inner)
        if word == "*":
            return reader.follow(reader.item(value, 0))
        if word == "&":
            return Value(self.scope.types.pointer(value.type), self._address_of(value))
        number = reader.number(value)
        if word == "!":
            return reader.make(not number, "bool")
        kind = _promoted(self.scope.types.kind_of(value.type) or "u64")
        if word == "~":
            if isinstance(number, float):
                raise ZhisuanError("~ of a number that is not whole")
            return reader.make(~number, kind)
        return reader.make(-number if word == "-" else number, kind)

    def _binary(self, word: str, left: Value, right: Value) -> Value:
        reader, types = self.reader, self.scope.types
        if word in "+-" and (moved := self._moved(word, left, right)) is not None:
            return moved
        a, b = reader.number(left), reader.number(right)
        if word in _COMPARE:
            return reader.make(_COMPARE[word](a, b), "bool")
        kinds = [_promoted(types.kind_of(v.type) or "u64") for v in (left, right)]
        kind = max(kinds, key=_RANK.index)
        if word in _COMPUTE:
            return reader.make(_COMPUTE[word](a, b), kind)
        if word in ("/", "%"):
            if not b and kind not in FLOATING:
                raise ZhisuanError("division by zero")
            return reader.make(_divided(word, a, b), kind)
        if isinstance(a, float) or isinstance(b, float):
            raise ZhisuanError(f"{word} of numbers that are not whole")
        return reader.make(_INTEGER[word](a, b), kinds[0] if word in ("<<", ">>") else kind)

    def _moved(self, word: str, left: Value, right: Value) -> Value | None:
        """A pointer or an array and a number; the distance of two pointers."""
        types, reader = self.scope.types, self.reader
        here, there = types.plain(left.type), types.plain(right.type)
        if isinstance(there, Pointer | Array) and word == "+" and not isinstance(here, Pointer):
            left, right, here, there = right, left, there, here
        if not isinstance(here, Pointer | Array):
            return None
        to = here.to if isinstance(here, Pointer) else types.array(here.of, here.counts[1:])
        size = max(types.size_of(to), 1)
        if isinstance(there, Pointer | Array):
            if word == "+":
                raise ZhisuanError("the sum of two pointers means nothing")
            return reader.make(
                (int(reader.number(left)) - int(reader.number(right))) // size, "i64"
            )
        distance = int(reader.number(right)) * (1 if word == "+" else -1)
        address = int(reader.number(left)) + size * distance & MASK64
        return Value(types.pointer(to), Bits(address.to_bytes(8, "little")))

    def _type(self, tree: Tree) -> int:
        name, stars, counts = tree
        types = self.scope.types
        kind = types.named(name)
        if kind is None:
            raise ZhisuanError(f"there is no type '{name}'")
        for _ in range(stars):
            kind = types.pointer(kind)
        return types.array(kind, counts)

    def _cast(self, value: Value, kind: int) -> Value:
        types = self.scope.types
        to = types.kind_of(kind)
        if to is None:
            return self._as(value, kind)
        number = self.reader.number(value)
        if isinstance(types.plain(kind), Pointer):
            return Value(kind, Bits(bytes_for(int(number), "u64")))
        return Value(kind, Bits(bytes_for(number, to)))

    def _as(self, value: Value, kind: int) -> Value:
        """The same bytes as another type: as many of it as the value has room for, or as asked."""
        types = self.scope.types
        item, size = types.plain(kind), types.size_of(kind)
        is_array = isinstance(types.plain(value.type), Array)
        if isinstance(types.plain(value.type), Pointer) and not isinstance(item, Pointer):
            value = Value(value.type, InMemory(int(self.reader.number(value))))
            is_array = False
        if is_array and not isinstance(item, Array) and size:
            kind = types.array(kind, (types.size_of(value.type) // size,))
        return Value(kind, value.where)


@dataclass(frozen=True)
class _Known:
    types: Types

    def __call__(self, name: str) -> bool:
        return self.types.named(name) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and other.types is self.types

    def __hash__(self) -> int:
        return id(self.types)


@lru_cache(maxsize=256)
def _parsed(text: str, is_type: _Known) -> Tree:
    return Parser(text, is_type).parse()


_RANK = ("i32", "u32", "i64", "u64", "i128", "u128", "f16", "bf16", "f32", "f64", "f128")


def _promoted(kind: str) -> str:
    return "i32" if kind == "bool" or (SCALAR_BYTES[kind] < 4 and kind not in FLOATING) else kind


def _width(number: int) -> str:
    return "i32" if number < 1 << 31 else "i64" if number < 1 << 63 else "u64"


def _divided(word: str, a: Number, b: Number) -> Number:
    if isinstance(a, float) or isinstance(b, float):
        if word == "%":
            raise ZhisuanError("% of numbers that are not whole")
        with np.errstate(all="ignore"):
            return float(np.float64(a) / np.float64(b))
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return quotient if word == "/" else a - b * quotient
