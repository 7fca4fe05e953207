"""Cycles and utilisation of every layer of the style network."""

from __future__ import annotations

from zhisuan import pipeline
from zhisuan.report.model import RunReport, layer_figures, total_figures


def measure(height: int, width: int) -> RunReport:
    """The report of one run at this size."""
    return pipeline.style(None, "7", f"{height}x{width}").report


def table(report: RunReport) -> str:
    """Layers as a Markdown table, the whole network last."""
    lines = ["| layer | cycles | GMAC | utilisation | MFU busy |", "|---|---:|---:|---:|---:|"]
    for figures in [*layer_figures(report), total_figures(report)]:
        lines.append(
            f"| {figures.label} | {figures.cycles:,} | {figures.macs / 1e9:.4f} "
            f"| {100 * figures.utilisation:.1f} % | {100 * figures.busy_share('mfu'):.1f} % |"
        )
    return "\n".join(lines)


def section() -> str:
    return f"""\
The style network at 256×256 on `dlp-s`. Utilisation is the graph's multiply-accumulates over
cycles × 1536; a layer is all its launches, first issue to last commit.

{table(measure(256, 256))}"""
