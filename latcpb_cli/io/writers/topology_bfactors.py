"""B factors in the topology of a trajectory: means over all of its structures, known at the end."""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float

from latcpb_cli.io.writers.frame_writer import ResumePoint
from latcpb_cli.io.writers.part_file import PartFile
from latcpb_cli.io.writers.running_mean import RunningMean

__all__ = ["EVERYWHERE", "TopologyBFactors"]

EVERYWHERE = slice(0, 2**62)
"""Of a file any bytes of which may change: `PartFile` then checks its size only."""
_COLUMNS = {
    ".pdb": re.compile(rb"^((?:ATOM  |HETATM).{54}).{6}", re.MULTILINE),
    ".cif": re.compile(rb"^((?:ATOM|HETATM) .* 1\.00 ).{6}(?= )", re.MULTILINE),
}
"""Atoms of a PDB or mmCIF file up to the B factor, by the suffix of the file."""


class TopologyBFactors:
    """Collects the B factors of N atoms, and writes their means into a file that has one structure.

    Parameters
    ----------
    part : PartFile
        The topology, changeable `EVERYWHERE`.
    n_atoms : int
    resume : ResumePoint, optional
        What an interrupted run left.

    Attributes
    ----------
    mean : RunningMean
    """

    def __init__(self, part: PartFile, n_atoms: int, resume: ResumePoint | None = None) -> None:
        self._part = part
        final = part.final.with_name(part.final.name + ".bfactors")
        resumed = (None, 0) if resume is None else (resume.parts, resume.n_structures)
        self.mean = RunningMean(final, (n_atoms,), *resumed)

    def fill(self) -> None:
        """Write the means into the topology."""
        values = np.clip(np.nan_to_num(self.mean.mean()), -99.99, 999.99)
        self._part.patch(0, _with_bfactors(self._part.path.read_bytes(), self._part.final.suffix, values))


def _with_bfactors(text: bytes, suffix: str, values: Float[np.ndarray, "N"]) -> bytes:
    """Replace the B factors of a PDB or mmCIF file; its size stays."""
    remaining = iter(values.tolist())
    return _COLUMNS[suffix].sub(lambda atom: atom[1] + b"%6.2f" % next(remaining), text)
