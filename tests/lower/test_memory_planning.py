"""DRAM planning: live buffers stay apart, dead ones give their room away."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhisuan.lower.memory import ALIGNMENT, Request, place


@st.composite
def requests(draw: st.DrawFn) -> list[Request]:
    found = []
    for index in range(draw(st.integers(0, 12))):
        first = draw(st.integers(0, 10))
        last = first + draw(st.integers(0, 10))
        found.append(Request(f"b{index}", draw(st.integers(1, 5000)), first, last))
    return found


@given(requests())
def test_buffers_alive_together_do_not_overlap(wanted: list[Request]) -> None:
    addresses, used = place(wanted)
    base = min(addresses.values(), default=0)
    for a in wanted:
        assert addresses[a.name] % ALIGNMENT == 0
        assert addresses[a.name] - base + a.size <= used
        for b in wanted:
            if a is not b and a.first <= b.last and b.first <= a.last:
                apart = (
                    addresses[a.name] + a.size <= addresses[b.name]
                    or addresses[b.name] + b.size <= addresses[a.name]
                )
                assert apart


def test_a_chain_of_equal_buffers_needs_room_for_two() -> None:
    chain = [Request(f"b{i}", 4096, i, i + 1) for i in range(20)]
    assert place(chain)[1] == 2 * 4096
