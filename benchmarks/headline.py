"""`python -m benchmarks headline`: a DLP beside this host's CPU, in time and in energy.

The course's claim is a hundred times a CPU at a tenth of its energy.  The CPU is measured here, the
chip simulated, both on the same networks; a third party is the core that DianNao was compared
with, at its peak.  Goes out: docs/headline.md and the picture in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bars, chip, cpu, networks
from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.base.files import write_atomically

DOCS = Path(__file__).parent.parent / "docs"
PAGE, PICTURE = DOCS / "headline.md", DOCS / "images" / "headline.svg"
MACHINES = ("mlu270", "mobile")
STYLE_SIDE = 256
ROUNDS, MOST_ROUNDS = 7, 40
"""So many quiet rounds, and so many at most while others keep the host busy."""
LEAST_ROUND = 0.5
"""Seconds of inferences in a round, so that the system's clock can tell whose they were."""
OLD_CORE = 8 * 2e9
"""MACs a second of a 2 GHz core with 128-bit vectors: eight of 16 bits in every cycle."""
FASTER, THRIFTIER = 100, 10
"""The claim: times the speed, and times less energy."""


@dataclass(frozen=True)
class CpuRun:
    """One inference on this host: seconds of the fastest, and joules if they can be told."""

    peer: str
    seconds: float
    joules: float | None
    others: float
    """Of the cores' time in that round, what other processes took."""


@dataclass(frozen=True)
class Comparison:
    """A network on the CPU and on machines; `refused` says why others are not among them."""

    network: str
    macs: int
    host: CpuRun
    chips: tuple[chip.ChipRun, ...]
    refused: tuple[str, ...]

    def faster(self, run: chip.ChipRun) -> float:
        return self.host.seconds / run.seconds

    def thriftier(self, run: chip.ChipRun) -> float | None:
        return self.host.joules / run.joules if self.host.joules else None


def on_cpu(peer: networks.Peer, host: cpu.Cpu, rounds: int = ROUNDS) -> CpuRun:
    """The fastest round after an uncounted one; energy by the counter, else by the table."""
    peer.run()
    count = max(1, round(LEAST_ROUND / cpu.timed(peer.run).seconds))
    before = cpu.counted_joules()
    found: list[cpu.Spent] = []
    while sum(one.others <= cpu.QUIET for one in found) < rounds and len(found) < MOST_ROUNDS:
        found.append(cpu.timed(lambda: [peer.run() for _ in range(count)]))
    spent, after = min(found), cpu.counted_joules()
    seconds = spent.seconds / count
    joules = host.series and seconds * cpu.threads() * host.series.watts_per_core
    if before is not None and after is not None and after > before:
        joules = (after - before) / (len(found) * count)
    return CpuRun(peer.name, seconds, joules, spent.others)


def compare(
    network: networks.Network, peer: Callable[[networks.Network], networks.Peer]
) -> Comparison:
    """One network on everything."""
    host = on_cpu(peer(network), cpu.this_cpu())
    runs, refused = [], []
    for name in MACHINES:
        for precision in chip.PRECISIONS:
            try:
                on = chip.loaded(network, load(name), precision)
                runs.append(chip.run(network, precision, on))
            except ZhisuanError as error:
                refused.append(f"{network.name} on `{name}` in {precision}: {error.what}")
    return Comparison(network.name, runs[0].macs, host, tuple(runs), tuple(refused))


def table(results: list[Comparison]) -> str:
    """Every run beside the CPU's, as Markdown."""
    lines = [
        "| network | on | cores | ms | J | W | × speed | energy ÷ |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for r in results:
        host, old = r.host, r.macs / OLD_CORE
        cells = [r.network, f"this CPU, {host.peer}, FP32", f"{cpu.threads()}",
                 *_spent(host.seconds, host.joules), "1", "1"]  # fmt: skip
        lines.append(_line(cells))
        cells = ["", "a 2 GHz core with 128-bit vectors, at its peak", "1",
                 *_spent(old, None), _short(host.seconds / old), "–"]  # fmt: skip
        lines.append(_line(cells))
        for run in r.chips:
            cells = ["", f"`{run.machine.name}`, {run.precision}",
                     f"{run.cores} of {run.machine.cores}", *_spent(run.seconds, run.joules),
                     _short(r.faster(run)), _short(r.thriftier(run))]  # fmt: skip
            lines.append(_line(cells))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _short(number: float | None) -> str:
    return "–" if number is None else f"{number:.3g}"


def _spent(seconds: float, joules: float | None) -> tuple[str, str, str]:
    """Milliseconds, joules and watts."""
    watts = None if joules is None else joules / seconds
    return f"{1e3 * seconds:.4g}", _short(joules), _short(watts)


def reading(results: list[Comparison]) -> str:
    """What the figures say of the claim, run by run, and what was left out."""
    lines = []
    for r in results:
        for run in r.chips:
            said = [
                _said(r.faster(run), FASTER, "times this CPU's speed"),
                _said(r.thriftier(run), THRIFTIER, "times less energy"),
                _said(r.macs / OLD_CORE / run.seconds, FASTER, "times the old core's peak"),
            ]
            where = f"{r.network} on `{run.machine.name}`, {run.precision}"
            lines.append(f"- {where}: {'; '.join(filter(None, said))}.")
    lines += [f"- Left out: {why}." for r in results for why in r.refused]
    return "\n".join(lines)


def _said(ratio: float | None, claim: float, what: str) -> str:
    if ratio is None:
        return ""
    return f"{_short(ratio)} {what}" + (", as claimed" if ratio >= claim else "")


def assumptions(host: cpu.Cpu) -> str:
    """What is taken for granted about the CPU."""
    known = f"This CPU is {host.vendor} family {host.family} model {host.model}, “{host.name}”"
    if cpu.counted_joules() is not None:
        return f"{known}; its energy is the processor's own count (RAPL), idle cores and all."
    series = host.series
    if series is None:
        return f"{known}; its power is not known here, so that energy is left out."
    return (
        f"{known}; a hypervisor may hide more. Its power cannot be read here. It is taken from "
        "the model of its series with the least power for each core, "
        f"{series.name}: {series.watts} W of thermal design power over {series.cores} cores, "
        f"{series.watts_per_core:.2f} W for each of the {cpu.threads()} used "
        f"(benchmarks/cpu.toml: {series.source}).\n\n"
        "That favours the CPU: its DRAM is not in it, idle cores pay for their share of the "
        "socket, and what the host calls a core may be half of one. The chip's energy has its "
        "DRAM and its static power in it."
    )


def page(results: list[Comparison], host: cpu.Cpu) -> str:
    others = " and ".join(f"{100 * r.host.others:.0f} %" for r in results)
    return f"""# A hundred times a CPU at a tenth of its energy?

Written by `python -m benchmarks headline`. Seconds of the CPU are those of the fastest of {ROUNDS}
rounds of inferences in float32 in this run, which favours it; those of the chips are simulated
cycles over their clock. One picture at a time. During the fastest rounds other processes took
{others} of the time of this host's cores.

![Speed and energy of the chips beside this CPU's](images/headline.svg)

{table(results)}

“× speed” is the CPU's seconds over the chip's, “energy ÷” the CPU's joules over the chip's. A core
that is not used still costs its static power.

## What is assumed of the CPU

{assumptions(host)}

The claim is of the years of DianNao, whose CPU was a 2 GHz core with vectors of 128 bits: eight
16-bit multiply-accumulates a cycle, 16 G a second at its peak, without one cycle lost. DianNao was
117.87 times as fast as a simulated core of that kind and took 21.08 times less energy; that core's
power is not published apart, so that it has no energy here.

## What that says

The claim is {FASTER} times the speed and {THRIFTIER} times less energy.

{reading(results)}

Speed is a matter of how many cores are bought and of how old the CPU is: a core of today multiplies
and adds 16 to 32 float32 numbers a cycle at a higher clock. Energy does not grow with the number of
units, and is the steadier half of the claim. It rests on estimates on both sides: the chip's from
technology tables, good to about a factor of two ([machines.md](machines.md)), the CPU's from a
share of its design power unless a counter can be read.
"""


def picture(results: list[Comparison]) -> str:
    """Speed and energy ratios as bars, the claim as a line."""
    speed, thrift = [], []
    for r in results:
        for run in r.chips:
            label = f"{r.network} · {run.machine.name} {run.precision}"
            speed.append((label, r.faster(run)))
            thrift.append((label, r.thriftier(run)))
    panels = [bars.Panel("times this CPU's speed", FASTER, speed),
              bars.Panel("times less energy", THRIFTIER, thrift)]  # fmt: skip
    return bars.draw(panels)


def main() -> None:
    results = [
        compare(networks.style_network(STYLE_SIDE), networks.style_peer),
        compare(networks.vgg16_network(), networks.vgg16_peer),
    ]
    write_atomically(PICTURE, picture(results))
    write_atomically(PAGE, page(results, cpu.this_cpu()))


if __name__ == "__main__":
    main()
