"""Opening coarse-grained structures and trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64

from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.chains import build_trace
from latcpb_cli.io.beads.frame_check import find_missing
from latcpb_cli.io.beads.identify import identify_beads
from latcpb_cli.io.beads.placeholders import find_placeholders
from latcpb_cli.io.beads.spacing import Spacing, check_unit, measure_spacing
from latcpb_cli.io.beads.whole import minimum_image_distances
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.fasta import read_sequences
from latcpb_cli.io.readers.formats import InputFiles
from latcpb_cli.io.readers.frame_choice import choose_frames
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.io.readers.mda_topology import select_atoms
from latcpb_cli.io.source import BeadReader, Source
from latcpb_cli.options import ReadOptions
from latcpb_cli.structure import CGTrace

__all__ = ["Source", "open_source"]

_N_SAMPLED_FRAMES = 7
"""Frames, evenly spaced among those chosen, whose distances distinguish bonds from chain ends."""
_PLAUSIBLE_MEDIAN = (2.0, 8.0)
"""Median distance (Å) of neighbours in a frame that is neither exploded nor collapsed."""
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
    topology_path = paths[0] if top is None else Path(top)
    files = InputFiles([topology_path, *paths])
    atoms = files.read_topology(topology_path)
    trajectory = files.open_trajectory(paths, options.window, len(atoms))
    frames = choose_frames(options.window, trajectory)
    first_frame = int(frames[0])
    first_path = trajectory.locate(first_frame)[0].path

    rows = _select_rows(atoms, topology_path, trajectory, first_frame, options.selection)
    beads = identify_beads(atoms.select(rows), topology_path, sequences, options.on_unknown)
    rows = rows[beads.rows]
    reader = BeadReader(trajectory, _atom_indices(trajectory, topology_path, len(atoms), rows), options.scale)
    placed, notes = _find_placed(atoms.select(rows), reader, first_frame, topology_path)
    rows, beads, reader = rows[placed], beads.select(placed), reader.select(placed)
    distances = _neighbor_distances(reader, frames)
    unit_warnings = _unit_warnings(first_path, distances, options.force)
    trace, chain_notes = build_trace(
        atoms.select(rows), beads.sequence, distances, beads.record_index, beads.variants
    )
    spacing = measure_spacing(trace, distances)
    bead_warnings = _bead_warnings(first_path, trace, spacing, beads.name, options.force)
    return Source(
        paths=files.paths,
        trace=trace,
        frames=frames,
        left_out=beads.left_out,
        renamed=beads.renamed,
        notes=(*notes, *chain_notes),
        warnings=(*unit_warnings, *bead_warnings),
        spacing=spacing,
        bead_name=beads.name,
        strict=options.strict,
        _reader=reader,
        _make_whole=options.pbc == "whole",
    )


def _select_rows(
    atoms: AtomTable, path: Path, trajectory: Trajectory, frame: int, selection: str | None
) -> Int64[np.ndarray, "M"]:
    """Return the rows of the atoms that are selected."""
    if selection is None:
        return np.arange(len(atoms))
    positions = trajectory.read(frame).positions
    # A frame that holds the beads alone (see _atom_indices) has no positions of the other atoms.
    if len(positions) != len(atoms):
        positions = np.zeros((len(atoms), 3), dtype=np.float32)
    rows = select_atoms(atoms, positions, selection)
    if len(rows) == 0:
        raise InputError(f"{path}: --selection '{selection}' selects nothing", "check names and numbers")
    return rows


def _atom_indices(
    trajectory: Trajectory, topology_path: Path, n_atoms: int, rows: Int64[np.ndarray, "L"]
) -> Int64[np.ndarray, "L"]:
    """Return the index of each bead in a frame, which holds all atoms or the beads alone."""
    file = trajectory.files[0]
    if file.n_atoms == n_atoms:
        return rows
    if file.n_atoms == len(rows):
        return np.arange(len(rows))
    raise InputError(
        f"{file.path}: {file.n_atoms} atoms, but {topology_path} has {n_atoms}",
        "give the topology that the trajectory was written with",
    )


def _find_placed(
    beads: AtomTable, reader: BeadReader, frame: int, path: Path
) -> tuple[Bool[np.ndarray, "L"], list[str]]:
    """Mark the beads that have coordinates in a frame, and note the others."""
    positions = reader.read(frame).positions
    if len(positions) > 1 and not positions.any():
        raise InputError(
            f"{path}: frame {frame}: every bead is at 0, 0, 0",
            "give a trajectory, or a file with coordinates",
        )
    empty = find_placeholders(beads, positions)
    if not empty.any():
        return ~empty, []
    first = int(np.flatnonzero(empty)[0])
    label = f"{beads.chain_ids[first]}:{beads.resnames[first]}{beads.resids[first]}".lstrip(":")
    return ~empty, [f"left out, at exactly 0, 0, 0: {empty.sum()} residues from {label} on"]


def _neighbor_distances(reader: BeadReader, frames: Int64[np.ndarray, "F"]) -> Float64[np.ndarray, "steps"]:
    """Measure the distance (Å, minimum image) from each bead to the next.

    It is the median over some frames, and nan where no frame has both beads.
    """
    numbers = np.unique(np.linspace(0, len(frames) - 1, _N_SAMPLED_FRAMES).astype(int))
    rows = []
    for index in frames[numbers].tolist():
        frame = reader.read(index)
        missing = find_missing(frame.positions[None])[0]
        row = minimum_image_distances(np.where(missing[:, None], 0.0, frame.positions), frame.box)
        row[missing[1:] | missing[:-1]] = np.nan
        rows.append(row)
    samples = np.array(_drop_implausible(rows))
    distances = np.full(samples.shape[1], np.nan)
    known = np.isfinite(samples).any(axis=0)
    distances[known] = np.nanmedian(samples[:, known], axis=0)
    return distances


def _drop_implausible(rows: list[np.ndarray]) -> list[np.ndarray]:
    """Leave out frames that are exploded or collapsed; keep all if all are: the unit is another then."""
    low, high = _PLAUSIBLE_MEDIAN
    known = [row[np.isfinite(row)] for row in rows]
    plausible = [
        row for row, values in zip(rows, known, strict=True) if len(values) and low < np.median(values) < high
    ]
    return plausible or rows


def _unit_warnings(path: Path, distances: Float64[np.ndarray, "steps"], force: bool) -> list[str]:
    """Raise where coordinates have another unit; warn instead under ``force``."""
    try:
        check_unit(path, distances)
    except InputError as error:
        if not force:
            raise
        return [f"{error.message} ({error.hint})"]
    return []


def _bead_warnings(path: Path, trace: CGTrace, spacing: Spacing, bead_name: str, force: bool) -> list[str]:
    """Raise where beads do not have the spacing of Cα; warn instead under ``force``."""
    warnings = []
    if bead_name.upper() == "BB":
        warnings.append("beads are named BB: those of Martini stand at the middle of the backbone, not at Cα")
    if spacing.regions:
        regions = spacing.describe_regions(trace)
        problem = f"beads do not have the spacing of Cα in {regions}; bonded Cα are 3.8 Å apart"
        if not force:
            raise InputError(
                f"{path}: {problem}",
                "centres of mass of residues, or another unit (--scale)? leave these regions out with "
                "--selection, or accept them with --force",
            )
        warnings.append(problem)
    elif spacing.n_outliers:
        n_outliers = (
            f"{spacing.n_outliers} of {spacing.n_bonds} bonds" if spacing.n_outliers > 1 else "one bond"
        )
        warnings.append(f"{n_outliers} between Cα outside 3.3 to 4.4 Å (cis: 2.7 to 3.2 Å)")
    return warnings
