"""The confidence in each residue over all structures of a run, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from latcpb_cli.confidence.record import QUANTITIES, Confidence, mean_quantities
from latcpb_cli.io.writers.part_file import PartState, PartStates
from latcpb_cli.io.writers.running_mean import RunningMean

__all__ = ["ResidueReport", "residue_rows"]


class ResidueReport:
    """Running means of the confidence in L residues, which an interrupted run goes on with.

    Parameters
    ----------
    path_json : pathlib.Path
        The report.
    n_residues : int
    resume : mapping of str to PartState, optional
        What the files of an interrupted run hold.
    n_structures : int
        Structures of the interrupted run.
    """

    def __init__(
        self, path_json: Path, n_residues: int, resume: PartStates | None = None, n_structures: int = 0
    ) -> None:
        final = path_json.with_name(path_json.name + ".residues")
        self._mean = RunningMean(final, n_residues * len(QUANTITIES), resume, n_structures)
        self.part = self._mean.part

    def add(self, confidence: Confidence) -> None:
        """Add all structures of a chunk."""
        for structure in confidence.table().reshape(-1, confidence.chi.shape[2] * len(QUANTITIES)):
            self._mean.add(structure)

    def sync(self) -> PartState:
        """Flush the means to the disk."""
        return self._mean.sync()

    def table(self) -> Float[np.ndarray, "L 7"]:
        """Return the means over all structures, in the columns of `Confidence.table`."""
        return self._mean.mean().reshape(-1, len(QUANTITIES))

    def summary(self) -> dict[str, float | None]:
        """Return the means over all residues, too."""
        return mean_quantities(self.table())


def residue_rows(table: Float[np.ndarray, "L 7"], labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row for each residue: its label, and its confidence by name, None where there is none."""
    return [
        {"residue": label, **mean_quantities(row[None])} for label, row in zip(labels, table, strict=True)
    ]
