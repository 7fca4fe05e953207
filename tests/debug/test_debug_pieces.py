"""Values that optimisation has taken apart: what is known is shown, the rest is not made up."""

from __future__ import annotations

from zhisuan.arch.load import load
from zhisuan.debug.types import Types
from zhisuan.debug.values import Bits, InRegister, Joined, Reader, Value
from zhisuan.isa import debug_table as d
from zhisuan.sim.memory import Memory

TABLE = d.DebugTable(
    (
        d.Scalar("int", "i32"),
        d.Scalar("float", "f32"),
        d.Array(0, (2,)),
        d.Struct(
            "struct",
            "Point",
            20,
            (d.Member("x", 0, 0), d.Member("y", 1, 4), d.Member("z", 0, 8), d.Member("w", 2, 12)),
        ),
        d.Scalar("long long", "i64"),
    )
)
HALF = Bits(bytes.fromhex("0000c03f"))  # 1.5f


def shown(kind: int, *parts: tuple[int, int, InRegister | Bits]) -> str:
    reader = Reader(Types(TABLE), Memory(load("dlp-s")), tuple(range(64)))
    return reader.text(Value(kind, Joined(parts)))


def test_members_that_no_piece_covers_are_optimised_out() -> None:
    assert shown(3, (0, 4, InRegister(7)), (4, 4, HALF), (12, 8, Bits(bytes(7) + b"\1"))) == (
        "{x = 7, y = 1.5, z = <optimised out>, w = {0, 16777216}}"
    )


def test_a_number_of_which_half_is_known_is_not() -> None:
    assert shown(4, (0, 4, InRegister(7))) == "<the value is optimised out>"
    assert shown(4, (0, 4, InRegister(7)), (4, 4, Bits(b"\1\0\0\0"))) == str(7 + (1 << 32))
