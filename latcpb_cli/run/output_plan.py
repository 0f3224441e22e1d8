"""The files of a run, checked before any work is done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latcpb_cli.errors import InputError, OutputExistsError, UsageError
from latcpb_cli.io.source import Source
from latcpb_cli.io.writers.atom_writer import OUTPUT_SUFFIXES, coordinate_limits, output_files
from latcpb_cli.io.writers.pdb import PDB_LIMITS, check_pdb_capacity
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run.journal import journal_path
from latcpb_cli.structure import AtomTopology

__all__ = ["OutputPlan"]

_MAX_CA_DISTANCE = 12.0
"""No atom of a residue is farther (Å) from its Cα than this."""
_FRAMES_PER_CHUNK = 64


@dataclass(frozen=True)
class OutputPlan:
    """Which files a run writes.

    Attributes
    ----------
    output : pathlib.Path
        ``.pdb``, ``.xtc``, ``.dcd`` or ``.trr``; a trajectory gets a topology beside it.
    report : bool
        Whether a clash report is written.
    """

    output: Path
    report: bool

    @classmethod
    def create(cls, output: Path | str, options: BackmapOptions, inputs: Sequence[Path] = ()) -> OutputPlan:
        """Plan an output, and refuse a name that is not possible.

        Parameters
        ----------
        output : pathlib.Path or str
        options : BackmapOptions
        inputs : sequence of pathlib.Path
            Files that must never be replaced.

        Raises
        ------
        UsageError
            The format or the folder is not possible, or a file is an input.
        OutputExistsError
            One of the files is there already.
        """
        plan = cls(Path(output), options.report)
        plan._check_folder()
        goes_on = options.resume and journal_path(plan.output).is_file()
        sources = {os.path.realpath(source) for source in inputs}
        for file in plan.files:
            if os.path.realpath(file) in sources:
                raise UsageError(f"{file}: is an input of this run", "choose another --output")
            if file.is_dir():
                raise OutputExistsError(f"{file}: is a folder", "choose another --output")
            if file.exists() and not (options.overwrite or goes_on):
                raise OutputExistsError(
                    f"{file}: exists already", "choose another --output, or add --overwrite"
                )
        return plan

    @property
    def report_files(self) -> tuple[Path, Path]:
        """Names of the JSON and CSV reports."""
        return self.output.with_suffix(".report.json"), self.output.with_suffix(".report.csv")

    @property
    def files(self) -> tuple[Path, ...]:
        """Everything that the run writes, the main output first."""
        return (*output_files(self.output), *(self.report_files if self.report else ()))

    @property
    def coordinate_limits(self) -> tuple[float, float]:
        """Lowest and highest coordinate (Å) that the output can hold."""
        return coordinate_limits(self.output)

    def check_fit(self, source: Source, n_samples: int) -> None:
        """Refuse what a PDB file cannot hold, before the model is loaded.

        Frames that are exploded are not refused: of those the residues that fit are written.

        Raises
        ------
        InputError
        """
        if self.output.suffix.lower() != ".pdb":
            return
        check_pdb_capacity(AtomTopology.heavy_atoms(source.trace), source.n_frames * n_samples)
        low, high = PDB_LIMITS[0] + _MAX_CA_DISTANCE, PDB_LIMITS[1] - _MAX_CA_DISTANCE
        for chunk in source.chunks(_FRAMES_PER_CHUNK):
            outside = np.asarray(((chunk.positions < low) | (chunk.positions > high)).any(axis=-1))
            for frame in np.flatnonzero(outside.any(axis=1)):
                index = int(chunk.indices[frame])
                if index not in chunk.problems:
                    label = source.trace.label(int(np.flatnonzero(outside[frame])[0]))
                    raise InputError(
                        f"frame {index}, residue {label}: coordinates beyond -999 to 9999 Å do not fit "
                        "into PDB",
                        "write a trajectory instead, for instance with -o OUT.xtc",
                    )

    def _check_folder(self) -> None:
        suffix, folder = self.output.suffix, self.output.parent
        if suffix.lower() not in OUTPUT_SUFFIXES:
            raise UsageError(
                f"{self.output}: cannot write format '{suffix}'", f"latcpb writes {' '.join(OUTPUT_SUFFIXES)}"
            )
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder", "make it first, or choose another --output")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"{folder}: cannot be written to", "choose another --output")
