"""What `-g` adds to a program: functions, scopes, variables, where they are, and their types.

Goes in: nothing; the compiler fills a `DebugTable` and hangs it on `Program.debug`, which is
None without `-g`.  Comes out: plain data, by word index (`pc`); `debug_query` asks it questions,
`debug_text` is its text form.  Nothing here executes.

    DebugTable
      types      Scalar Pointer Array Struct Enum Alias Qualified Opaque; refer to each other by
                 their index here; VOID (-1) is no type
      functions  Function: name, words [start, end), body, parameters and locals in its `scope`,
                 and `frames`, which say how to find the caller at every word
      globals    Variable: those outside functions; one Everywhere place each

    Scope        a lexical block, or a function inlined (`function` names it, `call` is where);
                 `ranges` are the words of it and of the scopes inside it
    Variable     name, type, place of the declaration, `argument` (1 is the first parameter),
                 `places`: Range(start, end, location), sorted, not overlapping.  A pc in none
                 of them: the value is optimised out there.  Static variables lie in their scope.

A location tells where a value's bytes are:

    Register(5)            in $5, low bytes first
    Stack(-40)             in memory at the frame's base - 40
    Memory(0x1000000)      in memory there, whichever space that is
    Constant(7)            nowhere: the value is 7 (its bits, low bytes first)
    Load(where, 16)        in memory, 16 bytes after the address that `where` holds
    Address(where)         nowhere: the value is the address of `where`, which is in memory
    Computed(where, steps) nowhere: made of the 64-bit value at `where`, steps ("add", 3) …
    Pieces(((0, 4, a), …)) bytes 0..3 at a, … ; what no piece covers is optimised out

The frame's base is the stack pointer before the call, hence one number all through a function:
the `Frame` row of a pc says base = $register + offset, and which registers the function has
saved by then, at base + offset each.  The return address is the saved LINK_REGISTER, or still in
it.  Kernels have no caller.
"""

from __future__ import annotations

from dataclasses import dataclass

Place = tuple[int, int]
"""(index into Program.files, line); (-1, 0) is unknown."""
NOWHERE: Place = (-1, 0)
VOID = -1
SCALAR_BYTES = {
    "i8": 1, "u8": 1, "i16": 2, "u16": 2, "i32": 4, "u32": 4, "i64": 8, "u64": 8, "i128": 16,
    "u128": 16, "f16": 2, "bf16": 2, "f32": 4, "f64": 8, "f128": 16, "bool": 1,
}  # fmt: skip
STEPS = ("add", "mul", "and", "or", "xor", "shl", "shr", "sra")


# -- locations ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Register:
    number: int


@dataclass(frozen=True)
class Stack:
    offset: int


@dataclass(frozen=True)
class Memory:
    address: int


@dataclass(frozen=True)
class Constant:
    bits: int


@dataclass(frozen=True)
class Load:
    where: Location
    offset: int = 0


@dataclass(frozen=True)
class Address:
    where: Location


@dataclass(frozen=True)
class Computed:
    """steps: (name of `STEPS`, number), first to last, in 64 bits."""

    where: Location
    steps: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Pieces:
    """parts: (first byte, bytes, location), by first byte."""

    parts: tuple[tuple[int, int, Location], ...]


Location = Register | Stack | Memory | Constant | Load | Address | Computed | Pieces


# -- types --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scalar:
    """kind: a name of `SCALAR_BYTES`."""

    name: str
    kind: str


@dataclass(frozen=True)
class Pointer:
    """to: what it points to; a reference is a pointer that the source does not show."""

    to: int
    is_reference: bool = False


@dataclass(frozen=True)
class Array:
    """counts: elements of each dimension, outermost first; 0 is not known here."""

    of: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Member:
    """offset in bytes.  A bit field is `bits` wide and begins `first_bit` bits after `offset`.

    A base class is a member without a name.
    """

    name: str
    type: int
    offset: int
    bits: int = 0
    first_bit: int = 0


@dataclass(frozen=True)
class Struct:
    """word: struct, class or union; size in bytes."""

    word: str
    name: str
    size: int
    members: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Enum:
    """kind: the integer that holds it; values: (name, number)."""

    name: str
    kind: str
    values: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Alias:
    """A typedef's or template alias's name."""

    name: str
    type: int


@dataclass(frozen=True)
class Qualified:
    """word: const or volatile."""

    word: str
    type: int


@dataclass(frozen=True)
class Opaque:
    """What is not described: a function, a struct that is only declared."""

    name: str
    size: int = 0


Type = Scalar | Pointer | Array | Struct | Enum | Alias | Qualified | Opaque


# -- functions ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """A variable's location at the words [start, end)."""

    start: int
    end: int
    where: Location


@dataclass(frozen=True)
class Variable:
    name: str
    type: int
    place: Place = NOWHERE
    argument: int = 0
    places: tuple[Range, ...] = ()

    def at(self, pc: int) -> Location | None:
        """Where it is at a word; None where it is optimised out."""
        for part in self.places:
            if part.start <= pc < part.end:
                return part.where
        return None


@dataclass(frozen=True)
class Scope:
    """place: where it begins in the source.  function, call: what is inlined here, and where."""

    place: Place = NOWHERE
    ranges: tuple[tuple[int, int], ...] = ()
    function: str = ""
    call: Place = NOWHERE
    variables: tuple[Variable, ...] = ()
    scopes: tuple[Scope, ...] = ()

    def __contains__(self, pc: int) -> bool:
        return any(start <= pc < end for start, end in self.ranges)


@dataclass(frozen=True)
class Frame:
    """From word `start` on: base = $register + offset; saved: (register, offset from base)."""

    start: int
    register: int
    offset: int
    saved: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Function:
    """body: the first word behind the prologue, where a breakpoint finds the parameters set."""

    name: str
    start: int
    end: int
    body: int
    place: Place = NOWHERE
    is_kernel: bool = False
    scope: Scope = Scope()
    frames: tuple[Frame, ...] = ()

    def __contains__(self, pc: int) -> bool:
        return self.start <= pc < self.end


@dataclass(frozen=True)
class DebugTable:
    """functions: in the order of their words."""

    types: tuple[Type, ...] = ()
    functions: tuple[Function, ...] = ()
    globals: tuple[Variable, ...] = ()

    def name_of(self, type_index: int) -> str:
        """A type as the source spells it, such as `const float*` or `half[4][8]`."""
        if type_index == VOID:
            return "void"
        kind = self.types[type_index]
        if isinstance(kind, Pointer):
            return self.name_of(kind.to) + ("&" if kind.is_reference else "*")
        if isinstance(kind, Array):
            return self.name_of(kind.of) + "".join(f"[{count or ''}]" for count in kind.counts)
        if isinstance(kind, Qualified):
            inner = self.name_of(kind.type)
            return f"{inner} {kind.word}" if inner.endswith("*") else f"{kind.word} {inner}"
        return kind.name

    def plain(self, type_index: int) -> Type | None:
        """The type behind aliases and qualifiers; None is void."""
        while type_index != VOID:
            kind = self.types[type_index]
            if not isinstance(kind, Alias | Qualified):
                return kind
            type_index = kind.type
        return None

    def size_of(self, type_index: int) -> int:
        """Bytes of a value; 0 where nothing tells."""
        kind = self.plain(type_index)
        if isinstance(kind, Scalar | Enum):
            return SCALAR_BYTES[kind.kind]
        if isinstance(kind, Pointer):
            return 8
        if isinstance(kind, Array):
            size = self.size_of(kind.of)
            for count in kind.counts:
                size *= count
            return size
        return kind.size if isinstance(kind, Struct | Opaque) else 0
