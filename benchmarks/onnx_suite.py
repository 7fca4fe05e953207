"""ONNX's backend test suite, run as it is: what passes, what fails, what is refused and why.

    python -m benchmarks.onnx_suite [--write docs/conformance.md] [PATTERN]

Cases of element types that the graph does not have (text, 4-bit and 8-bit floats and the like) and
of values that are no tensors are counted apart.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from zhisuan.base.errors import ZhisuanError
from zhisuan.frontend.onnx.backend import prepare

KINDS = ("node", "simple", "pytorch-operator", "pytorch-converted")
FOREIGN = re.compile(
    r"STRING|FLOAT8|FLOAT4|INT4|INT2|COMPLEX|BFLOAT16|sequence|optional|string", re.IGNORECASE
)


@dataclass(frozen=True)
class Verdict:
    name: str
    kind: str
    outcome: str  # passed, failed, refused, foreign
    reason: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description="ONNX's backend test suite, run as it is.")
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--list", action="store_true", help="each case that did not pass")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    verdicts = list(judge(options.pattern))
    if options.list:
        for verdict in verdicts:
            if verdict.outcome in ("failed", "refused"):
                print(f"{verdict.outcome:8} {verdict.name}: {verdict.reason}")
    text = report(verdicts)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    print(text)
    return 0


def judge(pattern: str = "") -> list[Verdict]:
    """A verdict per case whose name contains `pattern`."""
    found = []
    for kind in KINDS:
        cases = [case for case in load_model_tests(kind=kind) if pattern in case.name]
        for case in cases:
            found.append(_judge(case, kind))
    return found


def _judge(case, kind: str) -> Verdict:
    model = case.model or onnx.load(str(Path(case.model_dir) / "model.onnx"))
    foreign = _foreign(model)
    if foreign:
        return Verdict(case.name, kind, "foreign", foreign)
    try:
        prepared = prepare(model)
        for inputs, outputs in _data_sets(case, model):
            found = prepared.run(inputs)
            for mine, theirs in zip(found, outputs, strict=True):
                assert mine.dtype == theirs.dtype, f"{mine.dtype} for {theirs.dtype}"
                assert mine.shape == theirs.shape, f"{mine.shape} for {theirs.shape}"
                np.testing.assert_allclose(mine, theirs, rtol=case.rtol, atol=case.atol)
    except ZhisuanError as error:
        reason = (error.found or error.what).splitlines()[0]
        return Verdict(case.name, kind, "refused", re.sub(r" ×\d+ \(first: .*\)", "", reason))
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        return Verdict(case.name, kind, "failed", f"{type(error).__name__}: {' '.join(lines[:4])}")
    return Verdict(case.name, kind, "passed")


def _foreign(model: onnx.ModelProto) -> str:
    """The first type of an input or output that no tensor of ours has."""
    for info in (*model.graph.input, *model.graph.output):
        kind = info.type.WhichOneof("value")
        if kind != "tensor_type":
            return f"{kind} values"
        name = onnx.TensorProto.DataType.Name(info.type.tensor_type.elem_type)
        if FOREIGN.search(name):
            return name
    return ""


def _data_sets(case, model: onnx.ModelProto):
    if case.data_sets:
        for inputs, outputs in case.data_sets:
            yield [np.asarray(x) for x in inputs], [np.asarray(y) for y in outputs]
        return
    for folder in sorted(Path(case.model_dir).glob("test_data_set_*")):
        yield [_tensors(folder, "input"), _tensors(folder, "output")]


def _tensors(folder: Path, stem: str) -> list[np.ndarray]:
    found = []
    for number in range(len(list(folder.glob(f"{stem}_*.pb")))):
        tensor = onnx.TensorProto()
        tensor.ParseFromString((folder / f"{stem}_{number}.pb").read_bytes())
        found.append(numpy_helper.to_array(tensor))
    return found


def report(verdicts: list[Verdict]) -> str:
    """The table that is published."""
    ours = [verdict for verdict in verdicts if verdict.outcome != "foreign"]
    passed = sum(verdict.outcome == "passed" for verdict in ours)
    lines = [
        "# Conformance with ONNX",
        "",
        f"The backend test suite of `onnx` {onnx.__version__}, run as it is by the graph's",
        "reference executor: `python -m benchmarks.onnx_suite --write docs/conformance.md`.",
        "",
        f"**{passed} of {len(ours)} cases pass ({passed / max(len(ours), 1):.1%})**; "
        f"{len(verdicts) - len(ours)} more are about types that the graph does not have.",
        "",
        "| cases | passed | failed | refused | other types |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind in KINDS:
        counts = Counter(verdict.outcome for verdict in verdicts if verdict.kind == kind)
        cells = [counts[key] for key in ("passed", "failed", "refused", "foreign")]
        lines.append(f"| {kind} | " + " | ".join(map(str, cells)) + " |")
    for outcome, title in (
        ("failed", "Failed"),
        ("refused", "Refused on import"),
        ("foreign", "Types that the graph does not have"),
    ):
        reasons = Counter(
            verdict.reason[:110] for verdict in verdicts if verdict.outcome == outcome
        )
        if not reasons:
            continue
        lines += ["", f"## {title}", "", "| cases | reason |", "|---:|---|"]
        lines += [f"| {count} | {reason.replace('|', '/')} |" for reason, count in
                  sorted(reasons.items(), key=lambda item: (-item[1], item[0]))]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
