"""Refusals of an output before any work is done."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from latcpb_cli.errors import InputError, OutputExistsError, UsageError
from latcpb_cli.io.source import Source
from latcpb_cli.io.writers.atom_writer import OUTPUT_SUFFIXES, output_files
from latcpb_cli.io.writers.pdb import PDB_LIMITS, refuse_too_large
from latcpb_cli.structure import AtomTopology

__all__ = ["check_fit", "check_output"]

_SIDE_CHAIN = 12.0
"""No atom of a residue is farther (Å) from its Cα than this."""
_FRAMES_PER_CHUNK = 64


def check_output(
    path: Path, overwrite: bool, *, beside: Iterable[Path] = (), inputs: Iterable[Path] = ()
) -> None:
    """Refuse an output name before any work is done.

    Parameters
    ----------
    path : pathlib.Path
    overwrite : bool
        Whether files that exist may be replaced.
    beside : iterable of pathlib.Path
        Further files that the run will write, such as reports.
    inputs : iterable of pathlib.Path
        Files that must never be replaced.

    Raises
    ------
    UsageError
        If the format or the folder is not possible.
    OutputExistsError
        If one of the files is there already.
    """
    if path.suffix.lower() not in OUTPUT_SUFFIXES:
        raise UsageError(
            f"{path}: cannot write format '{path.suffix}'", f"latcpb writes {' '.join(OUTPUT_SUFFIXES)}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: no such folder", "make it first, or choose another --output")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path.parent}: cannot be written to", "choose another --output")
    sources = {os.path.realpath(source) for source in inputs}
    for file in (*output_files(path), *beside):
        if os.path.realpath(file) in sources:
            raise UsageError(f"{file}: is an input of this run", "choose another --output")
        if file.is_dir():
            raise OutputExistsError(f"{file}: is a folder", "choose another --output")
        if file.exists() and not overwrite:
            raise OutputExistsError(f"{file}: exists already", "choose another --output, or add --overwrite")


def check_fit(path: Path, source: Source, n_samples: int) -> None:
    """Refuse what a PDB file cannot hold, before the model is loaded.

    Frames that are exploded are not refused here: of those the residues that
    fit are written.

    Raises
    ------
    InputError
    """
    if path.suffix.lower() != ".pdb":
        return
    refuse_too_large(AtomTopology.heavy_atoms(source.trace), source.n_frames * n_samples)
    low, high = PDB_LIMITS[0] + _SIDE_CHAIN, PDB_LIMITS[1] - _SIDE_CHAIN
    for chunk in source.chunks(_FRAMES_PER_CHUNK):
        outside = np.asarray(((chunk.positions < low) | (chunk.positions > high)).any(axis=-1))
        for frame in np.flatnonzero(outside.any(axis=1)):
            index = int(chunk.indices[frame])
            if index not in source.problems:
                label = source.trace.label(int(np.flatnonzero(outside[frame])[0]))
                raise InputError(
                    f"frame {index}, residue {label}: coordinates beyond -999 to 9999 Å do not fit into PDB",
                    "write a trajectory instead, for instance with -o OUT.xtc",
                )
