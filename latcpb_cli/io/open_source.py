"""Opening coarse-grained structures and trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64

from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.alternates import drop_alternates
from latcpb_cli.io.beads.arrange import arrange_beads
from latcpb_cli.io.beads.chains import build_trace, ring_notes
from latcpb_cli.io.beads.identify import Beads, identify_beads
from latcpb_cli.io.beads.labels import check_labels
from latcpb_cli.io.beads.placeholders import find_placeholders
from latcpb_cli.io.beads.sampled import SampledFrames
from latcpb_cli.io.beads.spacing import Spacing, check_unit, is_nm, measure_spacing
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.fasta import read_sequences, sequence_table
from latcpb_cli.io.readers.formats import InputFiles
from latcpb_cli.io.readers.frame_choice import choose_frames
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.io.readers.gsd import GsdFile
from latcpb_cli.io.readers.mda_topology import select_atoms
from latcpb_cli.io.source import BeadReader, Source
from latcpb_cli.options import ReadOptions
from latcpb_cli.structure import CGTrace

__all__ = ["Source", "open_source"]

_N_SAMPLED_FRAMES = 7
"""Frames, evenly spaced among those chosen, whose distances distinguish bonds from chain ends."""
_ANGSTROM_PER_NM = 10.0
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
    files = InputFiles(
        [topology_path, *paths], {} if options.format is None else dict.fromkeys(paths, options.format)
    )
    if sequences is not None and top is None and not files.names_atoms(topology_path):
        trajectory = files.open_trajectory(paths, options.window, sum(map(len, sequences)))
        atoms = sequence_table(sequences, trajectory.files[0].n_atoms, topology_path)
    else:
        atoms = files.read_topology(topology_path)
        trajectory = files.open_trajectory(paths, options.window, len(atoms))
    choice = choose_frames(options.window, trajectory, options.drop_repeated_times)
    frames = choice.numbers
    first_frame = int(frames[0])

    rows = _select_rows(atoms, topology_path, trajectory, first_frame, options.selection)
    atoms, n_atoms = atoms.select(rows), len(atoms)

    def sample_rows(chosen: Int64[np.ndarray, "M"]) -> SampledFrames:
        return _sample(BeadReader(trajectory, rows[chosen], options.scale), frames)

    whole_frames = trajectory.files[0].n_atoms == n_atoms
    kept, alternate_notes = drop_alternates(atoms, topology_path, sample_rows if whole_frames else None)
    atoms, rows = atoms.select(kept), rows[kept]
    beads = identify_beads(atoms, topology_path, options, sequences, sample_rows if whole_frames else None)
    atoms, rows = atoms.select(beads.rows), rows[beads.rows]
    reader = BeadReader(trajectory, _atom_indices(trajectory, topology_path, n_atoms, rows), options.scale)
    placed, notes = _find_placed(atoms, reader, first_frame, topology_path)
    atoms, beads, reader = atoms.select(placed), beads.select(placed), reader.select(placed)
    check_labels(
        trajectory, frames, atoms, reader.atom_indices, files.frame_file(topology_path), sequences is None
    )
    samples = _sample(reader, frames)
    unit_notes: tuple[str, ...] = ()
    if all(isinstance(file, GsdFile) for file in trajectory.files) and is_nm(samples.neighbor_distances()):
        # GSD files have no unit.
        reader = replace(reader, scale=reader.scale * _ANGSTROM_PER_NM)
        samples = _sample(reader, frames)
        unit_notes = (f"lengths in {trajectory.files[0].path.name} are read as nm",)
    if options.chain_ends == "geometry" and sequences is None:
        arrangement = arrange_beads(atoms, samples)
        atoms, order = arrangement.beads, arrangement.order
        beads, reader, samples = beads.select(order), reader.select(order), samples.select(order)
        notes += arrangement.notes
    file_notes = [note for file in trajectory.files for note in file.notes]
    notes = (*file_notes, *choice.notes, *unit_notes, *alternate_notes, *beads.notes, *notes)
    beads = replace(beads, notes=notes)
    source = _make_source(reader, atoms, beads, samples, frames, options)
    return replace(source, paths=files.paths, warnings=(*choice.warnings, *source.warnings))


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
) -> tuple[Bool[np.ndarray, "L"], tuple[str, ...]]:
    """Mark the beads that have coordinates in a frame, and note the others."""
    positions = reader.read(frame).positions
    if len(positions) > 1 and not positions.any():
        raise InputError(
            f"{path}: frame {frame}: every bead is at 0, 0, 0",
            "give a trajectory, or a file with coordinates",
        )
    empty = find_placeholders(beads, positions)
    if not empty.any():
        return ~empty, ()
    first = int(np.flatnonzero(empty)[0])
    label = f"{beads.chain_ids[first]}:{beads.resnames[first]}{beads.resids[first]}".lstrip(":")
    return ~empty, (f"left out, at exactly 0, 0, 0: {empty.sum()} residues from {label} on",)


def _sample(reader: BeadReader, frames: Int64[np.ndarray, "F"]) -> SampledFrames:
    """Read the beads in some of the frames."""
    numbers = np.unique(np.linspace(0, len(frames) - 1, _N_SAMPLED_FRAMES).astype(int))
    read = [reader.read(index) for index in frames[numbers].tolist()]
    return SampledFrames.from_frames(
        np.stack([frame.positions for frame in read]), np.stack([frame.box for frame in read])
    )


def _make_source(
    reader: BeadReader,
    atoms: AtomTable,
    beads: Beads,
    samples: SampledFrames,
    frames: Int64[np.ndarray, "F"],
    options: ReadOptions,
) -> Source:
    """Split the beads into chains, and check their spacing."""
    path = reader.trajectory.locate(int(frames[0]))[0].path
    distances = samples.neighbor_distances()
    unit_warnings = _unit_warnings(path, distances, options.force)
    trace, chain_notes = build_trace(
        atoms, beads.sequence, distances, beads.record_index, beads.variants, options.chain_ends
    )
    spacing = measure_spacing(trace, distances)
    ends = np.flatnonzero(~trace.same_chain_as_next())
    starts = np.r_[0, ends[:-1] + 1]
    rings = ring_notes(trace, samples.distances(ends, starts))
    bead_warnings = _bead_warnings(path, trace, spacing, beads.name, options.force)
    return Source(
        paths=(),
        trace=trace,
        frames=frames,
        left_out=beads.left_out,
        renamed=beads.renamed,
        notes=(*beads.notes, *chain_notes, *rings),
        warnings=(*unit_warnings, *bead_warnings),
        spacing=spacing,
        bead_name=beads.name,
        strict=options.strict,
        _reader=reader,
        _make_whole=options.pbc == "whole",
    )


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
