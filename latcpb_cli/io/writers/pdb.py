"""PDB text in strict columns."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np

from latcpb_cli.chem.modified import modified_of
from latcpb_cli.chem.naming import Naming, atom_name, residue_name
from latcpb_cli.errors import InputError
from latcpb_cli.io.writers.frame_writer import FrameInfo, ResumePoint
from latcpb_cli.io.writers.part_file import PartFile
from latcpb_cli.io.writers.pdb_records import conect_records, modres_records, ssbond_records
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace

__all__ = ["PDB_LIMITS", "PdbFormatter", "PdbWriter", "chain_letters", "refuse_too_large"]

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
"""Chain identifiers in the order they are given out: 62 of them."""
_MAX_ATOMS, _MAX_RESID, _MIN_RESID, _MAX_MODELS = 99_999, 9_999, -999, 9_999
PDB_LIMITS = (-999.999, 9999.999)
"""Coordinates (Å) between which eight columns are enough."""
_OTHER_FORMAT = "write a trajectory instead, for instance with -o OUT.xtc"


class PdbFormatter:
    """Formats the frames of one topology as PDB records.

    Numbers that the columns cannot hold start again from 0, the way GROMACS
    and VMD write them; chains past the 62nd reuse the letters.
    `refuse_too_large` keeps both out of files where they would be wrong.

    Parameters
    ----------
    topology : AtomTopology
    naming : {'pdb', 'charmm', 'amber'}
        Whose names residues and atoms get.
    bridges : sequence of tuple of int
        Disulfides.
    """

    def __init__(
        self, topology: AtomTopology, naming: Naming = "pdb", bridges: Sequence[Bridge] = ()
    ) -> None:
        self._topology, self._bridges = topology, bridges
        self._residue = topology.residue
        self._n_atoms = len(topology)
        self._modres = naming == "pdb"
        self._places = _places(topology.trace, naming, {residue for pair in bridges for residue in pair})
        self._template, self._serials = _template(topology, naming, self._places)

    def head(self, positions: np.ndarray, box: np.ndarray) -> str:
        """Format the MODRES and SSBOND records, the latter with the lengths in this frame."""
        ssbond = ssbond_records(self._topology, self._bridges, self._places, positions, box)
        return (modres_records(self._topology, self._places) if self._modres else "") + ssbond

    def foot(self) -> str:
        """Format the CONECT records."""
        return conect_records(self._topology, self._bridges, self._serials)

    def frame(self, positions: np.ndarray, bfactors: np.ndarray | None = None) -> str:
        """Format the ATOM and TER records of one frame.

        Parameters
        ----------
        positions : numpy.ndarray, shape (N, 3)
            In Å, within -999.999 to 9999.999.
        bfactors : numpy.ndarray, shape (L,), or None
            One per residue; 0 by default.

        Returns
        -------
        str
        """
        values = np.zeros((self._n_atoms, 4))
        values[:, :3] = positions
        if bfactors is not None:
            values[:, 3] = np.clip(bfactors[self._residue], -99.99, 999.99)
        return self._template % tuple(values.ravel().tolist())

    @staticmethod
    def fits(positions: np.ndarray) -> bool:
        """Whether all coordinates fit into eight columns."""
        return bool(positions.min() > PDB_LIMITS[0] and positions.max() < PDB_LIMITS[1])

    @staticmethod
    def box(box: np.ndarray) -> str:
        """Format a CRYST1 record; nothing where there is no box."""
        if not box[:3].any():
            return ""
        return "CRYST1{:9.3f}{:9.3f}{:9.3f}{:7.2f}{:7.2f}{:7.2f} P 1           1\n".format(*box.tolist())

    @staticmethod
    def remarks(lines: Sequence[str]) -> str:
        """Format REMARK 999 records, cut at column 80."""
        return "".join(f"REMARK 999 {line}"[:80].rstrip() + "\n" for line in lines)


class PdbWriter:
    """A PDB file, with MODEL records where it holds more than one frame.

    Parameters
    ----------
    part : PartFile
    topology : AtomTopology
    multi_model : bool
    remarks : sequence of str
    naming : {'pdb', 'charmm', 'amber'}
    resume : ResumePoint, optional
        What the file holds already.
    """

    def __init__(
        self,
        part: PartFile,
        topology: AtomTopology,
        multi_model: bool,
        remarks: Sequence[str] = (),
        naming: Naming = "pdb",
        resume: ResumePoint | None = None,
    ) -> None:
        self._part, self._topology, self._naming = part, topology, naming
        self._multi_model, self._models = multi_model, 0
        self._formatter: PdbFormatter | None = None
        if resume is not None:
            self._models = resume.structures
            self._formatter = PdbFormatter(topology, naming, resume.bridges)
        if not part.size:
            self._write(PdbFormatter.remarks(remarks))

    def write(self, positions: np.ndarray, bfactors: np.ndarray | None, info: FrameInfo) -> None:
        """Append one frame; the disulfides of the first are those of the file."""
        if not PdbFormatter.fits(positions):
            raise InputError(
                f"frame {info.frame}: coordinates beyond -999 to 9999 Å do not fit into a PDB file",
                _OTHER_FORMAT,
            )
        if self._formatter is None:
            self._formatter = PdbFormatter(self._topology, self._naming, info.bridges)
            self._write(self._formatter.head(positions, info.box))
        form = self._formatter
        head, tail = form.box(info.box), ""
        if self._multi_model:
            self._models += 1
            what = f"FRAME {info.frame} SAMPLE {info.sample} TIME {info.time:.3f} PS"
            head = form.remarks([what]) + head + f"MODEL     {self._models:4d}\n"
            tail = "ENDMDL\n"
        self._write(head + form.frame(positions, bfactors) + tail)

    def flush(self) -> None:
        """Nothing is held back."""

    def finish(self) -> None:
        """Write the last records."""
        foot = "" if self._formatter is None else self._formatter.foot()
        self._write(foot + "END\n")

    def close(self) -> None:
        """Nothing but the part is open."""

    def _write(self, text: str) -> None:
        self._part.write(text.encode("ascii", errors="replace"))


def chain_letters(trace: CGTrace) -> list[str]:
    """Choose the one-character identifier of each chain.

    Identifiers of the input are kept. A blank one among several chains, one
    of several characters, or one whose residue numbers another chain of the
    same name uses already, gets a letter that is free.

    Parameters
    ----------
    trace : CGTrace

    Returns
    -------
    list of str
        One per chain; " " for a single nameless chain.
    """
    n_chains = int(trace.chain_index[-1]) + 1
    starts = np.searchsorted(trace.chain_index, np.arange(n_chains + 1))
    given = [str(trace.chain_ids[start]).strip() for start in starts[:-1]]
    if n_chains == 1 and not given[0]:
        return [" "]
    free = [letter for letter in LETTERS if letter not in given]
    taken: dict[str, set[tuple[int, str]]] = {}
    letters = []
    for chain, name in enumerate(given):
        span = slice(starts[chain], starts[chain + 1])
        numbers = set(zip(trace.resids[span].tolist(), trace.icodes[span].tolist(), strict=True))
        if len(name) != 1 or numbers & taken.get(name, set()):
            name = free.pop(0) if free else LETTERS[chain % len(LETTERS)]
        taken.setdefault(name, set()).update(numbers)
        letters.append(name)
    return letters


def refuse_too_large(topology: AtomTopology, n_models: int) -> None:
    """Refuse, before anything is run, what a PDB file cannot hold.

    Raises
    ------
    InputError
    """
    trace = topology.trace
    n_chains = int(trace.chain_index[-1]) + 1
    long_names = sorted({str(name) for name in trace.chain_ids if len(str(name).strip()) > 1})
    n_serials = len(topology) + n_chains
    lowest, highest = int(trace.resids.min()), int(trace.resids.max())
    for what, wrong in (
        (f"{n_serials:,} atom and TER records, a PDB file holds {_MAX_ATOMS:,}", n_serials > _MAX_ATOMS),
        (f"{n_models:,} models, a PDB file holds {_MAX_MODELS:,}", n_models > _MAX_MODELS),
        (f"{n_chains} chains, a PDB file names {len(LETTERS)}", n_chains > len(LETTERS)),
        (f"chain identifier '{(long_names or [''])[0]}', a PDB file has one column for it", bool(long_names)),
        (f"residue number {highest}, a PDB file has four columns for it", highest > _MAX_RESID),
        (f"residue number {lowest}, a PDB file has four columns for it", lowest < _MIN_RESID),
    ):
        if wrong:
            raise InputError(f"the result does not fit into a PDB file: {what}", _OTHER_FORMAT)


def _places(trace: CGTrace, naming: Naming, bridged: set[int]) -> list[str]:
    """BeadReader 18 to 27 of each residue: its name, chain, number and insertion code."""
    letters = chain_letters(trace)
    places = []
    for index, (chain, resid) in enumerate(
        zip(trace.chain_index.tolist(), trace.resids.tolist(), strict=True)
    ):
        name = residue_name(trace.name(index), naming, index in bridged)
        place = f"{name:>3s}{letters[chain]:>{5 - max(len(name), 3)}s}{_number(resid)}"
        places.append(place + f"{trace.icodes[index]:1.1s}")
    return places


def _template(topology: AtomTopology, naming: Naming, places: list[str]) -> tuple[str, np.ndarray]:
    """One frame with % places for x, y, z and B of every atom, and the number of each atom."""
    trace = topology.trace
    last_atom = np.flatnonzero(np.diff(np.r_[trace.chain_index[topology.residue], -1]))
    ends, last = set(last_atom.tolist()), ~trace.same_chain_as_next()
    lines, serial, serials = [], 0, []
    for atom, residue in enumerate(topology.residue.tolist()):
        own = trace.name(residue)
        record = "HETATM" if naming == "pdb" and modified_of(own) else "ATOM  "
        name = atom_name(own, str(topology.names[atom]), naming, bool(last[residue]))
        serial += 1
        serials.append(serial)
        lines.append(
            f"{record}{serial % 100_000:5d} {_padded(name)} {places[residue]}"
            f"   %8.3f%8.3f%8.3f  1.00%6.2f          {topology.elements[atom]:>2s}  \n"
        )
        if atom in ends:
            serial += 1
            lines.append(f"TER   {serial % 100_000:5d}      {places[residue]}\n")
    return "".join(lines), np.array(serials)


def _number(resid: int) -> str:
    return f"{resid if resid < 0 else resid % 10_000:4d}"[-4:]


def _padded(name: str) -> str:
    """Atom names of one-letter elements begin in the second of four columns."""
    return f" {name:<3s}" if len(name) < 4 else name
