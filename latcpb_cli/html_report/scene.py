"""The structures of the 3D view: atoms, bonds, frames, deviations and overlaps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.spatial.transform import Rotation

from latcpb_cli.chem.bonds import intra_bonds
from latcpb_cli.chem.residues import (
    ATOM_SLOTS,
    C_SLOT,
    CA_SLOT,
    N_SLOT,
    N_SLOTS,
    OXT_SLOT,
)
from latcpb_cli.choices import Superpose
from latcpb_cli.evaluation.records import AtomFrames, EvaluatedStructure
from latcpb_cli.evaluation.superpose import superpose
from latcpb_cli.html_report.packing import pack, rounded
from latcpb_cli.html_report.residue_index import StructureGroup
from latcpb_cli.metrics.accuracy import squared_deviation
from latcpb_cli.metrics.clashes import frame_clashes

__all__ = ["ATOM_NAMES", "Scene"]

ATOM_NAMES = (*dict.fromkeys(name for names in ATOM_SLOTS for name in names), "OXT")
"""Every name of a heavy atom."""
_RESOLUTION = 0.01
"""Å, of the coordinates and deviations of a page."""
_MAX_INT16 = 32_000

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Scene:
    """One structure in all columns.

    Attributes
    ----------
    group : StructureGroup
    compared : frozenset of int
        Numbers of the columns whose frames are those of column 0, the reference, or samples of them.
    frames : numpy.ndarray of int64, shape (K,)
        Frames that are kept, out of ``n_frames``. A column with fewer frames has
        each of them for several: the reference of an ensemble with samples.
    superposed : {'none', 'chain', 'frame'}
        What is superposed on the reference.
    """

    group: StructureGroup
    compared: frozenset[int]
    frames: Int[Array, "K"]
    superposed: Superpose = "none"

    @cached_property
    def n_frames(self) -> int:
        """Frames of the longest column."""
        return max(len(member.atoms) for member in self.group.members.values())

    @property
    def bytes_per_frame(self) -> int:
        """Bytes of the coordinates of a frame, as base64."""
        return sum(8 * int(member.atoms.present.sum()) for member in self.group.members.values())

    def record(self) -> dict[str, Any]:
        """Return what the page needs; each frame is put into the middle of the view."""
        atoms = self._centred()
        ca = atoms[min(atoms)][:, :, CA_SLOT]
        masks = {column: self.group.members[column].atoms.present for column in atoms}
        size = max(float(np.abs(atoms[column][:, mask]).max()) for column, mask in masks.items())
        resolution = max(_RESOLUTION, size / _MAX_INT16)
        return {
            "start": self.group.start,
            "frames": self.frames.tolist(),
            "nFrames": self.n_frames,
            "resolution": resolution,
            "radius": float(np.linalg.norm(ca, axis=2).max()) + 4.0,
            "orientation": rounded(_orientation(ca[0]), 5),
            "models": [self._model(column, atoms, resolution) for column in atoms],
        }

    def _centred(self) -> dict[int, Float[Array, "K L 15 3"]]:
        """Atoms by column around the mean of the Cα, those of the reference where there is one."""
        atoms = {column: self._read(column) for column in self.group.members}
        centres = {column: positions[:, :, CA_SLOT].mean(axis=1) for column, positions in atoms.items()}
        for column in self.compared & atoms.keys():
            centres[column] = centres[self._reference(column)]
        return {column: atoms[column] - centres[column][:, None, None] for column in atoms}

    def _reference(self, column: int) -> int:
        """Column that a column is compared with: the reference, or itself."""
        members = self.group.members
        return 0 if column in self.compared and 0 in members else column

    def _rows(self, member: EvaluatedStructure) -> Int[Array, "K"]:
        """Frames of a member that belong to the frames of the scene."""
        return self.frames * len(member.atoms) // self.n_frames

    def _read(self, column: int) -> Float[Array, "K L 15 3"]:
        """The frames of a column, on the reference where structures are superposed."""
        member, reference = self.group.members[column], self._reference(column)
        atoms = np.concatenate([member.atoms.read(int(row), int(row) + 1) for row in self._rows(member)])
        if self.superposed == "none" or reference == column:
            return atoms
        matched = np.flatnonzero(member.reference_index >= 0)
        theirs = member.reference_index[matched]
        atoms = atoms.astype(np.float64)
        target = self._read(reference)[:, theirs]
        chains = member.atoms.trace.chain_index[matched]
        atoms[:, matched] = superpose(atoms[:, matched], target, chains, self.superposed)
        return atoms

    def _model(
        self, column: int, all_atoms: dict[int, Float[Array, "K L 15 3"]], resolution: float
    ) -> dict[str, Any]:
        member, atoms = self.group.members[column], all_atoms[column]
        table = _AtomRows.of_frames(member.atoms)
        steps = np.round(atoms[:, table.residue, table.slot] / resolution)
        model = {
            "column": column,
            "residue": pack(self.group.index[column][table.residue].astype(np.uint32)),
            "name": pack(table.names.astype(np.uint8)),
            "bonds": pack(table.bonds(atoms[0]).astype(np.uint32)),
            "positions": pack(steps.astype(np.int16)),
            "frames": member.frames[self._rows(member)].tolist(),
            "overlaps": self._overlaps(member.atoms, atoms, table),
        }
        if self._reference(column) != column:
            model["deviations"] = pack(self._deviations(column, all_atoms))
        return model

    def _overlaps(
        self, frames: AtomFrames, atoms: Float[Array, "K L 15 3"], table: _AtomRows
    ) -> list[list[list[float]]]:
        """Overlapping pairs of each frame: two atoms and the overlap in Å."""
        trace = frames.trace
        linked = trace.linked(atoms[:, :, CA_SLOT])
        rows = table.row
        return [
            [[int(rows[a, x]), int(rows[b, y]), round(float(overlap), 2)]
             for (a, x, b, y), overlap in zip(clashes.pairs, clashes.overlaps, strict=True)]
            for clashes in frame_clashes(trace.residue_types, atoms, frames.present, linked)
        ]  # fmt: skip

    def _deviations(self, column: int, atoms: dict[int, Float[Array, "K L 15 3"]]) -> Shaped[Array, "K G"]:
        """Deviation from the reference by frame and residue of the group, in 0.01 Å; 65535 for none."""
        first = self._reference(column)
        reference, member = self.group.members[first], self.group.members[column]
        matched = np.flatnonzero(member.reference_index >= 0)
        theirs = member.reference_index[matched]
        present = member.atoms.present[matched] & reference.atoms.present[theirs]
        types = member.atoms.trace.residue_types[matched]
        squares = squared_deviation(types, atoms[first][:, theirs], atoms[column][:, matched], present)
        rmsd = np.sqrt(squares.sum(-1) / np.maximum(present.sum(-1), 1))
        deviations = np.full((len(rmsd), self.group.stop - self.group.start), 65535, dtype=np.uint16)
        columns = self.group.index[column][matched] - self.group.start
        deviations[:, columns] = np.minimum(np.round(rmsd / _RESOLUTION), 65534)
        return deviations


@dataclass(frozen=True, eq=False)
class _AtomRows:
    """The N atoms of a structure: residue, slot and name, and the row (L, 15) of each slot."""

    types: Int[Array, "L"]
    residue: Int[Array, "N"]
    slot: Int[Array, "N"]
    names: Int[Array, "N"]
    row: Int[Array, "L 15"]
    linked: Bool[Array, "L"]

    @classmethod
    def of_frames(cls, frames: AtomFrames) -> _AtomRows:
        present, types = frames.present, frames.trace.residue_types
        residue, slot = np.nonzero(present)
        row = np.full((len(types), N_SLOTS), -1)
        row[residue, slot] = np.arange(len(residue))
        names = [
            "OXT" if own == OXT_SLOT else ATOM_SLOTS[kind][own]
            for kind, own in zip(types[residue].tolist(), slot.tolist(), strict=True)
        ]
        numbers = np.array([ATOM_NAMES.index(name) for name in names])
        return cls(types, residue, slot, numbers, row, frames.trace.same_chain_as_next())

    def bonds(self, atoms: Float[Array, "L 15 3"]) -> Int[Array, "B 2"]:
        """Bonds inside residues, and the peptide bonds of a frame; all bonds are between atoms that exist."""
        pairs = [
            (self.row[residue, first], self.row[residue, second])
            for residue, kind in enumerate(self.types.tolist())
            for first, second in intra_bonds()[kind]
        ]
        for residue in np.flatnonzero(self.linked).tolist():
            step = atoms[residue, C_SLOT] - atoms[residue + 1, N_SLOT]
            if step @ step < 2.5**2:
                pairs.append((self.row[residue, C_SLOT], self.row[residue + 1, N_SLOT]))
        bonds = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return bonds[(bonds >= 0).all(axis=1)]


def _orientation(positions: Float[Array, "L 3"]) -> Float[Array, "4"]:
    """Quaternion (x, y, z, w) that puts the longest axis of a structure across the view."""
    if len(positions) < 3:
        return np.array([0.0, 0.0, 0.0, 1.0])
    _, axes = np.linalg.eigh(positions.T @ positions)
    rotation = axes[:, ::-1].T
    rotation[2] *= np.sign(np.linalg.det(rotation))
    return np.asarray(Rotation.from_matrix(rotation).as_quat())
