"""What an evaluation returns: one column of figures and tables for each method, and for the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from latcpb_cli.choices import Superpose
from latcpb_cli.evaluation.definitions import Definition
from latcpb_cli.structure import CGTrace

__all__ = [
    "AtomFrames",
    "CheckResult",
    "Column",
    "EvaluatedStructure",
    "Evaluation",
    "FrameTable",
    "OverlapPair",
    "ResidueTable",
    "TorsionStatistics",
]

Array = np.ndarray


@runtime_checkable
class AtomFrames(Protocol):
    """All-atom frames that are read when they are needed; `AtomStructure` is one.

    Attributes
    ----------
    trace : CGTrace
        L residues.
    present : numpy.ndarray of bool, shape (L, 15)
        Heavy atoms that have a position in every frame.
    """

    @property
    def trace(self) -> CGTrace:
        """L residues."""

    @property
    def present(self) -> Bool[Array, "L 15"]:
        """Heavy atoms that have a position in every frame."""

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> Float[Array, "F L 15 3"]:
        """Return the atoms (Å) of the frames from ``start`` to before ``stop``, zeros where none is."""


@dataclass(frozen=True, eq=False)
class EvaluatedStructure:
    """A structure or trajectory of a column.

    Attributes
    ----------
    name : str
        Name of the file without its suffix; files of folders are matched by it.
    files : tuple of str
        What was read, the topology first.
    atoms : AtomFrames
        Residues and coordinates; L residues, F frames.
    first_row : int
        Row of its first residue in the `ResidueTable` of the column; its residues follow each other.
    reference_index : numpy.ndarray of int64, shape (L,)
        The residue of the reference structure of the same name that each residue was matched
        with, -1 for none; all -1 without a reference.
    frames : numpy.ndarray of int64, shape (F,)
        Numbers of the frames in the file.
    """

    name: str
    files: tuple[str, ...]
    atoms: AtomFrames
    first_row: int
    reference_index: Int[Array, "L"]
    frames: Int[Array, "F"]


@dataclass(frozen=True, eq=False)
class FrameTable:
    """One row for each of the N frames of all structures of a column, in their order.

    Attributes
    ----------
    structure : numpy.ndarray of str, shape (N,)
        Name of the structure.
    frame : numpy.ndarray of int64, shape (N,)
        Number of the frame in its file.
    sample : numpy.ndarray of int64, shape (N,)
        Number of the sample of its frame, from 0.
    values : dict of str to numpy.ndarray of float64, shape (N,)
        By the name of the figure with its region, such as ``inner.rmsd.all_heavy``,
        ``validity.overlap04_per_1000`` or ``shape.helix``; NaN where it is not measured.
        Percentages and counts ``x`` have the number of their cases in ``x_of``.
    """

    structure: Shaped[Array, "N"]
    frame: Int[Array, "N"]
    sample: Int[Array, "N"]
    values: Mapping[str, Float[Array, "N"]]


@dataclass(frozen=True, eq=False)
class ResidueTable:
    """One row for each of the R residues of all structures of a column, in their order.

    Attributes
    ----------
    structure : numpy.ndarray of str, shape (R,)
        Name of the structure.
    chain_ids, icodes, names : numpy.ndarray of str, shape (R,)
        Chain, insertion code and three-letter name.
    resids : numpy.ndarray of int64, shape (R,)
    reference_row : numpy.ndarray of int64, shape (R,)
        Row of the matched residue in the table of the reference, -1 for none.
    values : dict of str to numpy.ndarray of float64, shape (R,)
        By the name of the quantity, over all frames; NaN where it is not measured. With a
        reference ``rmsd``, ``rmsd_backbone`` and ``rmsd_side_chain`` (root mean square over
        frames, Å), ``chi1_match`` and ``chi1_chi2_match`` (fraction of the frames). Always
        ``overlap04`` (pairs of atoms per frame), ``sasa`` (Å²), ``ramachandran_score``, and, as
        fractions of the frames, ``contact12``, ``pierced_rings``, ``bonds``,
        ``peptide_bonds``, ``angles``, ``n_ca_c``, ``omega``, ``cis_non_proline``,
        ``cis_proline``, ``d_residues``, ``inverted_cb``, ``ramachandran_favoured``,
        ``ramachandran_outliers``, ``chi1_outliers``, ``rotamer_outliers``, ``chi1_jumps``,
        ``helix`` and ``strand``.
    """

    structure: Shaped[Array, "R"]
    chain_ids: Shaped[Array, "R"]
    resids: Int[Array, "R"]
    icodes: Shaped[Array, "R"]
    names: Shaped[Array, "R"]
    reference_row: Int[Array, "R"]
    values: Mapping[str, Float[Array, "R"]]

    def __len__(self) -> int:
        return len(self.resids)


@dataclass(frozen=True, eq=False)
class TorsionStatistics:
    """Distributions of the torsions of a column.

    Attributes
    ----------
    histograms : dict of str to numpy.ndarray of int64, shape (72,)
        Counts in bins of 5 degrees from -180, by ``phi``, ``psi``, ``chi1`` to ``chi4``.
    ramachandran_maps : numpy.ndarray of int64, shape (4, 90, 90)
        Counts by class of residue (`latcpb_cli.chem.ramachandran.RESIDUE_CLASSES`), φ and
        ψ, in bins of 4 degrees from -180.
    ramachandran_points : dict of str to numpy.ndarray of float64, shape (P, 2)
        φ and ψ (rad) by class of residue; a fixed number of them, evenly spread over
        frames and residues, where there are more.
    chi_maps : dict of str to numpy.ndarray of int64, shape (72, 72)
        Counts by χ1 and χ2 in bins of 5 degrees from -180, by three-letter name, for
        residue types with both.
    """

    histograms: Mapping[str, Int[Array, "72"]]
    ramachandran_maps: Int[Array, "4 90 90"]
    ramachandran_points: Mapping[str, Float[Array, "P 2"]]
    chi_maps: Mapping[str, Int[Array, "72 72"]]


@dataclass(frozen=True)
class OverlapPair:
    """Two residues whose atoms overlap by 0.4 Å or more (``overlap04``).

    Attributes
    ----------
    first, second : int
        Rows of the `ResidueTable`, ``first <= second``.
    frames : int
        Frames in which they overlap.
    pairs : int
        Overlapping pairs of atoms in all frames.
    worst : float
        Largest overlap, Å.
    """

    first: int
    second: int
    frames: int
    pairs: int
    worst: float


@dataclass(frozen=True)
class CheckResult:
    """One line of ``--checks``.

    Attributes
    ----------
    name, label : str
    passed : bool or None
        None where it cannot be checked.
    value, limit : float or None
        The value that was compared, and the largest (or, for checks that need a
        minimum, smallest) one that passes.
    """

    name: str
    label: str
    passed: bool | None
    value: float | None
    limit: float


@dataclass(frozen=True, eq=False)
class Column:
    """The figures of the reference or of one method.

    Attributes
    ----------
    name : str
        Of the method; ``reference`` for the reference.
    structures : tuple of EvaluatedStructure
        One, or one for each file of a folder.
    summary : dict
        Figures over all frames and structures; the names are those of the JSON file.
    frames : FrameTable
    residues : ResidueTable
    torsions : TorsionStatistics
    overlaps : tuple of OverlapPair
        The pairs that overlap in most frames come first.
    checks : tuple of CheckResult
    intervals : dict of str to (float, float)
        Bootstrap intervals (95 %) of figures, by name; empty where there are fewer than
        two frames or structures.
    notes : tuple of str
        What was matched, left out, or not compared, one line each.
    failures : tuple of str
        Structures of a folder that could not be evaluated, and why, one line each.
    """

    name: str
    structures: tuple[EvaluatedStructure, ...]
    summary: dict[str, Any]
    frames: FrameTable
    residues: ResidueTable
    torsions: TorsionStatistics
    overlaps: tuple[OverlapPair, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Methods side by side, with the reference if there is one.

    Attributes
    ----------
    reference : Column or None
    methods : tuple of Column
        At least one.
    superpose : {'none', 'chain', 'frame'}
        What was superposed on the reference (over Cα) before atoms were compared.
    definitions : tuple of Definition
        Of every figure, in the order of the tables.
    """

    reference: Column | None
    methods: tuple[Column, ...]
    superpose: Superpose
    definitions: tuple[Definition, ...]
