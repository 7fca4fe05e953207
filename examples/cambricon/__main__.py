"""`python -m examples.cambricon`: run the seven networks and write docs/cambricon.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from examples.cambricon.networks import NETWORKS
from examples.cambricon.run import CLASSES, Run, instructions_between, mix_of, program_of, run
from zhisuan.arch.load import load
from zhisuan.base.files import write_atomically

PAGE = Path(__file__).parents[2] / "docs" / "cambricon.md"
PAPER_MIX = (38.1, 4.7, 12.4, 34.1, 10.7)
"""Mean percentages over the paper's ten benchmarks, in the order of CLASSES."""


def table(runs: list[Run]) -> str:
    head = ["network", "words", *CLASSES, "executed by units", "cycles", "largest error"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for one in runs:
        cells = [one.network.title, str(one.words), *map(str, one.mix), f"{one.queued:,}",
                 f"{one.cycles:,}", f"{one.error:.2g} of {one.network.tolerance:g}"]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _mean_shares(mixes: list[tuple[int, ...]]) -> np.ndarray:
    return np.array([np.array(mix) / sum(mix) for mix in mixes]).mean(axis=0) * 100


def mix_table() -> str:
    programs = [program_of(network) for network in NETWORKS]
    rows = (
        ("ours, mean of 7 networks", _mean_shares([mix_of(program) for program in programs])),
        ("without loads of constants and SYNC",
         _mean_shares([mix_of(program, core_only=True) for program in programs])),
        ("the paper's, mean of 10", PAPER_MIX),
    )  # fmt: skip
    lines = ["| % of the instructions | " + " | ".join(CLASSES) + " |", "|" + "---|" * 6]
    for name, row in rows:
        lines.append(f"| {name} | " + " | ".join(f"{value:.1f}" for value in row) + " |")
    return "\n".join(lines)


def length_table() -> str:
    programs = {network.name: program_of(network) for network in NETWORKS}
    layer = instructions_between(programs["autoencoder"], "layer3", "layer4")
    with_loads = instructions_between(programs["mlp"], "layer1", "layer2") + 1  # its VSTORE
    window = instructions_between(programs["cnn"], "window", "pooled")
    return f"""| piece of code | ours | the paper's |
|---|---|---|
| a layer of the MLP, with its loads, a SYNC and the store | {with_loads} | 8 |
| the same, parameters on the chip | {layer} | |
| a pooling window | {window} | 11 |"""


def page(runs: list[Run]) -> str:
    machine = load("cambricon")
    return f"""# The Cambricon paper's networks in its assembly

Written by `python -m examples.cambricon`. Programs: `examples/cambricon/*.dlps`. Machine:
`{machine.name}`, {machine.title}, with FP16 in place of the paper's 16-bit fixed point.
Data are seeded; every result is compared with NumPy in float64.

{table(runs)}

## Instruction mix and code length

{mix_table()}

{length_table()}

Words are counted as they stand in the program. Ours also load sizes and addresses into registers
(`SLOAD`, a transfer), wait for transfers (`SYNC`, control) and compute a predicate before each
branch (`SGT`, scalar: our `CB` tests the lowest bit).
"""


def main() -> None:
    machine = load("cambricon")
    text = page([run(network, machine) for network in NETWORKS])
    write_atomically(PAGE, text)
    print(text)


if __name__ == "__main__":
    main()
