"""Going back is exact: every moment is the same however it is reached, on both executors."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.debug.debug_kernels import MEETING, everything, launch, random_kernel, scaled
from zhisuan.debug.session import Session
from zhisuan.debug.stop import Reason


def meeting(executor: str = "native") -> Session:
    made, _, _ = launch(MEETING, np.zeros(2, np.int32), 3, dims=(8, 1, 1), task_type="UNION2",
                        executor=executor)  # fmt: skip
    return Session(made, tell=lambda _: None)


def test_a_launch_computes_what_it_computes_without_a_debugger() -> None:
    session, card, (out, _) = scaled()
    assert session.go_on().reason is Reason.END
    found = card.read(out, np.float32, 1024)
    expected = 2 * np.arange(1024, dtype=np.float32)
    expected[::64] = 3 * expected[::64] / 2 + 1
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("executor", ["native", "reference"])
def test_random_travels_find_every_moment_as_it_was(executor: str) -> None:
    session = meeting(executor)
    session.go_on()
    latest = session.motion.history.latest
    choice = random.Random(1)
    moments = sorted(choice.sample(range(latest), 6))
    seen = {}
    for moment in moments:
        session.go_to(moment)
        seen[moment] = everything(session)
    for moment in choice.sample(moments * 2, 12):
        session.go_to(moment)
        assert everything(session) == seen[moment]


def test_both_executors_agree_at_every_moment() -> None:
    native, reference = meeting("native"), meeting("reference")
    for session in (native, reference):
        session.go_on()
    latest = native.motion.history.latest
    assert latest == reference.motion.history.latest
    for moment in random.Random(2).sample(range(latest + 1), 8):
        native.go_to(moment)
        reference.go_to(moment)
        assert everything(native) == everything(reference)


@pytest.mark.parametrize("over", [False, True])
def test_as_many_lines_back_as_forwards_lead_to_the_same_moments(over: bool) -> None:
    session, _, _ = scaled()
    session.breakpoints.add(session.symbols, "work", core=5)
    assert session.go_on().reason is Reason.BREAKPOINT
    session.breakpoints.items.clear()
    seen = [everything(session)]
    for _ in range(14):
        session.step(over)
        seen.append(everything(session))
    for state in reversed(seen[:-1]):
        session.step_back(over)
        assert everything(session) == state


@pytest.mark.parametrize("seed", range(3))
def test_random_kernels_go_back_as_they_came(seed: int) -> None:
    made, _, _ = launch(random_kernel(seed), np.zeros(256, np.float32), dims=(4, 1, 1),
                        task_type="UNION1", optimize=0, debug=True)  # fmt: skip
    session = Session(made, tell=lambda _: None)
    session.select(2)
    choice = random.Random(seed)
    seen = [everything(session)]
    over = bool(choice.getrandbits(1))
    for _ in range(12):
        if session.step(over).reason is not Reason.STEP or session.last.text:
            break
        seen.append(everything(session))
    assert len(seen) > 6
    for state in reversed(seen[:-1]):
        session.step_back(over)
        assert everything(session)[3][2] == state[3][2]  # type: ignore[index]


def test_as_many_instructions_back_as_forwards() -> None:
    session = meeting()
    session.select(3)
    seen = [everything(session)]
    for _ in range(40):
        session.step(by_instruction=True)
        seen.append(everything(session))
    for state in reversed(seen[:-1]):
        session.step_back(by_instruction=True)
        assert everything(session)[3][3] == state[3][3]  # type: ignore[index]


def test_breakpoints_are_found_backwards_in_the_same_places() -> None:
    session, _, _ = scaled()
    session.breakpoints.add(session.symbols, "19")
    places = []
    while session.go_on().reason is Reason.BREAKPOINT:
        places.append((session.motion.moment, session.focus))
    assert len(places) == 16
    for place in reversed(places):
        assert session.back().reason is Reason.BREAKPOINT
        assert (session.motion.moment, session.focus) == place
    assert session.back().reason is Reason.BEGINNING


def test_kernels_print_once_however_often_it_is_executed() -> None:
    told: list[str] = []
    made, _, _ = launch(MEETING, np.zeros(2, np.int32), 1, dims=(8, 1, 1), task_type="UNION2")
    session = Session(made, tell=told.append)
    session.go_on()
    once = "".join(told)
    session.go_to(0)
    session.go_on()
    assert "".join(told) == once
    assert once.count("cluster 1 round 0") == 1
