"""The plot of `throughput.py`, where matplotlib is there."""

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


def plot(rows: list[dict[str, Any]], path: Path) -> bool:
    """Draw what was measured; returns False where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    wanted = [panel for panel in PANELS if any(row["sweep"] == panel[0] for row in rows)]
    if not wanted:
        return True
    figure, axes = pyplot.subplots(1, len(wanted), figsize=(4 * len(wanted), 3.4), squeeze=False)
    for axis, (sweep, along, what, label) in zip(axes[0], wanted, strict=True):
        found = [row for row in rows if row["sweep"] == sweep]
        if along:
            _line(axis, found, what)
        else:
            axis.barh([row["program"] for row in found], [row[what] for row in found])
            axis.set_xscale("log")
        axis.set(xlabel=along or label, ylabel=label if along else "")
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    return True


def _line(axis: Any, found: list[dict[str, Any]], what: str) -> None:
    """Measurements; for times also what a cost linear from the first of 1,000 residues or more gives."""
    axis.plot([row["value"] for row in found], [row[what] for row in found], "o-")
    base = next((row for row in found if row["value"] >= 1000), found[-1])
    if what == "seconds":
        axis.plot(
            [row["value"] for row in found],
            [base[what] * row["value"] / base["value"] for row in found],
            "k:",
            label="linear",
        )
        axis.legend()
        axis.set_yscale("log")
    axis.set_xscale("log")
    axis.set_ylim(bottom=None if what == "seconds" else 0)
