"""Every choice of a run: made once, validated once, carried whole."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from latcpb_cli.chem.conventions import Naming
from latcpb_cli.errors import UsageError

__all__ = [
    "PARTS", "BFactor", "BackmapOptions", "ChainEnds", "Disulfides", "ForceField", "FrameWindow", "MdOptions",
    "Mode", "Naming", "Part", "PbcTreatment", "ReadOptions", "Solvent", "TopologyFormat",
    "UnknownResidues",
    "parse_parts",
]  # fmt: skip

Mode = Literal["best", "ensemble", "exact"]
"""One deterministic structure, draws by a fast solver, draws by all steps of equation 8."""
Disulfides = Literal["auto", "none"]
"""Whether cysteines in the geometry of a disulfide are joined, frame by frame."""
PbcTreatment = Literal["whole", "none"]
"""Whether chains that a periodic box cuts are made whole."""
UnknownResidues = Literal["error", "skip", "nearest"]
"""Refuse residues without a known name, leave them out, or read them as a relative."""
ChainEnds = Literal["geometry", "labels"]
"""Whether Cα distances, or the labels of the file alone, decide where chains end."""
TopologyFormat = Literal["pdb", "cif"]
"""Format of the file that names the atoms of a trajectory."""
ForceField = Literal["amber14", "amber19", "charmm36"]
Solvent = Literal["obc2", "gbn2", "vacuum"]
BFactor = Literal["confidence", "spread"]
"""What the B factors of an output are: 100 times a probability, or the spread over the samples in Å."""
Part = Literal["peptides", "packing", "rescoring", "relief"]
"""What goes beyond the paper's method, in the order in which it is applied."""
PARTS: tuple[Part, ...] = get_args(Part)


def _check_choice(name: str, value: str | None, choices: Any) -> None:
    if value is not None and value not in get_args(choices):
        raise UsageError(f"{name} '{value}' is not known", f"choose from {', '.join(get_args(choices))}")


def parse_parts(text: str) -> tuple[Part, ...]:
    """Read ``packing,rescoring``, or ``all``.

    Raises
    ------
    UsageError
        A part is not known.
    """
    names = PARTS if text == "all" else tuple(part.strip() for part in text.split(","))
    for name in names:
        _check_choice("--without", name, Part)
    return tuple(part for part in PARTS if part in names)


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
    chain_ends: ChainEnds = "geometry"
    format: str | None = None
    drop_repeated_times: bool = False
    cyclic: bool = False
    strict: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        _check_choice("--pbc", self.pbc, PbcTreatment)
        _check_choice("--on-unknown", self.on_unknown, UnknownResidues)
        _check_choice("--chain-ends", self.chain_ends, ChainEnds)
        if not math.isfinite(self.scale) or self.scale <= 0:
            raise UsageError(
                f"--scale {self.scale} is not possible", "give a number above 0, such as 10 for nm to Å"
            )


@dataclass(frozen=True)
class MdOptions:
    """How a built structure is prepared for molecular dynamics.

    Attributes
    ----------
    hydrogens : bool
        Whether hydrogens are written.
    ph : float
        Decides on the protonation of side chains.
    minimize : int
        Largest number of minimisation steps; 0 leaves the heavy atoms alone.
    force_field : {'amber14', 'amber19', 'charmm36'}
    solvent : {'obc2', 'gbn2', 'vacuum'}
    restraint : float
        Force constant that holds each Cα, in kJ/mol/nm².
    """

    hydrogens: bool = False
    ph: float = 7.0
    minimize: int = 0
    force_field: ForceField = "amber14"
    solvent: Solvent = "obc2"
    restraint: float = 20000.0

    def __post_init__(self) -> None:
        _check_choice("--force-field", self.force_field, ForceField)
        _check_choice("--solvent", self.solvent, Solvent)
        if not self.hydrogens and self.minimize <= 0:
            raise UsageError("MdOptions without hydrogens or minimize", "leave it out, or set one of them")


@dataclass(frozen=True)
class BackmapOptions:
    """How frames become atoms, and how these are written.

    Attributes
    ----------
    samples : int
        All-atom structures of each frame.
    seed : int
        Noise depends on it, on the number of the sample, and on the trace (without ``coherence``: on the
        number of the frame) only.
    mode : {'best', 'ensemble', 'exact'}
        Where it is not given: best for one sample, ensemble for several.
    coherence : float
        Length (Å) over which the shape of a chain changes before its side chains do. Samples of frames that
        are alike get similar noise; in best mode, rotamer probabilities are averaged over frames that are
        alike. 0 builds each frame by itself.
    ca_tolerance : float
        How far (Å) a Cα may move where the beads leave no room for good peptides.
    disulfides : {'auto', 'none'}
    naming : {'pdb', 'charmm', 'amber'}
        Names of residues and atoms in PDB files and topologies.
    topology : {'pdb', 'cif'}
        Format of the file that names the atoms of a trajectory.
    bfactor : {'confidence', 'spread'} or None
        What the B factors are. By default the spread in PDB and mmCIF files with several samples, else zeros.
    without : tuple of {'peptides', 'packing', 'rescoring', 'relief'}
        Parts beyond the paper that are left out; all of them leave the paper's method alone.
    md : MdOptions or None
        Hydrogens and minimisation; needs OpenMM.
    report : bool
        Whether a clash report is written beside the output.
    overwrite : bool
        Whether files that exist may be replaced.
    resume : bool
        Whether to go on where a run with the same options was interrupted, if one was.

    Raises
    ------
    UsageError
        A value is not possible, or two contradict each other.
    """

    samples: int = 1
    seed: int = 0
    mode: Mode | None = None
    coherence: float = 0.0
    ca_tolerance: float = 0.0
    disulfides: Disulfides = "auto"
    naming: Naming = "pdb"
    topology: TopologyFormat = "pdb"
    bfactor: BFactor | None = None
    without: tuple[Part, ...] = ()
    md: MdOptions | None = None
    report: bool = True
    overwrite: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        _check_choice("--mode", self.mode, Mode)
        _check_choice("--disulfides", self.disulfides, Disulfides)
        _check_choice("--naming", self.naming, Naming)
        _check_choice("--topology", self.topology, TopologyFormat)
        _check_choice("--bfactor", self.bfactor, BFactor)
        for part in self.without:
            _check_choice("--without", part, Part)
        for name in ("coherence", "ca_tolerance"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise UsageError(
                    f"--{name.replace('_', '-')} {value} is not possible", "give a length from 0 Å up"
                )
        if self.samples < 1:
            raise UsageError(f"--samples {self.samples} is not possible", "give a number from 1 up")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed} is not possible", "give a number from 0 up")
        if self.mode == "best" and self.samples > 1:
            raise UsageError(
                f"mode best gives one structure per frame, not {self.samples}",
                "use mode ensemble, or one sample",
            )
        object.__setattr__(self, "mode", self.settled_mode)
        object.__setattr__(self, "without", tuple(part for part in PARTS if part in self.without))
        self._check_parts()
        self._check_bfactor()
        if self.md is not None and self.md.hydrogens and self.naming == "charmm":
            raise UsageError(
                "--hydrogens are written with PDB names, not those of CHARMM",
                "leave out --hydrogens or --naming charmm; pdb2gmx and psfgen add hydrogens themselves",
            )

    def _check_parts(self) -> None:
        if not self.uses("packing") and self.uses("rescoring"):
            raise UsageError(
                "rescoring corrects what packing computes", "leave out both: --without packing,rescoring"
            )
        if not self.uses("packing") and self.mode == "best" and self.coherence > 0:
            raise UsageError(
                "--coherence in best mode averages what packing computes", "leave one of them out"
            )

    def _check_bfactor(self) -> None:
        if self.bfactor == "confidence":
            self.require_predictions()
        if self.bfactor == "spread" and self.samples == 1:
            raise UsageError(
                "--bfactor spread needs several samples of each frame", "add --samples 5, for instance"
            )

    @property
    def has_predictions(self) -> bool:
        """Whether the confidence in the structures is known: in modes best and ensemble, with all parts."""
        return self.settled_mode != "exact" and not self.without

    def require_predictions(self) -> None:
        """Refuse a run whose confidence is not known.

        Raises
        ------
        UsageError
        """
        if not self.has_predictions:
            raise UsageError(
                "confidence is calibrated for modes best and ensemble, with all parts",
                "leave out --mode exact and --without, or --bfactor confidence",
            )

    @property
    def settled_mode(self) -> Mode:
        """The mode, which the number of samples decides where it is not given."""
        return self.mode or ("best" if self.samples == 1 else "ensemble")

    def uses(self, part: Part) -> bool:
        """Whether a part beyond the paper takes part in the run."""
        return part not in self.without

    @property
    def consensus_length(self) -> float:
        """Length (Å) over which best mode averages rotamer probabilities between frames; 0 for not at all."""
        return self.coherence if self.mode == "best" else 0.0

    @property
    def noise_length(self) -> float:
        """Length (Å) over which noise changes with the trace; 0 for noise of each frame alone."""
        return 0.0 if self.mode == "best" else self.coherence

    def settings(self) -> dict[str, Any]:
        """What the written bytes depend on, by name; ready for JSON."""
        values = asdict(self)
        return {name: values[name] for name in values if name not in ("report", "overwrite", "resume")}
