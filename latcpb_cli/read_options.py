"""How an input is read, and which of its frames."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from latcpb_cli.choices import (
    BeadKinds,
    ChainEnds,
    PbcTreatment,
    SideChainCenter,
    UnknownResidues,
    check_choice,
)
from latcpb_cli.errors import UsageError
from latcpb_cli.residue_ranges import ResidueRange, parse_ranges

__all__ = ["FrameWindow", "ReadOptions"]


@dataclass(frozen=True)
class FrameWindow:
    """Frames of a trajectory, by time or by number.

    Attributes
    ----------
    begin, end : float or None
        Times in ps, both included.
    stride : int
        Use every n-th frame of those.
    frames : str or None
        Python slice ``start:stop:step`` or a single number; excludes the rest.

    Raises
    ------
    UsageError
        The values contradict each other or are no frames.
    """

    begin: float | None = None
    end: float | None = None
    stride: int = 1
    frames: str | None = None

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise UsageError(f"--stride {self.stride} is not possible", "give a number from 1 up")
        if self.frames is not None and (self.begin is not None or self.end is not None or self.stride != 1):
            raise UsageError("--frames excludes --begin, --end and --stride", "give one or the other")
        _ = self.slice

    @property
    def open_ended(self) -> bool:
        """True where the window reaches to the last frame, whichever that is."""
        return self.slice.stop is None if self.frames is not None else self.end is None

    @property
    def slice(self) -> slice:
        """``frames`` as a slice of frame numbers; all of them where it is not given."""
        if self.frames is None:
            return slice(None)
        try:
            numbers = [int(part) if part.strip() else None for part in self.frames.split(":")]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 3 or (len(numbers) == 3 and (numbers[2] or 1) < 1):
            raise UsageError(
                f"--frames '{self.frames}' is not understood", "give start:stop:step, for instance 100:200:5"
            )
        if len(numbers) == 1:
            number = numbers[0]
            if number is None:
                raise UsageError("--frames is empty", "give start:stop:step, for instance 100:200:5")
            return slice(number, number + 1 if number != -1 else None)
        return slice(*numbers)


@dataclass(frozen=True)
class ReadOptions:
    """How a coarse-grained input is read.

    Attributes
    ----------
    selection : str or None
        Atoms to use, in the language of MDAnalysis; all by default.
    pbc : {'whole', 'none'}
        Whether chains that a periodic box cuts are made whole.
    window : FrameWindow
        Frames to use; all by default.
    scale : float
        What all lengths are multiplied with, for files in an unusual unit.
    sequence : str or None
        FASTA file, or letters, that replace the residue names.
    on_unknown : {'error', 'skip', 'nearest'}
        What is done with residues whose names are not known.
    bead : str or None
        Atom name of the beads; by default CA, CAlpha, BB, or the only atom of each residue.
    beads : {'auto', 'ca', 'com', 'ca+sc'}
        What the beads are: Cα, centres of mass of residues, or Cα with a second bead of each residue at the
        centre of its side chain. ``auto`` takes them for Cα, and stretches for centres of mass where
        distances leave no doubt.
    com_residues : str or None
        Residues whose beads are centres of mass, such as ``A:10-95,A:120-180``; all others are Cα.
    sc_bead : str or None
        Atom name of the beads of side chains; by default SC, SCM, CMA, CEN, or the only atom of a residue
        beside its Cα.
    sc_center : {'mass', 'geometry'}
        Which centre of a side chain its bead is.
    chain_ends : {'geometry', 'labels'}
        Whether Cα distances correct the chain ends that identifiers, TER records and numbers give.
    format : str or None
        Format of the trajectories, such as ``xtc``; by default the suffix of each.
    drop_repeated_times : bool
        Whether frames are left out whose times come again in later ones.
    cyclic : bool
        Whether a peptide joins the last residue of a chain to its first where these are at bonding distance.
    strict : bool
        Whether a frame with missing, exploded or collapsed coordinates ends the reading.
    force : bool
        Whether beads that do not have the spacing of Cα are accepted, with a warning.

    Raises
    ------
    UsageError
        A value is not possible.
    """

    selection: str | None = None
    pbc: PbcTreatment = "whole"
    window: FrameWindow = field(default_factory=FrameWindow)
    scale: float = 1.0
    sequence: str | None = None
    on_unknown: UnknownResidues = "error"
    bead: str | None = None
    beads: BeadKinds = "auto"
    com_residues: str | None = None
    sc_bead: str | None = None
    sc_center: SideChainCenter = "mass"
    chain_ends: ChainEnds = "geometry"
    format: str | None = None
    drop_repeated_times: bool = False
    cyclic: bool = False
    strict: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        check_choice("--pbc", self.pbc, PbcTreatment)
        check_choice("--on-unknown", self.on_unknown, UnknownResidues)
        check_choice("--beads", self.beads, BeadKinds)
        if self.com_residues is not None and self.beads != "auto":
            raise UsageError(
                f"--com-residues and --beads {self.beads} exclude each other",
                "--com-residues alone: the residues it names are centres of mass, all others Cα",
            )
        check_choice("--sc-center", self.sc_center, SideChainCenter)
        if self.beads != "ca+sc" and (self.sc_bead is not None or self.sc_center != "mass"):
            raise UsageError("--sc-bead and --sc-center need --beads ca+sc", "add it, or leave them out")
        ranges = self.com_ranges
        if self.cyclic and (ranges or self.beads == "com"):
            raise UsageError("--cyclic needs Cα beads, not centres of mass", "leave out one of them")
        check_choice("--chain-ends", self.chain_ends, ChainEnds)
        if not math.isfinite(self.scale) or self.scale <= 0:
            raise UsageError(
                f"--scale {self.scale} is not possible", "give a number above 0, such as 10 for nm to Å"
            )

    @property
    def com_ranges(self) -> tuple[ResidueRange, ...]:
        """``com_residues`` as ranges; none where it is not given."""
        return () if self.com_residues is None else parse_ranges("--com-residues", self.com_residues)
