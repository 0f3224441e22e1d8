"""The files of a run, checked and reserved before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.errors import InputError, OutputError, OutputExistsError, UsageError
from latcpb_cli.io.source import Source
from latcpb_cli.io.writers.atom_writer import (
    OUTPUT_SUFFIXES,
    STRUCTURE_SUFFIXES,
    coordinate_limits,
    output_files,
)
from latcpb_cli.io.writers.pdb import PDB_LIMITS, check_pdb_capacity, check_pdb_topology
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.journal import Journal
from latcpb_cli.structure import AtomTopology, CGTrace, FrameChunk

__all__ = ["OutputPlan"]

_MAX_CA_DISTANCE = 12.0
"""No atom of a residue is farther (Å) from its Cα than this."""
_FRAMES_PER_CHUNK = 64

_MAX_NAME_BYTES = 255
"""Of a file name on the usual file systems."""
_LONGEST_SUFFIX = ".report.json.residues.part"


@dataclass(frozen=True, eq=False)
class OutputPlan:
    """Which files a run writes.

    Attributes
    ----------
    output : pathlib.Path
        ``.pdb``, ``.cif``, ``.xtc``, ``.dcd`` or ``.trr``; a trajectory gets a topology beside it.
    files : tuple of pathlib.Path
        Everything that the run writes, the main output first.
    report : bool
        Whether a clash report is written.
    journal : Journal
        Locked for this process.
    """

    output: Path
    files: tuple[Path, ...]
    report: bool
    journal: Journal

    @classmethod
    @contextmanager
    def reserve(
        cls, output: Path | str, options: BackmapOptions, inputs: Sequence[Path] = ()
    ) -> Iterator[OutputPlan]:
        """Refuse an output that is not possible, and keep other runs away from it.

        Parameters
        ----------
        output : pathlib.Path or str
        options : BackmapOptions
        inputs : sequence of pathlib.Path
            Files that must never be replaced.

        Raises
        ------
        UsageError
            The format is not possible, or a file is an input.
        OutputError
            The folder or the name is not possible, or another run writes this output.
        OutputExistsError
            One of the files is there already. With ``options.resume``, that is left to
            `refuse_existing`, since a run that is complete may have made them.
        """
        path = Path(output)
        _check_name(str(output), path)
        sources = {os.path.realpath(source) for source in (*inputs, *options.template_paths)}
        files = output_files(path, options.topology)
        files += _report_files(path) if options.report else ()
        for file in files:
            if os.path.realpath(file) in sources:
                raise UsageError(f"{file}: is an input of this run", "choose another --output")
        with Journal(path) as journal:
            plan = cls(path, files, options.report, journal)
            if not options.overwrite and not options.resume:
                plan.refuse_existing()
            for file in files:
                if file.is_dir():
                    raise OutputExistsError(f"{file}: is a folder", "choose another --output")
            yield plan

    def refuse_existing(self) -> None:
        """Refuse to replace files that are there.

        Raises
        ------
        OutputExistsError
        """
        for file in self.files:
            if file.exists():
                raise OutputExistsError(
                    f"{file}: exists already", "choose another --output, or add --overwrite"
                )

    @property
    def report_files(self) -> tuple[Path, Path]:
        """Names of the JSON and CSV reports."""
        return _report_files(self.output)

    @property
    def structure_file(self) -> Path:
        """The PDB or mmCIF file, which for a trajectory is its topology."""
        return next(file for file in self.files if file.suffix.lower() in STRUCTURE_SUFFIXES)

    @property
    def coordinate_limits(self) -> tuple[float, float]:
        """Lowest and highest coordinate (Å) that the output can hold."""
        return coordinate_limits(self.output)

    def check_fit(self, source: Source, n_samples: int) -> None:
        """Refuse what a PDB file cannot hold, before the model is loaded.

        Raises
        ------
        InputError
        """
        chunks = source.chunks(_FRAMES_PER_CHUNK)
        self.check_frames(source.trace, chunks, source.n_frames * n_samples)

    def check_frames(self, trace: CGTrace, chunks: Iterable[FrameChunk], n_structures: int) -> None:
        """Refuse frames that a PDB file cannot hold.

        Frames that are exploded are not refused: of those the residues that fit are written.

        Parameters
        ----------
        trace : CGTrace
        chunks : iterable of FrameChunk
            All frames; read only where the output is a PDB file.
        n_structures : int
            Of the whole output.

        Raises
        ------
        InputError
        """
        if self.output.suffix.lower() != ".pdb":
            if self.structure_file.suffix.lower() == ".pdb":
                check_pdb_topology(trace)
            return
        check_pdb_capacity(AtomTopology.heavy_atoms(trace), n_structures)
        low, high = PDB_LIMITS[0] + _MAX_CA_DISTANCE, PDB_LIMITS[1] - _MAX_CA_DISTANCE
        for chunk in chunks:
            outside = np.asarray(((chunk.positions < low) | (chunk.positions > high)).any(axis=-1))
            for frame in np.flatnonzero(outside.any(axis=1)):
                index = int(chunk.indices[frame])
                if index not in chunk.problems:
                    label = trace.labels[np.flatnonzero(outside[frame])[0]]
                    raise InputError(
                        f"frame {index}, residue {label}: coordinates beyond -999 to 9999 Å do not fit "
                        "into PDB",
                        "write mmCIF or a trajectory instead, with -o OUT.cif or -o OUT.xtc",
                    )


def _report_files(output: Path) -> tuple[Path, Path]:
    return output.with_suffix(".report.json"), output.with_suffix(".report.csv")


def _check_name(given: str, path: Path) -> None:
    """Refuse names and folders in which no run can write."""
    if not path.name:
        raise UsageError(f"--output '{given}' is no file name", "give a name such as all.xtc")
    suffix, folder = path.suffix, path.parent
    if suffix.lower() not in OUTPUT_SUFFIXES:
        raise UsageError(
            f"{path}: cannot write format '{suffix}'", f"latcpb writes {' '.join(OUTPUT_SUFFIXES)}"
        )
    if len(os.fsencode(path.stem + _LONGEST_SUFFIX)) > _MAX_NAME_BYTES:
        raise OutputError(f"{path}: the name is too long", "choose a shorter --output")
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such folder", "make it first, or choose another --output")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder}: cannot be written to", "choose another --output")
