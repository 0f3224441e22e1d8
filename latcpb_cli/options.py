"""How frames become atoms: every choice is made once, validated once, carried whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from latcpb_cli.chem.conventions import Naming
from latcpb_cli.choices import (
    PARTS,
    TEMPLATE_TOLERANCE,
    BFactor,
    Disulfides,
    ForceField,
    Mode,
    Part,
    Solvent,
    TopologyFormat,
    check_choice,
)
from latcpb_cli.errors import UsageError
from latcpb_cli.residue_ranges import ResidueRange, parse_chain_map, parse_ranges

__all__ = ["BackmapOptions", "MdOptions"]

_WITH_TEMPLATES = ("template_map", "template_only_domains", "template_tolerance")
"""Options that mean nothing without templates."""


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
        check_choice("--force-field", self.force_field, ForceField)
        check_choice("--solvent", self.solvent, Solvent)
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
    keep_backbone : bool
        Whether N, C, O and CB of the input stay where they are, as Cα do. The input must have N and C of
        every residue; O and CB are built where it does not have them.
    template : path or sequence of paths
        All-atom structures whose side chains and peptides count where the trace is like theirs.
    template_map : str or None
        Which chain of the templates is that of which chain of the input: ``A=B,C=D``. Where it is not given,
        sequences decide.
    template_only_domains : str or None
        Residues of the input that may use the templates, such as ``A:10-95``; by default all.
    template_tolerance : float
        How far (Å) the trace may be from that of a template for half of the side chains to stay as they are
        there.
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
    keep_backbone: bool = False
    template: str | PathLike[str] | Sequence[str | PathLike[str]] = ()
    template_map: str | None = None
    template_only_domains: str | None = None
    template_tolerance: float = TEMPLATE_TOLERANCE
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
        check_choice("--mode", self.mode, Mode)
        check_choice("--disulfides", self.disulfides, Disulfides)
        check_choice("--naming", self.naming, Naming)
        check_choice("--topology", self.topology, TopologyFormat)
        check_choice("--bfactor", self.bfactor, BFactor)
        for part in self.without:
            check_choice("--without", part, Part)
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
        self._check_templates()
        self._check_backbone()
        self._check_parts()
        self._check_bfactor()
        if self.md is not None and self.md.hydrogens and self.naming == "charmm":
            raise UsageError(
                "--hydrogens are written with PDB names, not those of CHARMM",
                "leave out --hydrogens or --naming charmm; pdb2gmx and psfgen add hydrogens themselves",
            )

    def _check_templates(self) -> None:
        object.__setattr__(self, "template", tuple(map(str, self.template_paths)))
        for name in _WITH_TEMPLATES:
            if getattr(self, name) != getattr(type(self), name) and not self.template:
                raise UsageError(
                    f"--{name.replace('_', '-')} has no effect without --template", "leave it out, or add one"
                )
        if not (math.isfinite(self.template_tolerance) and self.template_tolerance > 0):
            raise UsageError(
                f"--template-tolerance {self.template_tolerance} is not possible", "give a length above 0 Å"
            )
        if self.template and not self.uses("packing"):
            raise UsageError(
                "--template decides on rotamers, which need packing", "leave out --template or --without"
            )
        _ = self.template_chains, self.template_ranges  # which raise what is wrong with them

    def _check_backbone(self) -> None:
        moving = {
            "--ca-tolerance moves Cα": self.ca_tolerance > 0,
            "--minimize moves all atoms": self.md is not None and self.md.minimize > 0,
        }
        for what, moves in moving.items():
            if self.keep_backbone and moves:
                raise UsageError(f"{what}, and --keep-backbone keeps them", "leave out one of them")

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
    def template_paths(self) -> tuple[Path, ...]:
        """The files of the templates."""
        given = [self.template] if isinstance(self.template, str | PathLike) else self.template
        return tuple(Path(path) for path in given)

    @property
    def template_chains(self) -> dict[str, tuple[str, ...]] | None:
        """Chains of the templates for each chain of the input, by ``template_map``; None without it."""
        return None if self.template_map is None else parse_chain_map("--template-map", self.template_map)

    @property
    def template_ranges(self) -> tuple[ResidueRange, ...]:
        """``template_only_domains`` as ranges; none where it is not given."""
        text = self.template_only_domains
        return () if text is None else parse_ranges("--template-only-domains", text)

    @property
    def has_predictions(self) -> bool:
        """Whether the confidence is known: in modes best and ensemble, with all parts and no templates."""
        return self.settled_mode != "exact" and not self.without and not self.template

    def require_predictions(self) -> None:
        """Refuse a run whose confidence is not known.

        Raises
        ------
        UsageError
        """
        if not self.has_predictions:
            raise UsageError(
                "confidence is calibrated for modes best and ensemble, with all parts and without templates",
                "leave out --mode exact, --without and --template, or --bfactor confidence",
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
        """What the written bytes depend on, by name; ready for JSON.

        Without the files of templates, whose content counts.
        """
        left_out = ["report", "overwrite", "resume", "template"]
        if not self.template:
            left_out += _WITH_TEMPLATES
        return {name: value for name, value in asdict(self).items() if name not in left_out}
