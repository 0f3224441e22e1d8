"""PDB text in strict columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.chem.conventions import Naming
from latcpb_cli.chem.modified import modified_residue
from latcpb_cli.chem.naming import atom_name, residue_name
from latcpb_cli.errors import InputError
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
_TER = "TER   %5d      \0\n"
"""With a % field for the serial number, and a null character in the place of the residue's columns."""
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
        self._n_atoms = len(topology)
        self._has_modres = naming == "pdb"
        bridged = {residue for pair in bridges for residue in pair}
        self._residue_columns = _residue_columns(topology.trace, naming, bridged)
        self._template, self._serials = _template(topology, naming, self._residue_columns)

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
    ) -> str:
        """Format the ATOM and TER records of one frame.

        Parameters
        ----------
        positions : numpy.ndarray, shape (N, 3)
            In Å, within -999.999 to 9999.999.
        bfactors : numpy.ndarray, shape (N,), or None
            0 by default.

        Returns
        -------
        str
        """
        values = np.zeros((self._n_atoms, 4))
        values[:, :3] = positions
        if bfactors is not None:
            values[:, 3] = np.clip(bfactors, -99.99, 999.99)
        return self._template % tuple(values.ravel().tolist())

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
        before, after = formatter.format_box(info.box), ""
        if self._spec.n_structures > 1:
            self._n_models += 1
            remark = f"FRAME {info.frame} SAMPLE {info.sample} TIME {info.time:.3f} PS"
            before = formatter.format_remarks([remark]) + before + f"MODEL     {self._n_models:4d}\n"
            after = "ENDMDL\n"
        self._write(before + formatter.format_frame(positions, bfactors) + after)

    def flush(self) -> None:
        """Do nothing: every frame is written at once."""

    def finish(self) -> None:
        """Write the last records."""
        footer = "" if self._formatter is None else self._formatter.format_footer()
        self._write(footer + "END\n")

    def close(self) -> None:
        """Do nothing: only the part file is open."""

    def _write(self, text: str) -> None:
        self._part.write(text.encode("ascii", errors="replace"))


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
    number = "" if lost is None else f"residue number {trace.resids[lost]} of {trace.label(lost)}"
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
        number = f"{trace.resids[lowest]} of {trace.label(lowest)}"
        raise InputError(f"residue number {number}, a PDB file has four columns for it", hint)


def _residue_columns(trace: CGTrace, naming: Naming, bridged: set[int]) -> list[str]:
    """Format columns 18 to 27 for each residue: its name, chain, number and insertion code."""
    letters, numbers = pdb_chain_letters(trace), resid_columns(trace.resids)
    labels = zip(*(x.tolist() for x in (trace.chain_index, numbers, trace.icodes)), strict=True)
    columns = []
    for index, (chain, resid, icode) in enumerate(labels):
        name = residue_name(trace.name(index), naming, index in bridged)
        chain_letter = letters[chain].rjust(5 - max(len(name), 3))
        columns.append(f"{name:>3s}{chain_letter}{resid:4d}{icode:1.1s}")
    return columns


def _template(
    topology: AtomTopology, naming: Naming, residue_columns: Sequence[str]
) -> tuple[str, Int[np.ndarray, "N"]]:
    """Format a frame with % fields for x, y, z and B of each atom; list the serial numbers of the atoms."""
    trace = topology.trace
    escaped = [columns.replace("%", "%%%%") for columns in residue_columns]  # for two times of formatting
    names, elements, last = topology.names.tolist(), topology.elements.tolist(), trace.ends_chain().tolist()
    ends_chain = np.diff(trace.chain_index[topology.residue], append=-1) != 0
    starts = np.flatnonzero(np.diff(topology.residue, prepend=-1))
    residues, stops = topology.residue[starts].tolist(), [*starts[1:].tolist(), len(topology)]
    parts: list[str] = []
    for residue, start, stop in zip(residues, starts.tolist(), stops, strict=True):
        atoms = tuple(names[start:stop]), tuple(elements[start:stop])
        lines = _residue_lines(trace.name(residue), *atoms, naming, last[residue])
        lines += _TER if ends_chain[stop - 1] else ""
        parts.append(lines.replace("\0", escaped[residue]))
    numbers = np.arange(1, len(topology) + int(ends_chain.sum()) + 1)  # of atoms and of the ends of chains
    serials = np.arange(1, len(topology) + 1) + np.cumsum(ends_chain) - ends_chain
    return "".join(parts) % tuple((numbers % _SERIAL_COUNT).tolist()), serials


@cache
def _residue_lines(
    variant: str, atoms: tuple[str, ...], elements: tuple[str, ...], naming: Naming, last: bool
) -> str:
    """Format the ATOM records of a residue, with a null character in the place of its columns."""
    pairs = zip(atoms, elements, strict=True)
    return "".join(_atom_line(variant, atom, element, naming, last) for atom, element in pairs)


def _atom_line(variant: str, atom: str, element: str, naming: Naming, last: bool) -> str:
    """Format an ATOM record with a % field for the serial number, and escaped ones for a frame."""
    record = "HETATM" if naming == "pdb" and modified_residue(variant) else "ATOM  "
    name = atom_name(variant, atom, naming, last)
    # Names of one-letter elements begin in the second of four columns.
    columns = f" {name:<3s}" if len(name) < 4 else name
    return f"{record}%5d {columns} \0   %%8.3f%%8.3f%%8.3f  1.00%%6.2f          {element:>2s}  \n"
