"""The Cambricon networks: the values NumPy computes, on two machines and both executors."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from examples.cambricon.__main__ import PAGE, length_table, mix_table
from examples.cambricon.networks import NETWORKS, Network
from examples.cambricon.run import FOLDER, run, traced
from zhisuan.arch.load import load
from zhisuan.isa.asm import assemble
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.checks.run import Report, check

BY_NAME = {network.name: network for network in NETWORKS}


@pytest.mark.parametrize("machine", ["cambricon", "dlp-s"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_network_matches_numpy(network: Network, machine: str) -> None:
    assert run(network, load(machine)).error <= network.tolerance


@pytest.mark.parametrize("name", ["mlp", "rnn", "hopfield"])
def test_reference_executor_gives_the_same(name: str) -> None:
    machine = load("cambricon")
    assert run(BY_NAME[name], machine, executor="reference") == run(BY_NAME[name], machine)


def checked(network: Network, text: str) -> Report:
    case = network.build(np.random.default_rng(1))
    program, journal = assemble(text, f"{network.name}.dlps"), Journal()
    _, trace = traced(case, program, load("cambricon"), journal=journal)
    return check(trace, {program.name: program}, [journal])


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_checks_find_nothing_until_a_sync_is_missing(network: Network) -> None:
    text = (FOLDER / f"{network.name}.dlps").read_text(encoding="utf-8")
    checked(network, text).raise_if_any()
    racy = re.sub(r"SYNC +#\d", "SYNC #0", text)
    assert {finding.check for finding in checked(network, racy).findings} == {"racecheck"}


def test_every_program_has_its_network() -> None:
    assert {path.stem for path in FOLDER.glob("*.dlps")} == set(BY_NAME)


def test_tolerances_can_fail() -> None:
    """Other weights give results further away than any tolerance."""
    cases = [BY_NAME["mlp"].build(np.random.default_rng(seed)) for seed in (1, 2)]
    a, b = (next(iter(case.outputs.values())) for case in cases)
    assert np.abs(a - b).max() > 10 * BY_NAME["mlp"].tolerance


def test_page_shows_the_programs_as_they_are() -> None:
    text = Path(PAGE).read_text(encoding="utf-8")
    assert mix_table() in text and length_table() in text, "run python -m examples.cambricon"
