"""Where globals lie: on-chip arrays from the start of their memory, constants in CONST, others in
LDRAM.

In: the module.  Out: addresses, the bytes of the constant segment, the sizes linked on chip.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from zhisuan.base.errors import SourcePos, ZhisuanError
from zhisuan.bcl import ir
from zhisuan.bcl.link import symbols
from zhisuan.isa import address

ON_CHIP_ALIGNMENT = 128
SPECIALS = {
    "taskId": 0, "taskIdX": 1, "taskIdY": 2, "taskIdZ": 3,
    "taskDim": 4, "taskDimX": 5, "taskDimY": 6, "taskDimZ": 7,
    "clusterId": 8, "clusterDim": 9, "coreId": 10, "coreDim": 11,
}  # fmt: skip
"""Built-in variables, by the index of the special register that holds them."""
_SPACES = {
    "nram": address.NRAM, "wram": address.WRAM, "sram": address.SRAM, "ldram": address.LDRAM,
}  # fmt: skip


_VARIABLE = "variable"
QUALIFIERS = {"nram": "__nram__", "wram": "__wram__", "sram": "__mlu_shared__",
               "ldram": "__ldram__"}  # fmt: skip


ARITHMETIC: dict[str, Callable[..., int]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "and": operator.and_,
    "or": operator.or_, "xor": operator.xor, "shl": operator.lshift, "lshr": operator.rshift,
    "trunc": int,
}  # fmt: skip


@dataclass
class Layout:
    addresses: dict[str, int] = field(default_factory=dict)
    spaces: dict[str, str] = field(default_factory=dict)
    const_data: bytearray = field(default_factory=bytearray)
    fixups: list[tuple[int, ir.Address]] = field(default_factory=list)  # of functions
    nram_bytes: int = 0
    wram_bytes: int = 0
    sram_bytes: int = 0
    arrays: list[ir.Global] = field(default_factory=list)  # those that are not constants
    variables: Variables | None = None

    def number(self, value: ir.Value) -> int | None:
        """What a constant is, if it does not depend on where functions lie."""
        width = value.type.bits if isinstance(value.type, ir.Int) else 64
        if isinstance(value, ir.Number):
            return value.bits
        if isinstance(value, ir.Address) and value.symbol in self.addresses:
            return self.addresses[value.symbol] + value.offset
        if not isinstance(value, ir.Expression):
            return None
        operands = [self.number(part) for part in value.operands]
        if None in operands:
            return None
        return ARITHMETIC[value.op](*operands) & ((1 << width) - 1)


@dataclass(frozen=True)
class Variables:
    """Variables outside functions and static ones: a task's own, in LDRAM, set when it starts.

    `start` is where they lie; the first `image_bytes` begin as a copy of what lies at `image`,
    the `zero_bytes` after them as zeros.  All are multiples of 8.
    """

    start: int
    image: int
    image_bytes: int
    zero_bytes: int


def used_symbols(module: ir.Module, functions: list[ir.Function]) -> set[str]:
    """Globals that `functions` refer to, directly or through other globals' values."""
    pending = [
        operand
        for function in functions
        for block in function.blocks
        for item in block.body
        for operand in item.operands
    ]
    seen: set[str] = set()
    while pending:
        value = pending.pop()
        if isinstance(value, ir.Group | ir.Expression):
            pending.extend(value.parts if isinstance(value, ir.Group) else value.operands)
        if not isinstance(value, ir.Address) or value.symbol in seen:
            continue
        seen.add(value.symbol)
        target = module.globals.get(value.symbol)
        if target is not None and target.initial is not None:
            pending.append(target.initial)
    return seen & module.globals.keys()


def lay_out(module: ir.Module, functions: list[ir.Function]) -> Layout:
    """Addresses of all globals that `functions` use."""
    layout = Layout()
    used = used_symbols(module, functions)
    names = [name for name in module.globals if name in used and name not in SPECIALS]
    ends = {name: space.base for name, space in _SPACES.items()}
    unsized = []
    variables = []
    for name in names:
        item = module.globals[name]
        space = _space(module, item, functions)
        layout.spaces[name] = space
        if space == "const":
            continue
        if space == _VARIABLE:
            layout.spaces[name] = "ldram"
            variables.append(item)
            continue
        if ir.size_of(item.type) == 0:
            unsized.append(name)
            continue
        start = ir.round_up(ends[space], max(item.align, ON_CHIP_ALIGNMENT))
        layout.addresses[name] = start
        ends[space] = start + ir.size_of(item.type)
    image = _place_variables(layout, variables, ends)
    for name in unsized:  # an arena is all that the arrays leave free
        layout.addresses[name] = ir.round_up(ends[layout.spaces[name]], ON_CHIP_ALIGNMENT)
    _refuse_overflow(module, layout, ends)
    layout.arrays = [module.globals[name] for name in names if layout.spaces[name] != "const"]
    layout.nram_bytes = ends["nram"] - address.NRAM.base
    layout.wram_bytes = ends["wram"] - address.WRAM.base
    layout.sram_bytes = ends["sram"] - address.SRAM.base
    _place_constants(module, layout, [name for name in names if layout.spaces[name] == "const"])
    if layout.variables is not None:
        _write_image(layout, layout.variables, image)
    return layout


def _place_variables(
    layout: Layout, variables: list[ir.Global], ends: dict[str, int]
) -> list[ir.Global]:
    """Addresses of variables; returns those whose first value is not all zeros, which lie first."""
    if not variables:
        return []
    start = at = ir.round_up(ends["ldram"], ON_CHIP_ALIGNMENT)
    image = [item for item in variables if not _is_zero(item.initial)]
    for item in image:
        at = _place(layout, item, at)
    middle = at = ir.round_up(at, 8)
    for item in variables:
        if item not in image:
            at = _place(layout, item, at)
    ends["ldram"] = ir.round_up(at, 8)
    layout.variables = Variables(start, 0, middle - start, ends["ldram"] - middle)
    return image


def _place(layout: Layout, item: ir.Global, at: int) -> int:
    at = ir.round_up(at, max(item.align, ir.alignment(item.type)))
    layout.addresses[item.name] = at
    return at + max(ir.size_of(item.type), 1)


def _is_zero(value: ir.Value | None) -> bool:
    if isinstance(value, ir.Group):
        return all(map(_is_zero, value.parts))
    return isinstance(value, ir.Undefined) or (isinstance(value, ir.Number) and value.bits == 0)


def _write_image(layout: Layout, variables: Variables, image: list[ir.Global]) -> None:
    start = ir.round_up(len(layout.const_data), 8)
    layout.const_data += bytes(start - len(layout.const_data) + variables.image_bytes)
    for item in image:
        assert item.initial is not None
        _write(layout, start + layout.addresses[item.name] - variables.start, item.initial)
    layout.variables = replace(variables, image=address.CONST.base + start)


def _refuse_overflow(module: ir.Module, layout: Layout, ends: dict[str, int]) -> None:
    """No machine has more of a memory than its window."""
    for name, space in _SPACES.items():
        if ends[name] <= space.base + space.window:
            continue
        held = [item for item in module.globals.values() if layout.spaces.get(item.name) == name]
        largest = sorted(held, key=lambda item: -ir.size_of(item.type))
        lines = [f"{ir.size_of(item.type):,} bytes  {item.source_name}" for item in largest]
        raise ZhisuanError(
            f"the arrays in {name} do not fit any machine",
            where=largest[0].place,
            expected=f"at most {space.window:,} bytes",
            found="\n".join([f"{ends[name] - space.base:,} bytes:", *lines]),
        )


def _first_use(name: str, functions: list[ir.Function]) -> SourcePos | None:
    """Where functions first refer to a global that they use."""
    items = (item for function in functions for block in function.blocks for item in block.body)
    users = (item for item in items if name in {s for v in item.operands for s in symbols(v)})
    return next((item.place for item in users if item.place is not None), None)


def _space(module: ir.Module, item: ir.Global, functions: list[ir.Function]) -> str:
    notes = module.annotations.get(item.name, set())
    spaces = [space for space in _SPACES if space in notes]
    if len(spaces) > 1:
        raise ZhisuanError(
            f"'{item.source_name}' has several memories",
            where=item.place,
            expected="one of __nram__, __wram__, __mlu_shared__ and __ldram__",
            found=" and ".join(QUALIFIERS[space] for space in spaces),
        )
    if spaces:
        return spaces[0]
    if item.initial is None:
        raise ZhisuanError(
            f"'{item.source_name}' is declared, but nothing defines it",
            where=item.place or _first_use(item.name, functions),
            hint="define it in this file, or give it a memory: __nram__, __wram__ or __ldram__",
        )
    if item.constant:
        return "const"
    if not item.shared:
        return _VARIABLE
    raise ZhisuanError(
        f"'{item.source_name}' is a variable outside all functions, which a kernel cannot write",
        where=item.place,
        expected="const data, or a memory named: __nram__, __wram__ or __ldram__",
    )


def _place_constants(module: ir.Module, layout: Layout, names: list[str]) -> None:
    offset = 0
    for name in names:
        item = module.globals[name]
        offset = ir.round_up(offset, max(item.align, ir.alignment(item.type)))
        layout.addresses[name] = address.CONST.base + offset
        offset += ir.size_of(item.type)
    layout.const_data = bytearray(offset)
    for name in names:
        item = module.globals[name]
        assert item.initial is not None
        _write(layout, layout.addresses[name] - address.CONST.base, item.initial)


def _write(layout: Layout, offset: int, value: ir.Value) -> None:
    if isinstance(value, ir.Group):
        for index, part in enumerate(value.parts):
            kind = value.type
            step = (
                ir.field_offset(kind, index)
                if isinstance(kind, ir.Struct)
                else index * ir.size_of(part.type)
            )
            _write(layout, offset + step, part)
    elif isinstance(value, ir.Expression):
        number = layout.number(value)
        if number is None:
            raise ZhisuanError("arithmetic on the address of a function is not supported")
        _write(layout, offset, ir.Number(value.type, number))
    elif isinstance(value, ir.Number):
        size = ir.size_of(value.type)
        layout.const_data[offset : offset + size] = value.bits.to_bytes(size, "little")
    elif isinstance(value, ir.Address):
        if value.symbol in layout.addresses:
            word = layout.addresses[value.symbol] + value.offset
            layout.const_data[offset : offset + 8] = word.to_bytes(8, "little")
        else:
            layout.fixups.append((offset, value))
