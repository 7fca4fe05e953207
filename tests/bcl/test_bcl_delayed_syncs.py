"""Where SYNCs stand: behind what needs no queue, in front of what starts or reads something."""

from __future__ import annotations

from chip import mnemonics

HEAD = "__nram__ half a[256]; __nram__ half b[256];"
NAMES = ("SYNC", "SMUL", "SSTORE", "SDIV", "VLOAD", "VAV", "VMS", "VSTORE", "VSET")


def order(body: str, parameters: str = "half *p, half *q, int n, int m, int k") -> list[str]:
    found = mnemonics(f"__mlu_entry__ void kern({parameters}) {{ {HEAD} {body} }}", NAMES)
    return found[found.index("VLOAD") :]


def test_computations_and_parameters_come_before_a_sync() -> None:
    body = """__memcpy_async(a, p, 512, GDRAM2NRAM); __sync_io();
              int count = n * m / k; __bang_add(b, a, a, count);"""
    assert order(body) == ["VLOAD", "SMUL", "SDIV", "SYNC #2", "VAV"]


def test_what_reads_memory_stays_behind() -> None:
    body = """__memcpy_async(a, p, 512, GDRAM2NRAM); __sync_io();
              q[n * m] = a[k];"""
    assert order(body) == ["VLOAD", "SYNC #2", "SMUL", "SSTORE"]
    body = "__memcpy_async(p, a, 512, NRAM2GDRAM); __sync_io(); q[1] = p[k];"
    source = f"__mlu_entry__ void kern(half *p, half *q, int k) {{ {HEAD} {body} }}"
    found = mnemonics(source, ("VSTORE", "SYNC", "SSTORE"))
    assert found == ["VSTORE", "SYNC #2", "SSTORE"]


def test_a_branch_takes_its_sync_along() -> None:
    body = """__memcpy_async(a, p, 512, GDRAM2NRAM); __sync_io();
              if (n > m) { __bang_add(b, a, a, n * k); } else { __bang_mul_scalar(b, a, 2, n * m); }
              __memcpy(q, b, 512, NRAM2GDRAM);"""
    found = order(body)
    assert found.count("SYNC #2") == 2
    for name in ("VAV", "VMS"):
        at = found.index(name)
        assert found[at - 2 : at] == ["SMUL", "SYNC #2"]


def test_what_follows_a_branch_without_it_waits_too() -> None:
    body = """__memcpy_async(a, p, 512, GDRAM2NRAM); __sync_io();
              if (n > m) { __bang_add(a, a, a, n * k); }
              __bang_mul_scalar(b, a, 2, 256);"""
    assert order(body).count("SYNC #2") == 2


def test_syncs_that_meet_are_one() -> None:
    body = """__memcpy_async(a, p, 512, GDRAM2NRAM); __bang_write_zero(b, 256);
              __sync_io(); int count = n * m; __sync_compute(); __bang_add(b, a, b, count);"""
    assert order(body) == ["VLOAD", "VSET", "SMUL", "SYNC #3", "VAV"]
