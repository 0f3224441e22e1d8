"""mmCIF text: any number of chains, atoms and models, with the chain identifiers of the input."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float

from latcpb_cli.chem.conventions import Naming
from latcpb_cli.chem.modified import modified_residue
from latcpb_cli.chem.naming import atom_name, residue_name
from latcpb_cli.io.writers.frame_writer import FrameInfo, OutputSpec, ResumePoint
from latcpb_cli.io.writers.labels import asym_ids, cif_chain_names, rename_remarks, renamed_chains
from latcpb_cli.io.writers.part_file import PartFile
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace

__all__ = ["CifWriter"]

_COLUMNS = (
    "group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id",
    "label_entity_id", "label_seq_id", "pdbx_PDB_ins_code", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy",
    "B_iso_or_equiv", "auth_seq_id", "auth_comp_id", "auth_asym_id", "auth_atom_id", "pdbx_PDB_model_num",
)  # fmt: skip
_CONNECTION_COLUMNS = (
    "id", "conn_type_id", "ptnr1_label_asym_id", "ptnr1_label_comp_id", "ptnr1_label_seq_id",
    "ptnr1_label_atom_id", "ptnr2_label_asym_id", "ptnr2_label_comp_id", "ptnr2_label_seq_id",
    "ptnr2_label_atom_id", "ptnr1_symmetry", "ptnr2_symmetry",
)  # fmt: skip


class CifWriter:
    """An mmCIF file with one block, whose models are the structures.

    The cell and the disulfides are those of the first structure; cyclic chains are closed in all of them.

    Parameters
    ----------
    part : PartFile
    topology : AtomTopology
    spec : OutputSpec
    resume : ResumePoint, optional
        What the file holds already.
    """

    def __init__(
        self, part: PartFile, topology: AtomTopology, spec: OutputSpec, resume: ResumePoint | None = None
    ) -> None:
        self._part, self._topology, self._spec = part, topology, spec
        self._n_models = 0 if resume is None else resume.n_structures
        self._template: str | None = None
        if resume is not None:
            self._template = _template(topology, spec, resume.bridges)
        if not part.size:
            renamed = renamed_chains(topology.trace, cif_chain_names(topology.trace))
            remarks = [*spec.remarks, *rename_remarks(renamed)]
            self._write("data_latcpb\n" + "".join(f"# {line}\n" for line in remarks))

    def write(
        self, positions: Float[np.ndarray, "N 3"], bfactors: Float[np.ndarray, "N"] | None, info: FrameInfo
    ) -> None:
        """Append one structure."""
        if self._template is None:
            self._template = _template(self._topology, self._spec, info.bridges)
            self._write(_header(self._topology, info, self._spec.naming))
        n_atoms, first = len(self._topology), self._n_models * len(self._topology) + 1
        self._n_models += 1
        values = np.zeros((n_atoms, 4))
        values[:, :3] = positions
        if bfactors is not None:
            values[:, 3] = bfactors
        models = itertools.repeat(self._n_models, n_atoms)
        columns = zip(range(first, first + n_atoms), *values.T.tolist(), models, strict=True)
        remark = f"# FRAME {info.frame} SAMPLE {info.sample} TIME {info.time:.3f} PS\n"
        text = self._template % tuple(itertools.chain.from_iterable(columns))
        self._write((remark if self._spec.n_structures > 1 else "") + text)

    def flush(self) -> None:
        """Do nothing: every structure is written at once."""

    def finish(self) -> None:
        """End the loop of atoms."""
        self._write("#\n")

    def close(self) -> None:
        """Do nothing: only the part file is open."""

    def _write(self, text: str) -> None:
        self._part.write(text.encode())


def _label_ids(trace: CGTrace) -> list[str]:
    """One identifier per chain, all different: A to Z, then AA, BA, ..."""
    return list(itertools.islice(asym_ids(), int(trace.chain_index[-1]) + 1))


def _sequence_numbers(trace: CGTrace) -> np.ndarray:
    """Number of each residue in its chain, from 1: int64, shape (L,)."""
    starts = np.searchsorted(trace.chain_index, np.arange(int(trace.chain_index[-1]) + 1))
    numbers: np.ndarray = np.arange(len(trace)) - starts[trace.chain_index] + 1
    return numbers


def _header(topology: AtomTopology, info: FrameInfo, naming: Naming) -> str:
    """Cell, disulfides and closing bonds of rings, and the names of the atoms' columns."""
    lines = ["_entry.id latcpb", "#"]
    if info.box[:3].any():
        names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
        lines += [f"_cell.{name} {value:.3f}" for name, value in zip(names, info.box.tolist(), strict=True)]
        lines += ["_symmetry.space_group_name_H-M 'P 1'", "#"]
    lines += _connections(topology.trace, info.bridges, naming)
    return "\n".join([*lines, "loop_", *(f"_atom_site.{name}" for name in _COLUMNS), ""])


def _connections(trace: CGTrace, bridges: Sequence[Bridge], naming: Naming) -> list[str]:
    """The loop of bonds that do not follow from names and sequence."""
    if not bridges and not trace.rings:
        return []
    label, numbers = _label_ids(trace), _sequence_numbers(trace)
    lines = ["loop_", *(f"_struct_conn.{name}" for name in _CONNECTION_COLUMNS)]
    for number, pair in enumerate(bridges, start=1):
        ends = [f"{label[trace.chain_index[residue]]} CYS {numbers[residue]} SG" for residue in pair]
        lines.append(f"disulf{number} disulf {' '.join(ends)} 1_555 1_555")
    for number, ring in enumerate(trace.rings, start=1):
        ends = [
            f"{label[trace.chain_index[residue]]} {residue_name(trace.names[residue], naming)} "
            f"{numbers[residue]} {atom}"
            for residue, atom in zip(reversed(ring), "CN", strict=True)
        ]
        lines.append(f"covale{number} covale {' '.join(ends)} 1_555 1_555")
    return [*lines, "#"]


def _template(topology: AtomTopology, spec: OutputSpec, bridges: Sequence[Bridge]) -> str:
    """A structure with % fields for number, x, y, z, B and model of each atom."""
    trace, naming = topology.trace, spec.naming
    residues = _residue_columns(trace, naming, {residue for pair in bridges for residue in pair})
    variants, last = trace.names, trace.ends_chain().tolist()
    rows = []
    atoms = topology.residue, topology.names, topology.elements
    for residue, atom, element in zip(*(column.tolist() for column in atoms), strict=True):
        record, name = _atom_columns(variants[residue], atom, naming, last[residue])
        labels, author_labels = residues[residue]
        rows.append(
            f"{record} %d {element} {name} . {labels} %.3f %.3f %.3f 1.00 %6.2f {author_labels} {name} %d\n"
        )
    return "".join(rows)


def _residue_columns(trace: CGTrace, naming: Naming, bridged: set[int]) -> list[tuple[str, str]]:
    """Columns of the atoms of each residue: its labels with the insertion code, and those of the author."""
    from gemmi.cif import quote

    auth, label = cif_chain_names(trace), _label_ids(trace)
    entities: dict[str, int] = {}
    chains = []
    for chain in range(len(auth)):
        members = np.flatnonzero(trace.chain_index == chain)
        sequence = " ".join(trace.names[residue] for residue in members)
        entity = entities.setdefault(sequence, len(entities) + 1)
        chains.append((label[chain], _escape(quote(auth[chain])), entity))
    columns = []
    labels = trace.chain_index, _sequence_numbers(trace), trace.resids, trace.icodes
    rows = zip(trace.names, *(column.tolist() for column in labels), strict=True)
    for index, (name, chain, number, resid, icode) in enumerate(rows):
        name = residue_name(name, naming, index in bridged)
        asym, author, entity = chains[chain]
        columns.append(
            (f"{name} {asym} {entity} {number} {icode.strip() or '?'}", f"{resid} {name} {author}")
        )
    return columns


@cache
def _atom_columns(variant: str, atom: str, naming: Naming, last: bool) -> tuple[str, str]:
    """Record and name of an atom."""
    from gemmi.cif import quote

    record = "HETATM" if naming == "pdb" and modified_residue(variant) else "ATOM"
    return record, _escape(quote(atom_name(variant, atom, naming, last)))


def _escape(text: str) -> str:
    """Keep text from being taken for a field of the template."""
    return text.replace("%", "%%")
