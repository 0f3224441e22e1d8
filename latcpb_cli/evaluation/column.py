"""The structures of a method, put together into one column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from latcpb_cli.chem.residues import NAMES
from latcpb_cli.evaluation.bootstrap import bootstrap_intervals
from latcpb_cli.evaluation.checks import run_checks
from latcpb_cli.evaluation.measured import MeasuredStructure
from latcpb_cli.evaluation.records import (
    Column,
    EvaluatedStructure,
    FrameTable,
    OverlapPair,
    ResidueTable,
)
from latcpb_cli.evaluation.residue_sums import ResidueSums
from latcpb_cli.evaluation.summary import summarize
from latcpb_cli.evaluation.torsion_counts import join_statistics

__all__ = ["make_column"]


def make_column(
    name: str,
    structures: Sequence[MeasuredStructure],
    reference_rows: Mapping[str, int],
    notes: tuple[str, ...] = (),
    failures: tuple[str, ...] = (),
) -> Column:
    """Put measured structures together.

    Parameters
    ----------
    name : str
    structures : sequence of MeasuredStructure
        At least one.
    reference_rows : mapping of str to int
        Row of the first residue of each structure in the table of the reference.
    notes : tuple of str
        On the choice of the structures.
    failures : tuple of str
        Structures that could not be measured, and why.
    """
    first_rows = np.cumsum([0, *(len(part.source.atoms.trace) for part in structures)]).tolist()
    sums = ResidueSums.join(_all_sums(part) for part in structures)
    frames = _frame_table(structures)
    summary = summarize(structures, frames, sums)
    return Column(
        name=name,
        structures=tuple(map(_evaluated, structures, first_rows)),
        summary=summary,
        frames=frames,
        residues=_residue_table(structures, sums, reference_rows),
        torsions=join_statistics(part.measures.torsions.statistics() for part in structures),
        overlaps=_overlaps(structures, first_rows),
        checks=run_checks(summary, structures),
        intervals=bootstrap_intervals(frames),
        failures=failures,
        notes=(*notes, *(note for part in structures for note in part.notes)),
    )


def _evaluated(part: MeasuredStructure, first_row: int) -> EvaluatedStructure:
    source = part.source
    partner = np.full(len(source.atoms.trace), -1, dtype=np.int64)
    if part.pair is not None:
        partner[part.pair.matching.generated] = part.pair.matching.reference
    return EvaluatedStructure(source.name, source.files, source.atoms, first_row, partner, source.numbers)


def _all_sums(part: MeasuredStructure) -> ResidueSums:
    """Sums of all residues of the structure, those of the comparison at the residues that were matched."""
    if part.comparison is None or part.pair is None:
        return part.measures.residues
    sums = part.comparison.residues.spread(part.pair.matching.generated, part.measures.residues.n_residues)
    return sums.with_others(part.measures.residues)


def _frame_table(structures: Sequence[MeasuredStructure]) -> FrameTable:
    columns = [
        part.measures.columns | ({} if part.comparison is None else dict(part.comparison.columns))
        for part in structures
    ]
    counts = [len(part.source.atoms) for part in structures]
    values = {
        name: np.concatenate(
            [
                np.asarray(column[name], dtype=np.float64) if name in column else np.full(count, np.nan)
                for column, count in zip(columns, counts, strict=True)
            ]
        )
        for name in dict.fromkeys(name for column in columns for name in column)
    }
    numbers = [part.source.numbers for part in structures]
    samples = [np.arange(len(n)) % part.samples for n, part in zip(numbers, structures, strict=True)]
    return FrameTable(
        structure=np.repeat([part.source.name for part in structures], counts),
        frame=np.concatenate(numbers),
        sample=np.concatenate(samples),
        values=values,
    )


def _residue_table(
    structures: Sequence[MeasuredStructure], sums: ResidueSums, reference_rows: Mapping[str, int]
) -> ResidueTable:
    traces = [part.source.atoms.trace for part in structures]
    rows = []
    for part in structures:
        partner = np.full(len(part.source.atoms.trace), -1, dtype=np.int64)
        if part.pair is not None:
            first = reference_rows[part.source.name]
            partner[part.pair.matching.generated] = part.pair.matching.reference + first
        rows.append(partner)
    return ResidueTable(
        structure=np.repeat([part.source.name for part in structures], [len(trace) for trace in traces]),
        chain_ids=np.concatenate([trace.chain_ids.astype(str) for trace in traces]),
        resids=np.concatenate([trace.resids for trace in traces]),
        icodes=np.concatenate([trace.icodes.astype(str) for trace in traces]),
        names=np.concatenate([np.array(NAMES)[trace.residue_types] for trace in traces]),
        reference_row=np.concatenate(rows),
        values=sums.values(),
    )


def _overlaps(structures: Sequence[MeasuredStructure], first_rows: Sequence[int]) -> tuple[OverlapPair, ...]:
    pairs = [
        OverlapPair(first + row, second + row, *counts)
        for part, row in zip(structures, first_rows, strict=False)
        for (first, second), counts in part.measures.overlaps.items()
    ]
    return tuple(sorted(pairs, key=lambda pair: (-pair.frames, -pair.worst, pair.first, pair.second)))
