"""Which class reads which format, and the files of one input.

Most readers need MDAnalysis or another large library. A reader is imported when it opens its first file, so
that a PDB file needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.frames import FrameFile, StructureFile, Trajectory
from latcpb_cli.io.readers.gsd import GsdFile
from latcpb_cli.io.readers.input_file import InputFile, open_input
from latcpb_cli.io.readers.pdb import PdbFile
from latcpb_cli.read_options import FrameWindow

__all__ = ["InputFiles", "OptionNames"]

_ASSEMBLIES = tuple(f".pdb{number}" for number in range(1, 10))
"""PDB files of a biological assembly."""


def _open_cif(file: InputFile) -> StructureFile:
    from latcpb_cli.io.readers.cif import CifFile

    return CifFile(file)


def _open_gro(file: InputFile) -> StructureFile:
    from latcpb_cli.io.readers.gro import GroFile

    return GroFile(file)


def _open_hdf(file: InputFile) -> StructureFile:
    from latcpb_cli.io.readers.hdf import HdfFile

    return HdfFile(file)


_STRUCTURE_FILES: dict[str, Callable[[InputFile], StructureFile]] = {
    **dict.fromkeys((".pdb", ".ent", *_ASSEMBLIES), PdbFile),
    **dict.fromkeys((".cif", ".mmcif"), _open_cif),
    ".gro": _open_gro,
    ".gsd": GsdFile,
    **dict.fromkeys((".h5", ".hdf5", ".h5md"), _open_hdf),
}
_XDR = (".xtc", ".trr")
_DUMPS = (".lammpstrj", ".lammpsdump", ".dump")
_AMBER_TEXT = (".mdcrd", ".crdbox", ".trj", ".x")

_MDA_STRUCTURES = (".data", ".lmp", ".crd", ".pqr", ".mol2", ".pdbqt", ".dms", ".xyz")
_STRUCTURES = (*_STRUCTURE_FILES, *_MDA_STRUCTURES)
"""Formats that name their atoms and hold positions: they can be the only file."""
_TOPOLOGIES = (".psf", ".prmtop", ".parm7", ".top", ".tpr")
"""Formats that name atoms and hold no positions."""
_TRAJECTORIES = (
    *_XDR, ".dcd", ".nc", ".ncdf", *_DUMPS, *_AMBER_TEXT, ".inpcrd", ".rst7", ".restrt", ".coor", ".namdbin",
    ".trz", ".tng",
)  # fmt: skip
"""Formats that hold positions only and need a topology."""
_KNOWN = frozenset((*_STRUCTURES, *_TOPOLOGIES, *_TRAJECTORIES))
_BINARY = (
    *_XDR, ".gsd", ".h5", ".hdf5", ".h5md", ".dms", ".tpr", ".dcd", ".nc", ".ncdf", ".coor", ".namdbin",
    ".trz", ".tng",
)  # fmt: skip
"""Formats that are no text."""
_COMMON = ".pdb .cif .gro .gsd .h5 .data .psf .prmtop; .xtc .trr .dcd .nc .lammpstrj .mdcrd"


@dataclass(frozen=True)
class OptionNames:
    """Options of a command that hints name; "" for those that it does not have."""

    top: str = "--top"
    sequence: str = "--sequence"
    format: str = "--format"


_OPTION_NAMES = OptionNames()


class InputFiles:
    """The files of one input; a file that is topology and trajectory at once is scanned only once.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        A file that is listed twice counts once.
    formats : mapping of pathlib.Path to str, optional
        Formats, such as ``pdb``, of files whose suffixes are missing or wrong.
    option_names : OptionNames, optional
        For hints.

    Raises
    ------
    InputError
        A file cannot be opened, or has a suffix that no reader knows.
    UsageError
        A format is not known.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        formats: Mapping[Path, str] = MappingProxyType({}),
        option_names: OptionNames = _OPTION_NAMES,
    ) -> None:
        suffixes = {path: _format_suffix(name) for path, name in formats.items()}
        self._options = option_names
        self._files = {
            path: _open_known(path, suffixes.get(path), option_names.format) for path in dict.fromkeys(paths)
        }
        self._structure_files: dict[Path, StructureFile] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """Each file once, in the order given."""
        return tuple(self._files)

    def names_atoms(self, path: Path) -> bool:
        """Return whether a file names the residues that it holds."""
        file = self._files[path]
        reader = self._structure_file(file)
        nameless = reader is not None and not reader.names_atoms
        return file.suffix not in _TRAJECTORIES and not nameless

    def frame_file(self, path: Path) -> FrameFile | None:
        """Return the reader of a file that names its atoms and holds frames, None for any other file."""
        return self._structure_files.get(path)

    def read_topology(self, path: Path) -> AtomTable:
        """Read the atoms that a file names.

        Raises
        ------
        InputError
            The file names no atoms, or is damaged.
        """
        file = self._files[path]
        reader = self._structure_file(file)
        if not self.names_atoms(path):
            alone = f", or the sequences of its Cα with {self._options.sequence}"
            raise InputError(
                f"{path}: a trajectory does not name the residues that it holds",
                f"give a structure of the same atoms with {self._options.top}"
                f"{alone if self._options.sequence else ''}",
            )
        if reader is None:
            from latcpb_cli.io.readers.mda_topology import read_mda_atoms

            atoms = read_mda_atoms(file)
        else:
            atoms = reader.read_atoms()
        if not len(atoms):
            raise InputError(f"{path}: no atoms in it", "is it in the format of its suffix?")
        return atoms

    def open_trajectory(self, paths: Sequence[Path], window: FrameWindow, n_atoms: int) -> Trajectory:
        """Open files as one trajectory.

        Parameters
        ----------
        paths : sequence of pathlib.Path
        window : FrameWindow
            The last file may be truncated if the window ends before that.
        n_atoms : int
            Atoms of the topology, for formats that do not hold their number.

        Returns
        -------
        Trajectory

        Raises
        ------
        InputError
            A file is damaged, holds no frame, or other atoms than the first file.
        """
        frames = [self._open_frames(self._files[path], n_atoms) for path in paths]
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

    def _structure_file(self, file: InputFile) -> StructureFile | None:
        """Return the reader of a format that latcpb reads itself as topology and trajectory."""
        if file.suffix in _STRUCTURE_FILES and file.path not in self._structure_files:
            reader = self._structure_files[file.path] = _STRUCTURE_FILES[file.suffix](file)
            if file.suffix in _ASSEMBLIES and reader.n_frames > 1:
                as_frames = f", or read its models as frames with {self._options.format} pdb"
                raise InputError(
                    f"{file.path}: the {reader.n_frames} models of an assembly are one structure, not frames",
                    f"fetch the assembly as mmCIF{as_frames if self._options.format else ''}",
                )
        return self._structure_files.get(file.path)

    def _open_frames(self, file: InputFile, n_atoms: int) -> FrameFile:
        if file.suffix in _TOPOLOGIES:
            raise InputError(
                f"{file.path}: a topology holds no positions",
                f"give it with {self._options.top}, and a trajectory beside it",
            )
        reader = self._structure_file(file)
        if reader is not None:
            return reader
        if file.suffix in _MDA_STRUCTURES:
            from latcpb_cli.io.readers.mda_topology import MdaStructureFile

            reader = self._structure_files[file.path] = MdaStructureFile(file, n_atoms)
            return reader
        return _open_trajectory_file(file, n_atoms)


def _open_trajectory_file(file: InputFile, n_atoms: int) -> FrameFile:
    """Open a file that holds positions only."""
    if file.suffix in _XDR:
        from latcpb_cli.io.readers.xdr import XdrFile

        return XdrFile(file)
    if file.suffix in _DUMPS:
        from latcpb_cli.io.readers.lammps_dump import DumpFile

        return DumpFile(file)
    if file.suffix in _AMBER_TEXT:
        from latcpb_cli.io.readers.mdcrd import MdcrdFile

        return MdcrdFile(file, n_atoms)
    from latcpb_cli.io.readers.mda import MdaFile

    return MdaFile(file, n_atoms)


def _format_suffix(name: str) -> str:
    """Return the suffix of a format that the user names, with or without its dot."""
    suffix = f".{name.strip().lower().removeprefix('.')}"
    if suffix not in _KNOWN:
        raise UsageError(f"--format {name}: unknown format", f"choose from {_COMMON}")
    return suffix


def _open_known(path: Path, suffix: str | None, format_option: str) -> InputFile:
    """Open a file whose format is given, or known from its name."""
    file = open_input(path, suffix)
    if file.suffix not in _KNOWN:
        way_out = f"name it with {format_option}, or rename it" if format_option else "rename it"
        what = f"unknown format '{file.suffix}'" if file.suffix else "its name has no suffix, so no format"
        raise InputError(
            f"{path}: {what}",
            f"{way_out}; latcpb reads {_COMMON} and a few more, also as .gz",
        )
    return file if file.suffix in _BINARY else file.as_plain_text()
