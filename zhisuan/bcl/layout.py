"""Where globals lie: on-chip arrays from the start of their memory, constants in CONST, others in
LDRAM.

In: the module.  Out: addresses, the bytes of the constant segment, the sizes linked on chip.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from zhisuan.base.errors import ZhisuanError
from zhisuan.bcl import ir
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


@dataclass
class Layout:
    addresses: dict[str, int] = field(default_factory=dict)
    spaces: dict[str, str] = field(default_factory=dict)
    const_data: bytearray = field(default_factory=bytearray)
    fixups: list[tuple[int, str]] = field(default_factory=list)  # const offset → function
    nram_bytes: int = 0
    wram_bytes: int = 0
    sram_bytes: int = 0
    arrays: list[ir.Global] = field(default_factory=list)  # those that are not constants


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
        if isinstance(value, ir.Group):
            pending.extend(value.parts)
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
    for name in names:
        item = module.globals[name]
        space = _space(module, item)
        layout.spaces[name] = space
        if space == "const":
            continue
        if ir.size_of(item.type) == 0:
            unsized.append(name)
            continue
        start = ir.round_up(ends[space], max(item.align, ON_CHIP_ALIGNMENT))
        layout.addresses[name] = start
        ends[space] = start + ir.size_of(item.type)
    for name in unsized:  # an arena is all that the arrays leave free
        layout.addresses[name] = ir.round_up(ends[layout.spaces[name]], ON_CHIP_ALIGNMENT)
    _refuse_overflow(module, layout, ends)
    layout.arrays = [module.globals[name] for name in names if layout.spaces[name] != "const"]
    layout.nram_bytes = ends["nram"] - address.NRAM.base
    layout.wram_bytes = ends["wram"] - address.WRAM.base
    layout.sram_bytes = ends["sram"] - address.SRAM.base
    _place_constants(module, layout, [name for name in names if layout.spaces[name] == "const"])
    return layout


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


def _space(module: ir.Module, item: ir.Global) -> str:
    notes = module.annotations.get(item.name, set())
    for space in _SPACES:
        if space in notes:
            return space
    if item.initial is None:
        raise ZhisuanError(
            f"'{item.source_name}' is declared, but nothing defines it",
            where=item.place,
            hint="define it in this file, or give it a memory: __nram__, __wram__ or __ldram__",
        )
    if item.constant:
        return "const"
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
    elif isinstance(value, ir.Number):
        size = ir.size_of(value.type)
        layout.const_data[offset : offset + size] = value.bits.to_bytes(size, "little")
    elif isinstance(value, ir.Address):
        if value.symbol in layout.addresses:
            word = layout.addresses[value.symbol] + value.offset
            layout.const_data[offset : offset + 8] = word.to_bytes(8, "little")
        else:
            layout.fixups.append((offset, value.symbol))
