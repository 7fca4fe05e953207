"""Grading in a process of its own: `python -m zhisuan.labs.worker ORDER`.

Comes in: a lab, a folder, a seed.  Goes out: a `Grade`.  An answer that hangs the compiler, ends
the process, or prints, harms nobody: what was judged until then counts, the rest has no points.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from zhisuan.base.files import read_text
from zhisuan.labs import catalogue, grade
from zhisuan.labs.grade import Grade, Judged
from zhisuan.labs.kinds import Outcome
from zhisuan.labs.lab_file import Lab

SHOWN = 400
"""Characters of what a worker said at its end that a grade quotes."""
MEMORY = 16 << 30
"""Bytes of addresses that the process, or one that it starts, may use."""


def run(lab: Lab, folder: Path, seed: int, seconds: float) -> Grade:
    """Grade in another process, for `seconds` at most."""
    grade.check_folder(lab, folder)
    with tempfile.TemporaryDirectory(prefix="zhisuan-lab-") as place:
        results = Path(place) / "judged.jsonl"
        results.touch()
        order = json.dumps([lab.name, str(folder.resolve()), seed, str(results)])
        command = [sys.executable, "-m", "zhisuan.labs.worker", order]
        ended = _ended(command, seconds)
        lines = read_text(results).splitlines()
    found = [_judged(json.loads(line)) for line in lines]
    return Grade(lab.name, seed, (*found, *_missing(lab, len(found), ended)))


def _ended(command: list[str], seconds: float) -> str:
    """How the process ended, in words.  Whatever it has started ends with it."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        _, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"grading took longer than {seconds:g} s: look for a loop that never ends"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    last = said.decode(errors="replace").strip()[-SHOWN:]
    code = process.returncode
    how = f"with status {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
    return f"the grading process ended {how}" + (f":\n{last}" if last else "")


def _missing(lab: Lab, count: int, ended: str) -> list[Judged]:
    """The criteria that the process did not come to; the first says why."""
    every = [(part, criterion) for part in lab.parts for criterion in part.criteria]
    return [
        Judged(part.name, criterion.name, criterion.points,
               Outcome(False, 0, "not reached", "" if index else ended))
        for index, (part, criterion) in enumerate(every[count:])
    ]  # fmt: skip


def _judged(entry: dict[str, object]) -> Judged:
    outcome = entry.pop("outcome")
    return Judged(outcome=Outcome(**outcome), **entry)  # type: ignore[arg-type]


def main() -> None:
    """Judge criterion by criterion; each is a line of the results as soon as it is known."""
    name, folder, seed, results = json.loads(sys.argv[1])
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    least = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (least, most))
    with open(results, "a", encoding="utf-8") as out:
        for judged in grade.judged(catalogue.find(name), Path(folder), seed):
            out.write(json.dumps(asdict(judged)) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
