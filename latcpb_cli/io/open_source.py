"""Opening coarse-grained structures and trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latcpb_cli.io.assemble import NamedFrames, assemble_source
from latcpb_cli.io.readers.fasta import read_sequences, sequence_table
from latcpb_cli.io.readers.formats import InputFiles
from latcpb_cli.io.source import Source
from latcpb_cli.read_options import ReadOptions

__all__ = ["Source", "open_source"]

_DEFAULTS = ReadOptions()


def open_source(
    trajectories: Sequence[Path | str], top: Path | str | None = None, options: ReadOptions = _DEFAULTS
) -> Source:
    """Open a structure, or a topology with its trajectories.

    Parameters
    ----------
    trajectories : sequence of pathlib.Path
        Read one after the other. The first may be a structure that serves as
        topology as well.
    top : pathlib.Path, optional
        Structure that names the atoms.
    options : ReadOptions, optional

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If a file is missing, damaged, of an unknown format, or does not hold
        Cα beads of known residues.
    UsageError
        If the selection is not understood.
    """
    sequences = None if options.sequence is None else read_sequences(options.sequence)
    paths = [Path(path) for path in trajectories]
    path = paths[0] if top is None else Path(top)
    formats = {} if options.format is None else dict.fromkeys(paths, options.format)
    files = InputFiles([path, *paths], formats)
    if sequences is not None and top is None and not files.names_atoms(path):
        trajectory = files.open_trajectory(paths, options.window, sum(map(len, sequences)))
        atoms = sequence_table(sequences, trajectory.files[0].n_atoms, path)
    else:
        atoms = files.read_topology(path)
        trajectory = files.open_trajectory(paths, options.window, len(atoms))
    given = NamedFrames(atoms, trajectory, path, files.frame_file(path), sequences, files.paths)
    return assemble_source(given, options)
