"""The files and folders of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.evaluation.bead_reference import BeadReference
from latcpb_cli.evaluation.evaluate import MethodInput
from latcpb_cli.evaluation.measured import StructureInput
from latcpb_cli.io.all_atom import open_all_atom
from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import FrameWindow, ReadOptions

__all__ = ["BeadFiles", "EvaluationFiles", "open_columns", "structure_name"]

_COMPRESSED = (".gz", ".bz2", ".xz")
_STRUCTURES = (".pdb", ".ent", ".cif", ".mmcif", ".gro")
"""Suffixes of the files that are read of a folder."""
_MAX_LISTED = 3


@dataclass(frozen=True)
class BeadFiles:
    """The coarse-grained input that structures were built from.

    Attributes
    ----------
    path : pathlib.Path
    top : pathlib.Path or None
        Names the beads of a trajectory.
    reading : ReadOptions
        Which beads they are; the frames are those of the other files.
    """

    path: Path
    top: Path | None = None
    reading: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True)
class EvaluationFiles:
    """What the user names.

    Attributes
    ----------
    reference : pathlib.Path or None
        A file or a folder.
    methods : tuple of pathlib.Path
        Files, or folders where the reference is one.
    names : tuple of str
        Of the methods; empty for those of their files.
    reference_top : pathlib.Path or None
    method_tops : tuple of pathlib.Path
        None, one for all methods, or one for each.
    samples : int or None
    window : FrameWindow
    selection : str or None
    beads : BeadFiles or None
        Beads that the structures of all methods should have.
    """

    reference: Path | None
    methods: tuple[Path, ...]
    names: tuple[str, ...] = ()
    reference_top: Path | None = None
    method_tops: tuple[Path, ...] = ()
    samples: int | None = None
    window: FrameWindow = field(default_factory=FrameWindow)
    selection: str | None = None
    beads: BeadFiles | None = None

    def __post_init__(self) -> None:
        if self.names and len(self.names) != len(self.methods):
            raise UsageError(
                f"{len(self.names)} names for {len(self.methods)} structures",
                "give --name once for each structure after the reference",
            )
        if len(self.method_tops) > 1 and len(self.method_tops) != len(self.methods):
            raise UsageError(
                f"{len(self.method_tops)} topologies for {len(self.methods)} structures",
                "give --gen-top once for all of them, or once for each",
            )
        if (self.samples or 1) > 1 and self.window != FrameWindow():
            raise UsageError("--samples excludes a choice of frames", "evaluate all frames")
        paths = self.methods if self.reference is None else (self.reference, *self.methods)
        if len({path.is_dir() for path in paths}) > 1:
            raise UsageError("files and folders together", "give files only, or folders only")
        if self.beads is not None and self.methods[0].is_dir():
            raise UsageError("--beads is for files, not for folders", "give one structure or trajectory")


@dataclass(frozen=True)
class _Topology:
    """A file that names the atoms of others, and the option that gives it, for hints."""

    path: Path | None
    option: str


def open_columns(files: EvaluationFiles) -> tuple[MethodInput | None, list[MethodInput]]:
    """Open the reference and the methods.

    Of folders, files of one name belong together; those without a partner are left
    out, with a note.

    Returns
    -------
    reference : MethodInput or None
    methods : list of MethodInput

    Raises
    ------
    InputError
        A file cannot be read, or no files of two folders belong together.
    UsageError
        The selection is not understood.
    """
    tops = files.method_tops * len(files.methods) if len(files.method_tops) == 1 else files.method_tops
    listed = [_list_files(path) for path in files.methods]
    names = files.names or _column_names(files.methods)
    reference = None
    notes: list[list[str]] = [[] for _ in files.methods]
    if files.reference is not None:
        natives = _list_files(files.reference)
        if files.reference.is_dir():
            for column, path, lines in zip(listed, files.methods, notes, strict=True):
                _keep_common(column, path, natives, files.reference, lines)
            used = set().union(*listed)
            natives = {name: path for name, path in natives.items() if name in used}
        top = _Topology(files.reference_top, "--ref-top")
        opened = tuple(_open(name, path, top, files) for name, path in natives.items())
        reference = MethodInput("reference", opened)
    methods = []
    for index, (name, column) in enumerate(zip(names, listed, strict=True)):
        structures, failures = _open_all(column, _Topology(tops[index] if tops else None, "--gen-top"), files)
        methods.append(MethodInput(name, structures, files.samples, tuple(notes[index]), failures))
    return reference, methods if files.beads is None else _with_beads(methods, files.beads, files)


def _with_beads(methods: list[MethodInput], beads: BeadFiles, files: EvaluationFiles) -> list[MethodInput]:
    """Give all structures the beads that they should have."""
    source = open_source([beads.path], beads.top, replace(beads.reading, window=files.window))
    return [
        replace(
            method,
            structures=tuple(
                replace(
                    part,
                    beads=BeadReference.for_structures(source, part.label, part.atoms, files.samples),
                )
                for part in method.structures
            ),
        )
        for method in methods
    ]


def _list_files(path: Path) -> dict[str, Path]:
    """The structures of a folder by name, or the one file."""
    if not path.is_dir():
        return {structure_name(path): path}
    found = {
        structure_name(file): file
        for file in sorted(path.iterdir())
        if file.is_file() and _suffix(file) in _STRUCTURES and not file.name.endswith(".top.pdb")
    }
    if not found:
        raise InputError(f"{path}: no structure in this folder", f"it reads {' '.join(_STRUCTURES)}")
    return found


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix.lower() if path.suffix.lower() in _COMPRESSED else path.suffix.lower()


def structure_name(path: Path) -> str:
    """Return the name of a file without its suffixes."""
    name = path.stem if path.suffix.lower() in _COMPRESSED else path.name
    return Path(name).stem


def _keep_common(
    column: dict[str, Path], path: Path, natives: dict[str, Path], folder: Path, notes: list[str]
) -> None:
    """Leave out files of a method without a reference; note these, and references without a file."""
    extra = [name for name in column if name not in natives]
    absent = [name for name in natives if name not in column]
    if len(extra) == len(column):
        raise InputError(
            f"no file of {path} has the name of one of {folder}", f"{folder} has {_some(list(natives))}"
        )
    if extra:
        notes.append(f"{path}: no reference for {_some(extra)}")
    if absent:
        notes.append(f"{path}: nothing for {len(absent)} of {len(natives)} references: {_some(absent)}")
    for name in extra:
        del column[name]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MAX_LISTED
    return ", ".join(names[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


def _column_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Names of the files, or their paths where two have one name."""
    names = [path.name if path.is_dir() else structure_name(path) for path in paths]
    if len(set(names)) == len(names) and "reference" not in names:
        return tuple(names)
    return tuple(str(path) for path in paths)


def _open_all(
    structures: dict[str, Path], top: _Topology, files: EvaluationFiles
) -> tuple[tuple[StructureInput, ...], tuple[str, ...]]:
    """Open the files of a method; return what is wrong with those of several that cannot be read."""
    opened, failures = [], []
    for name, path in structures.items():
        try:
            opened.append(_open(name, path, top, files))
        except InputError as error:
            failures.append(error.message)
            if len(failures) == len(structures):
                raise
    return tuple(opened), tuple(failures)


def _open(name: str, path: Path, top: _Topology, files: EvaluationFiles) -> StructureInput:
    source = open_all_atom(path, top.path, files.window, files.selection, top.option)
    paths = tuple(str(used) for used in source.paths)
    return StructureInput(name, str(path), paths, source, source.frame_numbers, source.left_out)
