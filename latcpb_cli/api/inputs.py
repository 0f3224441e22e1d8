"""Whatever a Python user has, as frames of named atoms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from latcpb_cli.errors import InputError, UsageError
from latcpb_cli.io.assemble import NamedFrames, assemble_source
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.readers.fasta import read_sequences, sequence_table
from latcpb_cli.io.readers.frames import StructureFile, Trajectory
from latcpb_cli.io.readers.memory import ArrayFrames, UniverseFrames, mdtraj_frames
from latcpb_cli.io.source import Source
from latcpb_cli.read_options import ReadOptions

__all__ = ["Frames", "open_any", "open_memory"]

Frames = Any
"""A path or several, an MDAnalysis Universe or AtomGroup, an mdtraj Trajectory, or an array of Cα."""

_ACCEPTED = (
    "give a path, several paths, an MDAnalysis Universe or AtomGroup, an mdtraj Trajectory, or an array of "
    "Cα positions (frames, residues, 3) in Å with sequence="
)


def open_any(x: Frames, top: str | PathLike[str] | None, options: ReadOptions) -> Source:
    """Open what a Python user has as a coarse-grained trajectory.

    Parameters
    ----------
    x : Frames
        Arrays have the shape (F, L, 3), or (L, 3) for one frame, in Å, and need ``options.sequence``.
    top : path, optional
        Structure that names the atoms of trajectory files.
    options : ReadOptions

    Returns
    -------
    Source

    Raises
    ------
    UsageError
        ``x`` is of no such type, or ``top`` or the sequence does not go with it.
    InputError
        The input does not hold Cα beads of known residues.
    """
    paths = as_paths(x)
    if paths is not None:
        return open_source(paths, None if top is None else Path(top), options)
    if top is not None:
        raise UsageError(f"top= names the atoms of files, not of {_type_name(x)}", "leave it out")
    file = open_memory(x, options.sequence)
    if isinstance(file, ArrayFrames) and _is_array(x):
        # The sequence has named the atoms.
        options = replace(options, sequence=None)
    sequences = None if options.sequence is None else read_sequences(options.sequence)
    given = NamedFrames(file.read_atoms(), Trajectory([file]), file.path, file, sequences)
    return assemble_source(given, options)


def as_paths(x: Frames) -> list[Path] | None:
    """Return the files that are meant; None for anything but paths.

    Raises
    ------
    UsageError
        There are no files in the list.
    """
    if isinstance(x, str | PathLike):
        return [Path(x)]
    if isinstance(x, Sequence) and all(isinstance(item, str | PathLike) for item in x):
        if not x:
            raise UsageError("an empty list of files", _ACCEPTED)
        return [Path(item) for item in x]
    return None


def open_memory(x: Frames, sequence: str | None = None) -> StructureFile:
    """Take the atoms and the frames of something in memory.

    Parameters
    ----------
    x : Frames
        No paths.
    sequence : str, optional
        What the beads of an array are; chains are separated by ``/`` or ``:``.

    Raises
    ------
    UsageError, InputError
    """
    if hasattr(x, "universe") and hasattr(x, "atoms"):
        return UniverseFrames(x.atoms)
    if type(x).__module__.partition(".")[0] == "mdtraj" and hasattr(x, "xyz"):
        return mdtraj_frames(x)
    if _is_array(x):
        return _array_frames(x, sequence)
    raise UsageError(f"{_type_name(x)} is nothing that holds a trajectory", _ACCEPTED)


def _is_array(x: Frames) -> bool:
    return isinstance(x, np.ndarray) or hasattr(x, "__array__")


def _array_frames(x: Frames, sequence: str | None) -> ArrayFrames:
    if sequence is None:
        raise UsageError(
            "an array of positions needs the residues", 'add sequence="MKV...", "/" between chains'
        )
    positions = np.asarray(x)
    if positions.dtype.kind not in "fiu":
        raise UsageError(f"an array of {positions.dtype} is no array of positions", "give numbers, in Å")
    if positions.ndim == 2:
        positions = positions[None]
    if positions.ndim != 3 or positions.shape[2] != 3 or not positions.size:
        raise InputError(
            f"an array of shape {np.asarray(x).shape} is no Cα trace", "give (frames, residues, 3)"
        )
    atoms = sequence_table(read_sequences(sequence), positions.shape[1], Path("array"))
    return ArrayFrames("array", atoms, positions.astype(np.float32))


def _type_name(x: Frames) -> str:
    kind = type(x)
    return (
        kind.__name__
        if kind.__module__ == "builtins"
        else f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    )
