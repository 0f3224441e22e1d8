"""From named atoms and their frames to the Cα beads of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64

from latcpb_cli.errors import InputError
from latcpb_cli.io.backbone_atoms import BACKBONE_OFFER, find_backbone, has_backbone
from latcpb_cli.io.bead_reader import BeadReader
from latcpb_cli.io.beads.alternates import drop_alternates
from latcpb_cli.io.beads.arrange import arrange_beads
from latcpb_cli.io.beads.chains import build_trace
from latcpb_cli.io.beads.identify import Beads, identify_beads
from latcpb_cli.io.beads.kinds import ca_spacing, find_kinds, with_com
from latcpb_cli.io.beads.labels import check_labels
from latcpb_cli.io.beads.placeholders import find_placeholders
from latcpb_cli.io.beads.rings import close_rings, note_rings
from latcpb_cli.io.beads.sampled import SampledFrames
from latcpb_cli.io.beads.spacing import Spacing, check_unit, is_nm
from latcpb_cli.io.readers.atoms import AtomTable
from latcpb_cli.io.readers.frame_choice import choose_frames
from latcpb_cli.io.readers.frames import FrameFile, Trajectory
from latcpb_cli.io.readers.gsd import GsdFile
from latcpb_cli.io.side_chain_beads import choose_side_chain_beads, find_side_chain_beads
from latcpb_cli.io.source import Source
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.structure import CGTrace

__all__ = ["NamedFrames", "assemble_source"]

_N_SAMPLED_FRAMES = 7
"""Frames, evenly spaced among those chosen, whose distances distinguish bonds from chain ends."""
_ANGSTROM_PER_NM = 10.0


@dataclass(frozen=True, eq=False)
class NamedFrames:
    """Atoms with names, and the frames that hold their positions.

    Attributes
    ----------
    atoms : AtomTable
    trajectory : Trajectory
        Its frames hold these atoms, or the beads alone.
    path : pathlib.Path
        Where the names come from, for messages.
    topology : FrameFile or None
        The file that names the atoms, if it is one that also holds frames.
    sequences : list of str or None
        The user's, one per chain; they replace the residue names.
    paths : tuple of pathlib.Path
        Every file that is read, the topology first; none for data in memory.
    """

    atoms: AtomTable
    trajectory: Trajectory
    path: Path
    topology: FrameFile | None
    sequences: list[str] | None = None
    paths: tuple[Path, ...] = ()


def assemble_source(given: NamedFrames, options: ReadOptions) -> Source:
    """Find the beads, the frames and the chains that are used.

    Parameters
    ----------
    given : NamedFrames
    options : ReadOptions

    Returns
    -------
    Source

    Raises
    ------
    InputError
        The atoms are no Cα beads of known residues, or the frames do not fit.
    UsageError
        The selection is not understood.
    """
    choice = choose_frames(options.window, given.trajectory, options.drop_repeated_times)
    frames = choice.numbers
    atoms, beads, reader = _identify(given, frames, options)
    placed, notes = _find_placed(atoms, reader, int(frames[0]), given.path)
    atoms, beads, reader = atoms.select(placed), beads.select(placed), reader.select(placed)
    by_names = given.sequences is None
    check_labels(given.trajectory, frames, atoms, reader.atom_indices, given.topology, by_names)
    reader, unit_notes = _in_angstrom(reader, frames)
    samples = _sample(reader, frames)
    if options.chain_ends == "geometry" and by_names:
        arrangement = arrange_beads(atoms, samples)
        atoms, order = arrangement.beads, arrangement.order
        beads, reader, samples = beads.select(order), reader.select(order), samples.select(order)
        notes += arrangement.notes
    file_notes = [note for file in given.trajectory.files for note in file.notes]
    beads = replace(beads, notes=(*file_notes, *choice.notes, *unit_notes, *beads.notes, *notes))
    source = _make_source(reader, atoms, beads, samples, frames, options)
    return replace(source, paths=given.paths, warnings=(*choice.warnings, *source.warnings))


def _identify(
    given: NamedFrames, frames: Int64[np.ndarray, "F"], options: ReadOptions
) -> tuple[AtomTable, Beads, BeadReader]:
    """Find the beads among the selected atoms."""
    trajectory, n_atoms = given.trajectory, len(given.atoms)
    rows = _select_rows(given.atoms, given.path, trajectory, int(frames[0]), options.selection)
    atoms = given.atoms.select(rows)

    def sample_rows(chosen: Int64[np.ndarray, "M"]) -> SampledFrames:
        return _sample(BeadReader(trajectory, rows[chosen], options.scale), frames)

    sampler = sample_rows if trajectory.files[0].n_atoms == n_atoms else None
    kept, alternate_notes = drop_alternates(atoms, given.path, sampler)
    atoms, rows = atoms.select(kept), rows[kept]
    beads = identify_beads(atoms, given.path, options, given.sequences, sampler)
    backbone = find_backbone(atoms, beads.rows, beads.sequence)
    side_chains = find_side_chain_beads(atoms, beads.rows, beads.sequence, options.sc_bead)
    backbone, side_chains = (np.where(x < 0, -1, rows[x]) for x in (backbone, side_chains))
    atoms, rows = atoms.select(beads.rows), rows[beads.rows]
    indices = _atom_indices(trajectory, given.path, n_atoms, rows)
    if sampler is None:
        backbone[:] = side_chains[:] = -1  # the frames hold the beads alone
    beads = replace(beads, notes=(*alternate_notes, *beads.notes))
    return atoms, beads, BeadReader(trajectory, indices, options.scale, backbone, side_chains)


def _in_angstrom(reader: BeadReader, frames: Int64[np.ndarray, "F"]) -> tuple[BeadReader, tuple[str, ...]]:
    """Recognise lengths in nm of GSD files, which have no unit."""
    files = reader.trajectory.files
    if all(isinstance(file, GsdFile) for file in files) and is_nm(
        _sample(reader, frames).neighbor_distances()
    ):
        return replace(reader, scale=reader.scale * _ANGSTROM_PER_NM), (
            f"lengths in {files[0].path.name} are read as nm",
        )
    return reader, ()


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
    from latcpb_cli.io.readers.mda_topology import select_atoms

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
    columns = atoms, beads.sequence, distances, beads.record_index, beads.variants
    trace, chain_notes = build_trace(*columns, options.chain_ends)
    kinds = find_kinds(path, trace, distances, options)
    if kinds.is_com.any():  # distances of Cα say nothing of the ends of these chains
        trace, chain_notes = build_trace(*columns, "labels")
        trace = with_com(path, trace, kinds.is_com)
    spacing = ca_spacing(trace, distances)
    trace, ring_notes = _close_rings(path, trace, samples, options)
    chain_notes += ring_notes
    if reader.backbone_indices is not None and has_backbone(reader.backbone_indices):
        chain_notes.append(BACKBONE_OFFER)
    bead_warnings = _bead_warnings(path, trace, spacing, beads.name, options.force)
    trace, notes = choose_side_chain_beads(path, trace, reader, int(frames[0]), beads.name, options)
    return Source(
        paths=(),
        trace=trace,
        frames=frames,
        left_out=beads.left_out,
        renamed=beads.renamed,
        notes=(*beads.notes, *kinds.notes, *chain_notes, *notes),
        warnings=(*unit_warnings, *kinds.warnings, *bead_warnings),
        spacing=spacing,
        bead_name=beads.name,
        strict=options.strict,
        _reader=reader,
        _make_whole=options.pbc == "whole",
    )


def _close_rings(
    path: Path, trace: CGTrace, samples: SampledFrames, options: ReadOptions
) -> tuple[CGTrace, list[str]]:
    """Close rings where the user wants it; else note the chains that could be rings."""
    if options.cyclic:
        trace, note = close_rings(path, trace, samples)
        return trace, [note]
    return trace, note_rings(trace, samples) if trace.com_beads is None else []


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
                "centres of mass of residues (--beads com, --com-residues), or another unit (--scale)? leave "
                "these regions out with --selection, or accept them with --force",
            )
        warnings.append(problem)
    elif spacing.n_outliers:
        n_outliers = (
            f"{spacing.n_outliers} of {spacing.n_bonds} bonds" if spacing.n_outliers > 1 else "one bond"
        )
        warnings.append(f"{n_outliers} between Cα outside 3.3 to 4.4 Å (cis: 2.7 to 3.2 Å)")
    return warnings
