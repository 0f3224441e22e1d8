"""Which format is read by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from latcpb_cli.errors import InputError
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.cif import CifFile
from latcpb_cli.io.readers.frames import FrameFile, Trajectory
from latcpb_cli.io.readers.gro import GroFile
from latcpb_cli.io.readers.gsd import GsdFile
from latcpb_cli.io.readers.hdf import HdfFile
from latcpb_cli.io.readers.input_file import InputFile, open_input
from latcpb_cli.io.readers.lammps_dump import DumpFile
from latcpb_cli.io.readers.mda import MdaFile
from latcpb_cli.io.readers.mda_topology import data_options, read_atoms
from latcpb_cli.io.readers.mdcrd import MdcrdFile
from latcpb_cli.io.readers.pdb import PdbFile
from latcpb_cli.io.readers.xdr import XdrFile
from latcpb_cli.options import FrameWindow

__all__ = ["STRUCTURES", "TOPOLOGIES", "TRAJECTORIES", "open_frames", "open_inputs", "read_topology"]

_OwnReader = PdbFile | CifFile | GroFile | GsdFile | HdfFile
_OWN: dict[str, Callable[[InputFile], _OwnReader]] = {
    **dict.fromkeys((".pdb", ".ent"), PdbFile),
    **dict.fromkeys((".cif", ".mmcif"), CifFile),
    ".gro": GroFile,
    ".gsd": GsdFile,
    **dict.fromkeys((".h5", ".hdf5", ".h5md"), HdfFile),
}
_DUMPS = (".lammpstrj", ".lammpsdump", ".dump")
_AMBER_TEXT = (".mdcrd", ".crdbox", ".trj")
_MDA_STRUCTURES = (".data", ".lmp", ".crd", ".pqr", ".mol2", ".pdbqt", ".dms", ".xyz")

STRUCTURES = (*_OWN, *_MDA_STRUCTURES)
"""Formats that name their atoms and hold positions: they can stand alone."""
TOPOLOGIES = (".psf", ".prmtop", ".parm7", ".top", ".tpr")
"""Formats that name atoms and hold no positions."""
TRAJECTORIES = (
    ".xtc", ".trr", ".dcd", ".nc", ".ncdf", *_DUMPS, *_AMBER_TEXT, ".inpcrd", ".rst7", ".restrt", ".coor",
    ".namdbin", ".trz", ".tng",
)  # fmt: skip
"""Formats that hold positions only and need a topology."""
_COMMON = ".pdb .cif .gro .gsd .h5 .data .psf .prmtop; .xtc .trr .dcd .nc .lammpstrj .mdcrd"


def open_inputs(paths: Sequence[Path]) -> dict[Path, InputFile]:
    """Open files, each of them once, and refuse suffixes that no reader knows.

    Raises
    ------
    InputError
    """
    opened = {path: open_input(path) for path in dict.fromkeys(paths)}
    for path, file in opened.items():
        if file.suffix not in (*STRUCTURES, *TOPOLOGIES, *TRAJECTORIES):
            raise InputError(
                f"{path}: unknown format '{file.suffix}'",
                f"latcpb reads {_COMMON} and a few more, also as .gz",
            )
    return opened


def read_topology(file: InputFile) -> AtomTable:
    """Read the atoms that a file names.

    Raises
    ------
    InputError
    """
    suffix = file.suffix
    reader = _own_reader(file)
    nameless = isinstance(reader, HdfFile) and not reader.names_atoms
    if suffix in TRAJECTORIES or nameless:
        raise InputError(
            f"{file.path}: a trajectory does not say which residues it holds",
            "give a structure of the same beads with --top",
        )
    table = reader.atoms() if reader is not None else read_atoms(file)
    if not len(table):
        raise InputError(f"{file.path}: no atoms in it", "is it of the format that its suffix says?")
    return table


def open_frames(files: Sequence[InputFile], window: FrameWindow, n_atoms: int) -> Trajectory:
    """Open the trajectories; a cut one may be used up to where it is whole.

    Parameters
    ----------
    files : sequence of InputFile
    window : FrameWindow
    n_atoms : int
        Atoms of the topology, for formats that do not count them.
    """
    frames = [_open(file, n_atoms) for file in files]
    for file in frames:
        if file.n_frames < 1:
            raise InputError(f"{file.path}: no whole frame", "the file is truncated; copy it again")
        if file.n_atoms != frames[0].n_atoms:
            raise InputError(
                f"{file.path}: {file.n_atoms} atoms, {frames[0].path}: {frames[0].n_atoms}",
                "all trajectories must hold the same atoms",
            )
        if file.truncated and (file is not frames[-1] or window.open_ended):
            raise InputError(
                f"{file.path}: truncated after {file.n_frames} whole frames",
                f"copy it again, or use what is there with --frames 0:{file.n_frames}",
            )
    return Trajectory(frames)


def _own_reader(file: InputFile) -> _OwnReader | None:
    """Reader of a file that may be topology and trajectory at once: it is looked through only once."""
    if file.suffix in _OWN and not file.readers:
        file.readers.append(_OWN[file.suffix](file))
    return file.readers[0] if file.readers else None


def _open(file: InputFile, n_atoms: int) -> FrameFile:
    suffix = file.suffix
    if suffix in TOPOLOGIES:
        raise InputError(
            f"{file.path}: a topology holds no positions", "give it with --top, and a trajectory beside it"
        )
    reader = _own_reader(file)
    if reader is not None:
        return reader
    if suffix in (".xtc", ".trr"):
        return XdrFile(file)
    if suffix in _DUMPS:
        return DumpFile(file)
    return MdcrdFile(file, n_atoms) if suffix in _AMBER_TEXT else MdaFile(file, n_atoms, **data_options(file))
