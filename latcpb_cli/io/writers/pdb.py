"""PDB text in strict columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from latcpb_cli.chem.conventions import Naming
from latcpb_cli.chem.modified import modified_residue
from latcpb_cli.chem.naming import atom_name, residue_name
from latcpb_cli.errors import InputError
from latcpb_cli.io.writers.fixed_point import format_fixed
from latcpb_cli.io.writers.frame_writer import FrameInfo, OutputSpec, ResumePoint
from latcpb_cli.io.writers.labels import (
    CHAIN_LETTERS,
    first_lost_number,
    pdb_chain_letters,
    rename_remarks,
    renamed_chains,
    resid_columns,
)
from latcpb_cli.io.writers.part_file import PartFile
from latcpb_cli.io.writers.pdb_records import (
    MAX_SERIAL,
    conect_records,
    link_records,
    modres_records,
    ssbond_records,
)
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace

__all__ = ["PDB_LIMITS", "PdbFormatter", "PdbWriter", "check_pdb_capacity", "check_pdb_topology"]

_MIN_RESID, _MAX_MODELS = -999, 9_999
_SERIAL_COUNT = MAX_SERIAL + 1
"""Serial numbers from 0 on that five columns hold."""
PDB_LIMITS = (-999.999, 9999.999)
"""Lowest and highest coordinate (Å) that fits into eight columns."""
_SERIAL, _RESIDUE, _COORDINATES, _BFACTOR = slice(6, 11), slice(17, 27), slice(30, 54), slice(60, 66)
"""Columns of an ATOM record, from 0: its serial number, its residue, x, y and z, and its B factor."""
_OTHER_FORMAT = "write mmCIF or a trajectory instead, with -o OUT.cif or -o OUT.xtc"


class PdbFormatter:
    """Formats the frames of one topology as PDB records.

    Numbers that the columns cannot hold start again from 0, as GROMACS and
    VMD write them; chains after the 62nd reuse letters. `check_pdb_capacity`
    refuses structures from which the numbers and chains could not be read
    again, and `check_pdb_topology` what not even a topology can hold.

    Parameters
    ----------
    topology : AtomTopology
    naming : {'pdb', 'charmm', 'amber'}
        Whose names residues and atoms get.
    bridges : sequence of (int, int)
        Disulfides.
    """

    def __init__(
        self, topology: AtomTopology, naming: Naming = "pdb", bridges: Sequence[Bridge] = ()
    ) -> None:
        self._topology, self._bridges = topology, bridges
        self._has_modres = naming == "pdb"
        bridged = {residue for pair in bridges for residue in pair}
        self._residue_columns = _residue_columns(topology.trace, naming, bridged)
        stops = np.flatnonzero(np.diff(topology.trace.chain_index[topology.residue], append=-1)) + 1
        atoms = np.arange(len(topology))
        self._serials = atoms + 1 + np.searchsorted(stops, atoms, side="right")  # a TER record has one, too
        records = bytearray(_ascii(_atom_records(topology, naming)))
        self._records = np.frombuffer(records, dtype=np.uint8).reshape(len(topology), -1)
        residues = np.frombuffer(_ascii("".join(self._residue_columns)), dtype=np.uint8)
        self._records[:, _RESIDUE] = residues.reshape(len(topology.trace), -1)[topology.residue]
        self._records[:, _SERIAL] = format_fixed(self._serials % _SERIAL_COUNT, 5)
        self._chains = [
            (slice(start, stop), self._ter_record(stop - 1)) for start, stop in pairwise([0, *stops.tolist()])
        ]

    def format_header(self, positions: Float[np.ndarray, "N 3"], box: Float[np.ndarray, "6"]) -> str:
        """Format the MODRES, SSBOND and LINK records, the last two with bond lengths in this frame."""
        ssbond = ssbond_records(self._topology, self._bridges, self._residue_columns, positions, box)
        link = link_records(self._topology, self._residue_columns, positions)
        modres = modres_records(self._topology, self._residue_columns) if self._has_modres else ""
        return modres + ssbond + link

    def format_footer(self) -> str:
        """Format the CONECT records."""
        return conect_records(self._topology, self._bridges, self._serials)

    def format_frame(
        self, positions: Float[np.ndarray, "N 3"], bfactors: Float[np.ndarray, "N"] | None = None
    ) -> bytes:
        """Format the ATOM and TER records of one frame.

        Parameters
        ----------
        positions : numpy.ndarray, shape (N, 3)
            In Å, within -999.999 to 9999.999.
        bfactors : numpy.ndarray, shape (N,), or None
            0 by default.

        Returns
        -------
        bytes
        """
        records = self._records.copy()
        records[:, _COORDINATES] = format_fixed(positions, 8, 3).reshape(len(records), -1)
        if bfactors is not None:
            records[:, _BFACTOR] = format_fixed(np.clip(bfactors, -99.99, 999.99), 6, 2)
        return b"".join(part for atoms, ter in self._chains for part in (records[atoms].tobytes(), ter))

    def _ter_record(self, atom: int) -> bytes:
        """Format the TER record after the last atom of a chain."""
        serial = (self._serials[atom] + 1) % _SERIAL_COUNT
        columns = self._residue_columns[self._topology.residue[atom]]
        return _ascii(f"TER   {serial:5d}      {columns}\n")

    @staticmethod
    def fits(positions: Float[np.ndarray, "N 3"]) -> bool:
        """Return whether all coordinates fit into eight columns."""
        return bool(positions.min() > PDB_LIMITS[0] and positions.max() < PDB_LIMITS[1])

    @staticmethod
    def format_box(box: Float[np.ndarray, "6"]) -> str:
        """Format a CRYST1 record; empty where there is no box."""
        if not box[:3].any():
            return ""
        return "CRYST1{:9.3f}{:9.3f}{:9.3f}{:7.2f}{:7.2f}{:7.2f} P 1           1\n".format(*box.tolist())

    @staticmethod
    def format_remarks(lines: Sequence[str]) -> str:
        """Format REMARK 999 records, cut at column 80."""
        return "".join(f"REMARK 999 {line}"[:80].rstrip() + "\n" for line in lines)


class PdbWriter:
    """A PDB file, with MODEL records where it holds more than one frame.

    Parameters
    ----------
    part : PartFile
    topology : AtomTopology
    spec : OutputSpec
    resume : ResumePoint, optional
        What the file holds already.
    """

    def __init__(
        self,
        part: PartFile,
        topology: AtomTopology,
        spec: OutputSpec,
        resume: ResumePoint | None = None,
    ) -> None:
        self._part, self._topology, self._spec = part, topology, spec
        self._n_models = 0
        self._formatter: PdbFormatter | None = None
        if resume is not None:
            self._n_models = resume.n_structures
            self._formatter = PdbFormatter(topology, spec.naming, resume.bridges)
        if not part.size:
            renamed = renamed_chains(topology.trace, pdb_chain_letters(topology.trace))
            self._write(PdbFormatter.format_remarks([*spec.remarks, *rename_remarks(renamed)]))

    def write(
        self, positions: Float[np.ndarray, "N 3"], bfactors: Float[np.ndarray, "N"] | None, info: FrameInfo
    ) -> None:
        """Append one frame; the disulfides of the first frame are those of the file."""
        if not PdbFormatter.fits(positions):
            raise InputError(
                f"frame {info.frame}: coordinates beyond -999 to 9999 Å do not fit into a PDB file",
                _OTHER_FORMAT,
            )
        if self._formatter is None:
            self._formatter = PdbFormatter(self._topology, self._spec.naming, info.bridges)
            self._write(self._formatter.format_header(positions, info.box))
        formatter = self._formatter
        before, after = formatter.format_box(info.box), b""
        if self._spec.n_structures > 1:
            self._n_models += 1
            remark = f"FRAME {info.frame} SAMPLE {info.sample} TIME {info.time:.3f} PS"
            before = formatter.format_remarks([remark]) + before + f"MODEL     {self._n_models:4d}\n"
            after = b"ENDMDL\n"
        self._part.write(_ascii(before) + formatter.format_frame(positions, bfactors) + after)

    def flush(self) -> None:
        """Do nothing: every frame is written at once."""

    def finish(self) -> None:
        """Write the last records."""
        footer = "" if self._formatter is None else self._formatter.format_footer()
        self._write(footer + "END\n")

    def close(self) -> None:
        """Do nothing: only the part file is open."""

    def _write(self, text: str) -> None:
        self._part.write(_ascii(text))


def _ascii(text: str) -> bytes:
    return text.encode("ascii", errors="replace")


def check_pdb_capacity(topology: AtomTopology, n_models: int) -> None:
    """Raise where a PDB file cannot hold an output.

    Parameters
    ----------
    topology : AtomTopology
    n_models : int

    Raises
    ------
    InputError
        There are too many atoms, models or chains, or a residue number that
        cannot be counted back from four columns.
    """
    trace = topology.trace
    n_chains = int(trace.chain_index[-1]) + 1
    n_serials = len(topology) + n_chains
    lost = first_lost_number(trace)
    number = "" if lost is None else f"residue number {trace.resids[lost]} of {trace.labels[lost]}"
    for what, wrong in (
        (f"{n_serials:,} atom and TER records, a PDB file holds {MAX_SERIAL:,}", n_serials > MAX_SERIAL),
        (f"{n_models:,} models, a PDB file holds {_MAX_MODELS:,}", n_models > _MAX_MODELS),
        (f"{n_chains} chains, a PDB file names {len(CHAIN_LETTERS)}", n_chains > len(CHAIN_LETTERS)),
        (f"{number}, a PDB file has four columns for it", lost is not None),
    ):
        if wrong:
            raise InputError(f"the result does not fit into a PDB file: {what}", _OTHER_FORMAT)
    _check_lowest_number(trace, _OTHER_FORMAT)


def check_pdb_topology(trace: CGTrace) -> None:
    """Raise where a PDB file cannot even be the topology of a trajectory.

    Parameters
    ----------
    trace : CGTrace

    Raises
    ------
    InputError
        There is a residue number of five columns that is negative.
    """
    _check_lowest_number(trace, "write the topology as mmCIF, with --topology cif")


def _check_lowest_number(trace: CGTrace, hint: str) -> None:
    lowest = int(trace.resids.argmin())
    if trace.resids[lowest] < _MIN_RESID:
        number = f"{trace.resids[lowest]} of {trace.labels[lowest]}"
        raise InputError(f"residue number {number}, a PDB file has four columns for it", hint)


def _residue_columns(trace: CGTrace, naming: Naming, bridged: set[int]) -> list[str]:
    """Format columns 18 to 27 for each residue: its name, chain, number and insertion code."""
    letters, numbers = pdb_chain_letters(trace), resid_columns(trace.resids)
    labels = zip(trace.names, *(x.tolist() for x in (trace.chain_index, numbers, trace.icodes)), strict=True)
    columns = []
    starts: dict[tuple[str, int, bool], str] = {}
    for index, (name, chain, resid, icode) in enumerate(labels):
        form = name, chain, index in bridged
        if form not in starts:
            shown = residue_name(name, naming, form[2])
            starts[form] = f"{shown:>3s}{letters[chain].rjust(5 - max(len(shown), 3))}"
        columns.append(f"{starts[form]}{resid:4d}{icode:1.1s}")
    return columns


def _atom_records(topology: AtomTopology, naming: Naming) -> str:
    """Format the ATOM records of all atoms, without serial numbers, residues and coordinates."""
    variants, last = topology.trace.names, topology.trace.ends_chain().tolist()
    starts = np.flatnonzero(np.diff(topology.residue, prepend=-1))
    columns = topology.residue[starts], starts, np.append(starts[1:], len(topology))
    names, width = topology.names.tobytes(), topology.names.itemsize
    parts: list[str] = []
    forms: dict[tuple[str, bool, bytes], str] = {}  # by what the records of a residue depend on
    for residue, start, stop in zip(*(column.tolist() for column in columns), strict=True):
        form = variants[residue], last[residue], names[width * start : width * stop]
        if form not in forms:
            columns_of_atoms = topology.names[start:stop].tolist(), topology.elements[start:stop].tolist()
            atoms = zip(*columns_of_atoms, strict=True)
            forms[form] = "".join(_atom_record(form[0], *atom, naming, form[1]) for atom in atoms)
        parts.append(forms[form])
    return "".join(parts)


def _atom_record(variant: str, atom: str, element: str, naming: Naming, last: bool) -> str:
    """Format an ATOM record without serial number, residue and coordinates."""
    record = "HETATM" if naming == "pdb" and modified_residue(variant) else "ATOM  "
    name = atom_name(variant, atom, naming, last)
    # Names of one-letter elements begin in the second of four columns.
    columns = f" {name:<3s}" if len(name) < 4 else name
    return f"{record}{'':5s} {columns} {'':10s}   {'':24s}  1.00  0.00          {element:>2s}  \n"
