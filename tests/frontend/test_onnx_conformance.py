"""ONNX's own node tests: whatever imports must give ONNX's own results, before and after rewriting.

Cases of operators that we import are run; those with an option that we refuse are counted, and
the count of the ones that run may not fall.  Nothing may crash or be wrong.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections import Counter

import numpy as np
import onnx
import onnx.backend.test.case.node as cases
import pytest
from onnx import numpy_helper

from zhisuan.base.errors import ZhisuanError
from zhisuan.frontend.onnx import from_model
from zhisuan.frontend.onnx.table import CONVERTERS
from zhisuan.graph.reference import run
from zhisuan.graph.rewrite import optimize

RUNNING = 710  # with onnx 1.23; a change that lowers it needs a reason


@pytest.fixture(scope="module")
def suite() -> list:
    """Test cases of the operators that we import; importing a module of the suite adds its own."""
    operators = {name.lower() for name in CONVERTERS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in pkgutil.iter_modules(cases.__path__):
            if module.name.replace("_", "") in operators:
                importlib.import_module(f"{cases.__name__}.{module.name}")
    return list(cases._NodeTestCases)


def results(case, fed: int) -> list[list[np.ndarray]]:
    """Our outputs, raw and optimised; inputs after the first `fed` become weights."""
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    feeds = {}
    for index, (info, array) in enumerate(
        zip(model.graph.input, case.data_sets[0][0], strict=True)
    ):
        if index >= fed:
            model.graph.initializer.append(numpy_helper.from_array(array, info.name))
        else:
            feeds[info.name] = array
    graph = from_model(model, case.name, case.name)
    return [list(run(version, feeds).values()) for version in (graph, optimize(graph))]


def attempt(case) -> list[list[np.ndarray]] | None:
    """As `results`, or None when the case is refused every way."""
    for fed in (99, 1, 0):
        try:
            return results(case, fed)
        except ZhisuanError as error:
            assert "makes no sense" not in str(error), (case.name, str(error))
    return None


def test_whatever_imports_is_right(suite: list) -> None:
    count: Counter[str] = Counter()
    for case in suite:
        if not all(isinstance(array, np.ndarray) for array in case.data_sets[0][0]):
            count["other kinds of values"] += 1
            continue
        found = attempt(case)
        count["run" if found else "refused"] += 1
        for arrays in found or []:
            for array, expected in zip(arrays, case.data_sets[0][1], strict=True):
                assert array.dtype == expected.dtype, case.name
                assert array.shape == expected.shape, case.name
                np.testing.assert_allclose(
                    array, expected, rtol=case.rtol, atol=case.atol, err_msg=case.name
                )
    print(dict(count))
    assert count["run"] >= RUNNING, count
