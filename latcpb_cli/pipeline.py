"""The whole data flow on one page: read, sample, measure, write, report (layer 5)."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from latcpb_cli import __version__
from latcpb_cli.backmapper import Backmapper, Mode
from latcpb_cli.chem.naming import Naming
from latcpb_cli.chem.residues import N_SLOTS
from latcpb_cli.errors import UsageError
from latcpb_cli.finishing import open_finisher
from latcpb_cli.io.provenance import provenance
from latcpb_cli.io.read import Source
from latcpb_cli.io.report import ReportWriter
from latcpb_cli.io.write import check_output, coordinate_limits, open_writer, output_files
from latcpb_cli.md.options import MdOptions
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.defects import frame_defects
from latcpb_cli.refine.chemistry import Disulfides, complete
from latcpb_cli.refine.relief import Tally
from latcpb_cli.structure import AtomTopology, Bridge, CGTrace, FrameChunk, FrameClashes

__all__ = ["RunSummary", "backmap_trajectory", "choose_mode", "report_files"]

_PROBLEMS_REPORTED = 1000
_RESIDUES_PER_CHUNK = 4096
"""Residues times samples that are held at once, unless one block of the model is more."""


@dataclass(frozen=True)
class RunSummary:
    """What a run made.

    Attributes
    ----------
    n_frames, n_samples, n_residues : int
    seconds : float
        Wall time without loading the model.
    outputs : tuple of pathlib.Path
        Files written, the main one first.
    clashes : dict
        The summary of the clash report.
    """

    n_frames: int
    n_samples: int
    n_residues: int
    seconds: float
    outputs: tuple[Path, ...]
    clashes: dict[str, Any] = field(default_factory=dict)

    @property
    def residues_per_second(self) -> float:
        """Residues times frames times samples per second."""
        return self.n_residues * self.n_frames * self.n_samples / max(self.seconds, 1e-9)


def report_files(output: Path) -> tuple[Path, Path]:
    """Names of the JSON and CSV reports beside an output."""
    return output.with_suffix(".report.json"), output.with_suffix(".report.csv")


def backmap_trajectory(
    backmapper: Backmapper,
    source: Source,
    output: Path | str,
    *,
    samples: int = 1,
    seed: int = 0,
    mode: Mode | None = None,
    ca_tolerance: float = 0.0,
    disulfides: Disulfides = "auto",
    naming: Naming = "pdb",
    md: MdOptions | None = None,
    overwrite: bool = False,
    report: Path | str | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RunSummary:
    """Backmap a trajectory chunk by chunk, with memory flat in its length.

    Parameters
    ----------
    backmapper : Backmapper
    source : Source
    output : pathlib.Path
        ``.pdb``, ``.xtc``, ``.dcd`` or ``.trr``.
    samples : int
        All-atom reconstructions of each frame.
    seed : int
        Noise depends on it and on the numbers of frame and sample only.
    mode : {'best', 'ensemble', 'exact'}, optional
        One deterministic structure per frame, draws by a fast solver, or draws
        by all steps of equation 8. By default best for one sample, ensemble
        for several.
    ca_tolerance : float
        How far (Å) a Cα may move, where Cα-Cα distances or virtual angles
        leave no room for a peptide. The report says how far they did.
    disulfides : {'auto', 'none'}
        Whether cysteines that stand as if they had one are joined, frame by frame.
    naming : {'pdb', 'charmm', 'amber'}
        Whose names residues and atoms get in PDB files and topologies.
    md : MdOptions, optional
        Hydrogens and minimisation; needs OpenMM.
    overwrite : bool
    report : pathlib.Path or None
        Clash report as JSON; the CSV of the same name stands beside it.
    on_progress : callable or None
        Called with the number of frames done.

    Returns
    -------
    RunSummary

    Raises
    ------
    OutputExistsError, UsageError, InputError
    """
    started = time.perf_counter()
    mode = choose_mode(mode, samples)
    output, trace = Path(output), source.trace
    topology = AtomTopology.heavy_atoms(trace)
    present = topology.present
    report_paths = () if report is None else (Path(report), Path(report).with_suffix(".csv"))
    check_output(output, overwrite, beside=report_paths, inputs=source.paths)
    finisher = open_finisher(backmapper, source, md, seed=seed, mode=mode, disulfides=disulfides)
    done, clashes, moves, tally = 0, {}, _Moves(), Tally()
    with ExitStack() as stack:
        writer = stack.enter_context(
            open_writer(
                output,
                finisher.topology,
                n_frames=source.n_frames,
                n_samples=samples,
                overwrite=overwrite,
                interval=source.interval,
                remarks=_remarks(backmapper, seed, mode),
                naming=naming,
            )
        )
        reporter = stack.enter_context(ReportWriter(*report_paths, trace)) if report_paths else None
        for chunk in source.chunks(_frames_per_chunk(backmapper, len(trace), samples)):
            atoms = backmapper.sample(
                trace, chunk, samples=samples, seed=seed, mode=mode, ca_tolerance=ca_tolerance, tally=tally
            )
            atoms, bridges = complete(trace, atoms, chunk.boxes, disulfides)
            atoms, more = finisher.finish(atoms, chunk)
            heavy = atoms[..., : trace.n_slots, :]
            lost = _unusable(heavy, chunk, present, coordinate_limits(output))
            moves.add(chunk.positions, atoms, ~lost[:, 0])
            if reporter is not None:
                _report_chunk(reporter, trace, chunk, heavy, present, lost, bridges, more)
            if lost.any():
                atoms[lost] = 0.0
                _note_unbuilt(source, chunk, lost)
            writer.write(atoms, chunk, _spread(heavy, present), bridges)
            done += len(chunk)
            if on_progress is not None:
                on_progress(done)
        seconds = time.perf_counter() - started
        writer.commit()
        if reporter is not None:
            settings: dict[str, Any] = {
                "samples": samples,
                "seed": seed,
                "mode": mode,
                "ca_tolerance": ca_tolerance,
            }
            settings |= {"disulfides": disulfides, "naming": naming}
            found = {"ca_moved": moves.facts(), "deep_overlaps": asdict(tally), **finisher.facts}
            run = _run_facts(backmapper, source, **settings, **found, seconds=seconds)
            clashes = reporter.finish(provenance(source.paths, **run))
    outputs = (*output_files(output), *report_paths)
    return RunSummary(done, samples, len(trace), seconds, outputs, clashes)


def choose_mode(mode: Mode | None, samples: int) -> Mode:
    """Settle the mode, which ``samples`` decides where it is not given.

    Raises
    ------
    UsageError
        Several samples in best mode, which has one answer only.
    """
    if mode == "best" and samples > 1:
        raise UsageError(
            f"mode best gives one structure per frame, not {samples}", "use mode ensemble, or one sample"
        )
    return mode or ("best" if samples == 1 else "ensemble")


def _frames_per_chunk(backmapper: Backmapper, residues: int, samples: int) -> int:
    """Whole blocks of the backmapper, one at least."""
    block = backmapper.frames_per_block(residues)
    return block * max(1, _RESIDUES_PER_CHUNK // (block * residues * samples))


class _Moves:
    """How far Cα are from where the input has them, gathered over chunks."""

    def __init__(self) -> None:
        self.beads, self.moved, self.total, self.most = 0, 0, 0.0, 0.0

    def add(self, positions: np.ndarray, atoms: np.ndarray, built: np.ndarray) -> None:
        """Compare input Cα (F, L, 3) with atoms (F, S, L, 15, 3) of residues that were ``built`` (F, L)."""
        step = atoms[:, 0, :, 1][built].astype(np.float64) - positions[built]
        distance = np.sqrt((step * step).sum(-1))
        self.beads += distance.size
        self.moved += int((distance > 0).sum())
        self.total += float(distance.sum())
        self.most = max(self.most, float(distance.max(initial=0.0)))

    def facts(self) -> dict[str, float]:
        """Percent of the beads that moved, mean over all and longest move in Å."""
        beads = max(self.beads, 1)
        return {
            "percent": round(100.0 * self.moved / beads, 2),
            "mean": round(self.total / beads, 4),
            "max": round(self.most, 4),
        }


def _spread(atoms: np.ndarray, present: np.ndarray) -> np.ndarray | None:
    """How far a residue's atoms (F, S, L, W, 3) stray between samples: Å, (F, S, L); None for one."""
    if atoms.shape[1] == 1:
        return None
    squares = ((atoms - atoms.mean(1, keepdims=True)) ** 2).sum(-1).mean(1)
    spread = np.sqrt((squares * present).sum(-1) / present.sum(-1))
    return np.repeat(spread[:, None], atoms.shape[1], axis=1)


def _unusable(
    atoms: np.ndarray, chunk: FrameChunk, present: np.ndarray, limits: tuple[float, float]
) -> np.ndarray:
    """Residues without a position in the input, or with atoms no file could hold: bool, (F, S, L)."""
    low, high = limits
    sound = ((atoms > low) & (atoms < high)).all(axis=-1) | ~present
    lost = np.asarray(~sound.all(axis=-1))
    return lost if chunk.lost is None else lost | chunk.lost[:, None]


def _note_unbuilt(source: Source, chunk: FrameChunk, lost: np.ndarray) -> None:
    """Record residues that had a position and still could not be written."""
    given = np.zeros(lost[:, 0].shape, dtype=bool) if chunk.lost is None else chunk.lost
    for frame in np.flatnonzero((lost.any(axis=1) & ~given).any(axis=1)):
        said = source.problems.get(int(chunk.indices[frame]), "coordinates that no file can hold")
        count = int((lost[frame].any(axis=0) & ~given[frame]).sum())
        source.problems[int(chunk.indices[frame])] = f"{said}; {count} residues not built"


def _report_chunk(
    reporter: ReportWriter,
    trace: CGTrace,
    chunk: FrameChunk,
    atoms: np.ndarray,
    present: np.ndarray,
    lost: np.ndarray,
    bridges: list[list[tuple[Bridge, ...]]],
    more: list[dict[str, Any]],
) -> None:
    """Count the clashes and defects of every sample of a chunk, frame by frame."""
    n_samples = atoms.shape[1]
    linked = np.repeat(trace.linked(chunk.positions), n_samples, axis=0)
    boxes = np.repeat(chunk.boxes, n_samples, axis=0)
    flat, missing = atoms.reshape(-1, *atoms.shape[2:]), lost.reshape(-1, lost.shape[2])
    counts: list[FrameClashes] = []
    defects: list[dict[str, int]] = []
    # Frames with lost residues are rare, and each has atoms of its own.
    for rows in _runs(np.asarray(missing.any(axis=1))):
        there = present & ~missing[rows.start][:, None]
        part = np.where(there[:, :, None], flat[rows], 0.0)
        counts += frame_clashes(trace.kinds, part, there, linked[rows], boxes[rows])
        defects += frame_defects(trace, part[:, :, :N_SLOTS], there[:, :N_SLOTS], linked[rows])
    for row, found in enumerate(counts):
        frame, sample = divmod(row, n_samples)
        where = int(chunk.indices[frame]), sample, float(chunk.times[frame])
        reporter.add(*where, found, bridges[frame][sample], defects[row] | more[row])


def _runs(alone: np.ndarray) -> list[slice]:
    """Split rows into stretches: those marked one by one, the others together."""
    starts = np.flatnonzero(np.r_[True, alone[1:] | alone[:-1]])
    stops = np.r_[starts[1:], len(alone)]
    return [slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def _remarks(backmapper: Backmapper, seed: int, mode: Mode) -> list[str]:
    return [
        f"LATCPB {__version__}, WEIGHTS {backmapper.weights_name}, SEED {seed}, MODE {mode.upper()}",
        "SHA256 OF THE WEIGHTS:",
        backmapper.weights_sha256,
    ]


def _run_facts(backmapper: Backmapper, source: Source, **settings: Any) -> dict[str, Any]:
    """Collect what the provenance says about this run."""
    return {
        "weights": {"name": backmapper.weights_name, "sha256": backmapper.weights_sha256},
        "device": backmapper.device,
        "frames": source.n_frames,
        "residues": len(source.trace),
        "warnings": list(source.warnings),
        "frames_with_problems": len(source.problems),
        "frame_problems": dict(list(source.problems.items())[:_PROBLEMS_REPORTED]),
        **settings,
    }
