"""mmCIF files through gemmi.

The atom table is read in file order and not interpreted, so that models
become frames and files with nothing but Cα atoms are read as well.
"""

from __future__ import annotations

import gemmi
import numpy as np
from jaxtyping import Bool, Float32, Shaped

from latcpb_cli.errors import InputError, first_line
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.frames import Frame, clean_box
from latcpb_cli.io.readers.input_file import InputFile

__all__ = ["CifFile"]

_MAX_BYTES = 2 << 30
"""gemmi holds mmCIF in memory as a whole."""
_LABELS = (
    "label_atom_id", "auth_atom_id", "label_comp_id", "auth_comp_id", "label_asym_id", "auth_asym_id",
    "label_seq_id", "auth_seq_id", "pdbx_PDB_ins_code",
)  # fmt: skip
"""Columns that name an atom."""
_CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


class CifFile:
    """An mmCIF file as topology (`read_atoms`) and as frames (`read`).

    Parameters
    ----------
    file : InputFile

    Raises
    ------
    InputError
        If the file is no mmCIF, has no atoms, or models with different
        numbers of atoms.
    """

    truncated, names_atoms = False, True
    notes: tuple[str, ...] = ()

    def __init__(self, file: InputFile) -> None:
        path = self.path = file.path
        self._block = _atom_block(file)
        models = self._column("pdbx_PDB_model_num")
        starts = np.flatnonzero(np.r_[True, models[1:] != models[:-1]])
        sizes = np.diff(np.r_[starts, len(models)])
        if np.any(sizes != sizes[0]):
            raise InputError(
                f"{path}: its models have {sizes.min()} to {sizes.max()} atoms",
                "every model must hold the same atoms; split the file",
            )
        self.n_atoms, self.n_frames = int(sizes[0]), len(sizes)
        self._positions = self._coordinates().reshape(self.n_frames, self.n_atoms, 3)
        self._relabelled = self._find_relabelled()

    def read_atoms(self, index: int = 0) -> AtomTable:
        """List the atoms of one model, in author numbering where it is given."""
        rows = slice(index * self.n_atoms, (index + 1) * self.n_atoms)
        entities = self._column("label_asym_id")[rows]
        segment_index = np.zeros(self.n_atoms, dtype=np.int64)
        segment_index[1:] = np.cumsum(entities[1:] != entities[:-1])
        numbers = self._column("auth_seq_id", "label_seq_id")[rows]
        try:
            resids = np.array([int(number or 0) for number in numbers], dtype=np.int64)
        except ValueError as error:
            raise InputError(
                f"{self.path}: a residue number is no integer ({error})", "check auth_seq_id"
            ) from None
        return AtomTable(
            names=self._column("label_atom_id", "auth_atom_id")[rows],
            resnames=self._column("auth_comp_id", "label_comp_id")[rows],
            resids=resids,
            icodes=self._column("pdbx_PDB_ins_code")[rows],
            altlocs=self._column("label_alt_id")[rows],
            chain_ids=self._column("auth_asym_id", "label_asym_id")[rows],
            segment_index=segment_index,
        )

    def has_own_labels(self, index: int) -> bool:
        """Return whether a column that names atoms differs from that of the first model."""
        return bool(self._relabelled[index])

    def read_times(self) -> None:
        """Return None: mmCIF holds no times."""

    def read(self, index: int) -> Frame:
        """Read one model; its time is its number."""
        values = [self._block.find_value(f"_cell.{name}") for name in _CELL]
        cell = np.array([gemmi.cif.as_number(value) if value else 0.0 for value in values])
        return Frame(self._positions[index], float(index), clean_box(cell))

    def _column(self, *tags: str) -> Shaped[np.ndarray, "rows"]:
        """Return the first of some columns that the file has, as strings ("" for none)."""
        for tag in tags:
            column = self._block.find_values(f"_atom_site.{tag}")
            if len(column):
                return np.array([gemmi.cif.as_string(value) for value in column])
        n_rows = len(self._block.find_values("_atom_site.Cartn_x"))
        return np.full(n_rows, "")

    def _find_relabelled(self) -> Bool[np.ndarray, "F"]:
        """Mark the models in which a column that names atoms differs from that of the first model."""
        relabelled = np.zeros(self.n_frames, dtype=bool)
        for tag in _LABELS if self.n_frames > 1 else ():
            column = np.array(self._block.find_values(f"_atom_site.{tag}"))
            if len(column):
                models = column.reshape(self.n_frames, self.n_atoms)
                relabelled |= (models != models[0]).any(axis=1)
        return relabelled

    def _coordinates(self) -> Float32[np.ndarray, "rows 3"]:
        axes = [self._column(f"Cartn_{axis}") for axis in "xyz"]
        try:
            return np.stack(axes, axis=1).astype(np.float32)
        except ValueError as error:
            raise InputError(
                f"{self.path}: an atom has no coordinates ({error})", "the file is damaged; fetch it again"
            ) from None


def _atom_block(file: InputFile) -> gemmi.cif.Block:
    path = file.path
    if file.size > _MAX_BYTES:
        raise InputError(
            f"{path}: {file.size >> 20:,} MiB of mmCIF", "write long trajectories as .xtc or .dcd"
        )
    try:
        # As bytes: gemmi itself interprets file names such as a.cif.gz.
        document = gemmi.cif.read_string(file.readable.read_bytes())
    except (ValueError, RuntimeError, OSError, IndexError) as error:
        raise InputError(
            f"{path}: cannot be read as mmCIF ({first_line(error)})",
            "the file is truncated or of another format",
        ) from None
    for block in document:
        if len(block.find_values("_atom_site.Cartn_x")):
            return block
    raise InputError(f"{path}: no atoms (_atom_site) in it", "give a coordinate file")
