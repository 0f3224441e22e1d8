"""What every writer of coordinates takes, and what it can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from latcpb_cli.chem.conventions import Naming
from latcpb_cli.choices import TopologyFormat
from latcpb_cli.io.writers.part_file import PartStates
from latcpb_cli.structure import Bridge

__all__ = ["FrameInfo", "FrameWriter", "OutputSpec", "ResumePoint"]


@dataclass(frozen=True)
class OutputSpec:
    """What an output holds in the end, as far as its first bytes depend on it.

    Attributes
    ----------
    n_frames, n_samples : int
        Frames, and all-atom structures of each.
    interval : float
        Time between frames in ps.
    remarks : sequence of str
        Lines for the REMARK 999 records of PDB files.
    naming : {'pdb', 'charmm', 'amber'}
        Whose names residues and atoms get in PDB files and topologies.
    topology : {'pdb', 'cif'}
        Format of the file that names the atoms of a trajectory.
    mean_bfactors : bool
        Whether that file has the means of B factors over all structures.
    """

    n_frames: int
    n_samples: int = 1
    interval: float = 1.0
    remarks: Sequence[str] = ()
    naming: Naming = "pdb"
    topology: TopologyFormat = "pdb"
    mean_bfactors: bool = False

    @property
    def n_structures(self) -> int:
        """All-atom structures in the whole output."""
        return self.n_frames * self.n_samples


@dataclass(frozen=True, eq=False)
class FrameInfo:
    """What belongs to the coordinates of one written structure.

    Attributes
    ----------
    frame : int
        Frame number in the input trajectory.
    sample : int
        Number of the sample of that frame.
    time : float
        In ps.
    box : numpy.ndarray of float32, shape (6,)
        a, b, c (Å), alpha, beta, gamma (degrees); zeros for no box.
    bridges : tuple of (int, int)
        Disulfides of the structure.
    """

    frame: int
    sample: int
    time: float
    box: Float[np.ndarray, "6"]
    bridges: tuple[Bridge, ...] = ()


@dataclass(frozen=True)
class ResumePoint:
    """What the files of an interrupted run hold.

    Attributes
    ----------
    parts : mapping of str to PartState
        What each file, by its final name, holds that is complete.
    n_structures : int
        Structures in those files.
    bridges : tuple of (int, int)
        Disulfides of the very first structure.
    """

    parts: PartStates
    n_structures: int
    bridges: tuple[Bridge, ...]


@runtime_checkable
class FrameWriter(Protocol):
    """A file that takes one frame after the other."""

    def write(
        self, positions: Float[np.ndarray, "N 3"], bfactors: Float[np.ndarray, "N"] | None, info: FrameInfo
    ) -> None:
        """Append positions in Å, with a B factor for each or none."""

    def flush(self) -> None:
        """Write buffered frames to the part files."""

    def finish(self) -> None:
        """Write what ends a complete file."""

    def close(self) -> None:
        """Release what is open besides the part files; may be called more than once."""
