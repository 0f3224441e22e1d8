"""Figures over all frames and structures of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from latcpb_cli.evaluation.comparison import REGIONS
from latcpb_cli.evaluation.definitions import DEFINITIONS, Definition
from latcpb_cli.evaluation.measured import MeasuredStructure
from latcpb_cli.evaluation.records import FrameTable
from latcpb_cli.evaluation.residue_sums import ResidueSums
from latcpb_cli.evaluation.torsion_distributions import mean_divergences

__all__ = ["figure", "frame_names", "mean_over_structures", "summarize"]

Array = np.ndarray


def frame_names(entry: Definition) -> tuple[str, ...]:
    """Return the columns of a `FrameTable` that a figure comes from, one for each region."""
    return (
        tuple(f"{region}.{entry.name}" for region in REGIONS) if entry.group == "accuracy" else (entry.name,)
    )


def summarize(
    structures: Sequence[MeasuredStructure], frames: FrameTable, residues: ResidueSums
) -> dict[str, Any]:
    """Return the figures of a column.

    Means are taken over the frames of each structure, then over structures; counts
    are added up.

    Parameters
    ----------
    structures : sequence of MeasuredStructure
    frames : FrameTable
        Of all structures.
    residues : ResidueSums
        Of all structures.

    Returns
    -------
    dict
        Its names are those of `DEFINITIONS`. Lengths are in Å, fractions in percent; None
        stands for what cannot be measured.
    """
    summary: dict[str, Any] = {
        "structures": len(structures),
        "frames": sum(len(part.source.atoms) // part.samples for part in structures),
        "samples": min(part.samples for part in structures),
        "residues": sum(len(part.source.atoms.trace) for part in structures),
    }
    for entry in DEFINITIONS:
        for name in frame_names(entry):
            value = _value(entry, name, frames)
            if value is not None or entry.group in ("validity", "shape"):
                _put(summary, name, value)
    if all(part.distributions is not None for part in structures):
        summary["torsions"] = mean_divergences(
            part.distributions for part in structures if part.distributions is not None
        )
    summary["diversity"] = _diversity(frames)
    summary["atoms"] = _atom_counts(structures)
    summary["left_out"] = _add_counts(part.source.left_out for part in structures)
    traces = [part.source.atoms.trace for part in structures]
    names = [name for trace in traces for name in trace.names]
    summary["by_residue_type"] = residues.by_group(names)
    chains = [str(chain) for trace in traces for chain in trace.chain_ids]
    summary["by_chain"] = residues.by_group(chains)
    return summary


def figure(summary: Mapping[str, Any], entry: Definition, region: str = "inner") -> float | None:
    """Return the number of a figure that tables and limits use; None where it is not measured."""
    path = f"{region}.{entry.name}" if entry.group == "accuracy" else entry.name
    value: Any = summary
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        value = value["mean" if entry.kind == "mean_max" else entry.kind]
    return None if value is None else float(value)


def _value(entry: Definition, name: str, frames: FrameTable) -> Any:
    values = frames.values.get(name)
    if values is None:
        return None
    if entry.kind in ("percent", "count"):
        hits, cases = int(np.nansum(values)), int(np.nansum(frames.values[f"{name}_of"]))
        return {"count": hits, "of": cases, "percent": 100.0 * hits / cases if cases else None}
    mean = mean_over_structures(frames, values)
    if entry.kind == "mean" or mean is None:
        return mean
    return {"mean": mean, "max": float(np.nanmax(values))}


def mean_over_structures(frames: FrameTable, values: Float[Array, "N"]) -> float | None:
    """Return the mean over structures of the mean over frames; None without a value."""
    means = []
    for name in dict.fromkeys(frames.structure.tolist()):
        chosen = values[frames.structure == name]
        finite = chosen[np.isfinite(chosen)]
        means += [float(finite.mean())] if len(finite) else []
    return float(np.mean(means)) if means else None


def _put(summary: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".")
    for key in path:
        summary = summary.setdefault(key, {})
    summary[last] = value


def _diversity(frames: FrameTable) -> dict[str, float | None] | None:
    """Distance between samples, and DIV: the mean over structures; None for single samples."""
    side_chain = frames.values.get("diversity.pairwise_side_chain_rmsd")
    if side_chain is None:
        return None
    pairwise, error = (
        frames.values["diversity.pairwise_all_heavy_rmsd"],
        frames.values["inner.rmsd.all_heavy"],
    )
    values = []
    for name in dict.fromkeys(frames.structure.tolist()):
        rows = frames.structure == name
        apart, away = pairwise[rows & np.isfinite(pairwise)], error[rows & np.isfinite(error)]
        if len(apart) and away.sum() > 0:
            values.append(1.0 - apart.mean() / away.mean())
    return {
        "pairwise_side_chain_rmsd": mean_over_structures(frames, side_chain),
        "div": float(np.mean(values)) if values else None,
    }


def _atom_counts(structures: Sequence[MeasuredStructure]) -> dict[str, int] | None:
    """Atoms that both have, and those of the matched residues that one lacks; None without a reference."""
    pairs = [part.pair for part in structures if part.pair is not None]
    if not pairs:
        return None
    counts = np.zeros(3, dtype=int)
    for pair in pairs:
        reference = pair.reference.present[pair.matching.reference]
        generated = pair.generated.present[pair.matching.generated]
        counts += [pair.present.sum(), (~reference & generated).sum(), (reference & ~generated).sum()]
    names = ("compared", "missing_in_reference", "missing_in_generated")
    return dict(zip(names, counts.tolist(), strict=True))


def _add_counts(parts: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return total
