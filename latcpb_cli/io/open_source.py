"""Reading coarse-grained structures and trajectories as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from latcpb_cli.errors import InputError
from latcpb_cli.io.beads.chains import build_trace
from latcpb_cli.io.beads.find import Beads, find_beads
from latcpb_cli.io.beads.frame_check import find_missing
from latcpb_cli.io.beads.placeholders import find_placeholders
from latcpb_cli.io.beads.spacing import Spacing, check_unit, measure_spacing
from latcpb_cli.io.beads.whole import minimum_image_steps
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.fasta import read_sequences
from latcpb_cli.io.readers.formats import open_frames, open_inputs, read_topology
from latcpb_cli.io.readers.frame_choice import choose_frames
from latcpb_cli.io.readers.frames import Trajectory
from latcpb_cli.io.readers.mda_topology import select_atoms
from latcpb_cli.io.source import BeadReader, Source
from latcpb_cli.options import ReadOptions
from latcpb_cli.structure import CGTrace

__all__ = ["Source", "open_source"]

_FRAMES_LOOKED_AT = 7
"""So many frames, spread over those chosen, tell bonds from chain ends."""
_SOUND = (2.0, 8.0)
"""Median distance (Å) of neighbours in a frame that can tell."""
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
    given = [Path(path) for path in trajectories]
    topology_path = Path(top) if top is not None else given[0]
    opened = open_inputs([topology_path, *given])
    table = read_topology(opened[topology_path])
    trajectory = open_frames([opened[path] for path in given], options.window, len(table))
    frames = choose_frames(options.window, trajectory)
    rows = _selected_rows(table, topology_path, trajectory, int(frames[0]), options.selection)
    beads = find_beads(table.take(rows), topology_path, sequences=sequences, on_unknown=options.on_unknown)
    rows = rows[beads.rows]
    columns = _columns(trajectory, topology_path, len(table), rows)
    everything = BeadReader(trajectory, columns, options.scale)
    kept, notes = _drop_placeholders(table.take(rows), everything, int(frames[0]), topology_path)
    reader = BeadReader(trajectory, columns[kept], options.scale)
    gaps = _typical_gaps(reader, frames)
    first_path = trajectory.locate(int(frames[0]))[0].path
    doubts = _doubt_unit(first_path, gaps, options.force)
    letters = "".join(np.array(list(beads.sequence))[kept])
    trace, more = build_trace(table.take(rows[kept]), letters, gaps, beads.record[kept], beads.variants[kept])
    spacing = measure_spacing(trace, gaps)
    return Source(
        paths=tuple(opened),
        trace=trace,
        frames=frames,
        left_out=beads.left_out,
        renamed=beads.renamed,
        notes=(*notes, *more),
        warnings=(*doubts, *_judge(first_path, trace, spacing, beads, options.force)),
        spacing=spacing,
        bead_name=beads.name,
        _beads=reader,
        _whole=options.pbc == "whole",
        strict=options.strict,
    )


def _selected_rows(
    table: AtomTable, path: Path, trajectory: Trajectory, frame: int, selection: str | None
) -> np.ndarray:
    if selection is None:
        return np.arange(len(table))
    positions = trajectory.read(frame).positions
    # Positions of beads only (see _columns) cannot serve an all-atom topology.
    known = positions if len(positions) == len(table) else np.zeros((len(table), 3), dtype=np.float32)
    rows = select_atoms(table, known, selection)
    if len(rows) == 0:
        raise InputError(f"{path}: --selection '{selection}' selects nothing", "check names and numbers")
    return rows


def _columns(trajectory: Trajectory, top: Path, n_atoms: int, beads: np.ndarray) -> np.ndarray:
    """Where the beads stand in a frame: among all atoms, or alone in their order."""
    file = trajectory.files[0]
    if file.n_atoms == n_atoms:
        return beads
    if file.n_atoms == len(beads):
        return np.arange(len(beads))
    raise InputError(
        f"{file.path}: {file.n_atoms} atoms, but {top} has {n_atoms}",
        "give the topology that the trajectory was written with",
    )


def _drop_placeholders(
    beads: AtomTable, reader: BeadReader, frame: int, path: Path
) -> tuple[np.ndarray, list[str]]:
    """Tell which beads have a place in the first frame, and note the others."""
    positions = reader.read(frame).positions
    if len(positions) > 1 and not positions.any():
        raise InputError(
            f"{path}: frame {frame}: every bead is at 0, 0, 0",
            "give a trajectory, or a file with coordinates",
        )
    empty = find_placeholders(beads, positions)
    if not empty.any():
        return ~empty, []
    where = beads.take(np.flatnonzero(empty)[:1])
    named = f"{where.chain_ids[0]}:{where.resnames[0]}{where.resids[0]}".lstrip(":")
    return ~empty, [f"left out, at exactly 0, 0, 0: {empty.sum()} residues from {named} on"]


def _typical_gaps(reader: BeadReader, frames: np.ndarray) -> np.ndarray:
    """Distance (Å, minimum image) from each bead to the next: median over some frames; nan if unknown."""
    spread = np.unique(np.linspace(0, len(frames) - 1, _FRAMES_LOOKED_AT).astype(int))
    seen = []
    for index in frames[spread].tolist():
        frame = reader.read(index)
        lost = find_missing(frame.positions[None])[0]
        steps = minimum_image_steps(np.where(lost[:, None], 0.0, frame.positions), frame.box)
        steps[lost[1:] | lost[:-1]] = np.nan
        seen.append(steps)
    steps = np.array(_sound(seen))
    gaps = np.full(steps.shape[1], np.nan)
    known = np.isfinite(steps).any(axis=0)
    gaps[known] = np.nanmedian(steps[:, known], axis=0)
    return gaps


def _sound(seen: list[np.ndarray]) -> list[np.ndarray]:
    """Leave out frames that are exploded or collapsed, unless all are: then the unit is another."""
    low, high = _SOUND
    known = [steps[np.isfinite(steps)] for steps in seen]
    sound = [
        steps
        for steps, values in zip(seen, known, strict=True)
        if len(values) and low < np.median(values) < high
    ]
    return sound or seen


def _doubt_unit(path: Path, gaps: np.ndarray, force: bool) -> list[str]:
    """Refuse coordinates in another unit, or warn about them."""
    try:
        check_unit(path, gaps)
    except InputError as error:
        if not force:
            raise
        return [f"{error.message} ({error.hint})"]
    return []


def _judge(path: Path, trace: CGTrace, spacing: Spacing, beads: Beads, force: bool) -> list[str]:
    """Refuse beads that are no Cα, or warn about them."""
    warnings = []
    if beads.name.upper() == "BB":
        warnings.append("beads are named BB: those of Martini stand at the middle of the backbone, not at Cα")
    if spacing.regions:
        said = f"beads do not stand like Cα in {spacing.explain(trace)}; bonded Cα are 3.8 Å apart"
        if not force:
            raise InputError(
                f"{path}: {said}",
                "centres of mass of residues, or another unit (--scale)? leave these regions out with "
                "--selection, or accept them with --force",
            )
        warnings.append(said)
    elif spacing.n_odd:
        said = f"{spacing.n_odd} of {spacing.n_bonds} bonds" if spacing.n_odd > 1 else "one bond"
        warnings.append(f"{said} between Cα outside 3.3 to 4.4 Å (cis: 2.7 to 3.2 Å)")
    return warnings
