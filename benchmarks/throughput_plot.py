"""The plot of `throughput.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["plot"]

PANELS = (
    ("residues", "residues in one frame", "seconds", "seconds"),
    ("residues", "residues in one frame", "peak_mb", "peak memory, MB"),
    ("frames", "frames of 100 residues", "peak_mb", "peak memory, MB"),
    ("peers", "", "speed", "residues/s"),
)
"""Sweep, label of what it varies ("" for a bar of each program), figure, label of the figure."""
MIN_LINEAR = 1000
"""Residues from which on costs should be linear; smaller frames are filled up to a block."""


def plot(rows: list[dict[str, Any]], path: Path) -> bool:
    """Plot all measurements; returns False where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = [panel for panel in PANELS if any(row["sweep"] == panel[0] for row in rows)]
    if not panels:
        return True
    figure, axes = pyplot.subplots(1, len(panels), figsize=(4 * len(panels), 3.4), squeeze=False)
    for axis, (sweep, varied, name, label) in zip(axes[0], panels, strict=True):
        chosen = [row for row in rows if row["sweep"] == sweep]
        if varied:
            _plot_line(axis, chosen, name)
        else:
            axis.barh([row["program"] for row in chosen], [row[name] for row in chosen])
            axis.set_xscale("log")
        axis.set(xlabel=varied or label, ylabel=label if varied else "")
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    return True


def _plot_line(axis: Any, rows: list[dict[str, Any]], name: str) -> None:
    """Plot a figure over what varies; for times, with a linear cost through the first large frame."""
    axis.plot([row["value"] for row in rows], [row[name] for row in rows], "o-")
    base = next((row for row in rows if row["value"] >= MIN_LINEAR), rows[-1])
    if name == "seconds":
        axis.plot(
            [row["value"] for row in rows],
            [base[name] * row["value"] / base["value"] for row in rows],
            "k:",
            label="linear",
        )
        axis.legend()
        axis.set_yscale("log")
    axis.set_xscale("log")
    axis.set_ylim(bottom=None if name == "seconds" else 0)
