"""One numbering of residues for all columns of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from latcpb_cli.evaluation.records import Column, EvaluatedStructure

__all__ = ["ResidueIndex", "StructureGroup"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class StructureGroup:
    """The structures of one name in all columns.

    Attributes
    ----------
    name : str
    members : dict of int to EvaluatedStructure
        By the number of the column.
    index : dict of int to numpy.ndarray of int64, shape (L,)
        Number in `ResidueIndex.labels` of each residue of a member.
    start, stop : int
        Range of the numbers of this group.
    """

    name: str
    members: dict[int, EvaluatedStructure]
    index: dict[int, Int[Array, "L"]]
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class ResidueIndex:
    """The residues of all columns, each once.

    Residues of a method that were matched have the number of their residue of
    the reference; without a reference, residues with equal labels are one.

    Attributes
    ----------
    labels : list of str
        Such as ``A:TYR27``.
    chain_starts : list of int
        Numbers of residues that begin a chain.
    groups : list of StructureGroup
    rows : list of numpy.ndarray of int64, shape (R,)
        Number of each row of the `ResidueTable`, one array for each column.
    """

    labels: list[str]
    chain_starts: list[int]
    groups: list[StructureGroup]
    rows: list[Int[Array, "R"]]

    @classmethod
    def of_columns(cls, columns: Sequence[Column]) -> ResidueIndex:
        """Number the residues of columns, of which the first may be the reference."""
        labels: list[str] = []
        chain_starts: list[int] = []
        groups = []
        rows = [np.full(len(column.residues), -1) for column in columns]
        for name, members in _group_structures(columns).items():
            start = len(labels)
            index = _number(members, labels, chain_starts)
            groups.append(StructureGroup(name, members, index, start, len(labels)))
            for column, structure in members.items():
                first = structure.first_row
                rows[column][first : first + len(index[column])] = index[column]
        return cls(labels, chain_starts, groups, rows)

    def spread(self, column: int, values: Array) -> Array:
        """Return the values of the rows of a column by residue number, NaN where it has no such residue."""
        spread = np.full(len(self.labels), np.nan)
        spread[self.rows[column]] = values
        return spread

    def record(self) -> dict[str, Any]:
        """Return what the page needs."""
        return {
            "labels": self.labels,
            "chainStarts": self.chain_starts,
            "structures": [{"name": g.name, "start": g.start, "stop": g.stop} for g in self.groups],
        }


def _group_structures(columns: Sequence[Column]) -> dict[str, dict[int, EvaluatedStructure]]:
    """Structures by name; single files go together whatever their names are."""
    if all(len(column.structures) == 1 for column in columns):
        first = columns[0].structures[0].name
        return {first: {number: column.structures[0] for number, column in enumerate(columns)}}
    groups: dict[str, dict[int, EvaluatedStructure]] = {}
    for number, column in enumerate(columns):
        for structure in column.structures:
            groups.setdefault(structure.name, {})[number] = structure
    return groups


def _number(
    members: dict[int, EvaluatedStructure], labels: list[str], chain_starts: list[int]
) -> dict[int, Int[Array, "L"]]:
    """Number the residues of the structures of a group, and append new ones to ``labels``."""
    start = len(labels)
    known: dict[str, int] = {}
    numbers: dict[int, Int[Array, "L"]] = {}
    for column, structure in members.items():
        trace = structure.atoms.trace
        starts = np.r_[True, trace.chain_index[1:] != trace.chain_index[:-1]]
        own = np.empty(len(trace), dtype=np.int64)
        for residue in range(len(trace)):
            matched, label = int(structure.reference_index[residue]), trace.labels[residue]
            if matched >= 0:
                own[residue] = start + matched
                continue
            if label not in known or column == min(members):
                known[label] = len(labels)
                labels.append(label)
                if starts[residue]:
                    chain_starts.append(len(labels) - 1)
            own[residue] = known[label]
        numbers[column] = own
    return numbers
