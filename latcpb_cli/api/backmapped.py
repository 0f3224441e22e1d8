"""Built atoms in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64

from latcpb_cli.api.notebook import molecule_view, summary_html
from latcpb_cli.confidence.calibration import require_calibration
from latcpb_cli.confidence.record import Confidence
from latcpb_cli.io.writers.universe import build_universe
from latcpb_cli.run.chunk_job import BuiltChunk
from latcpb_cli.run.measure import MeasuredChunk, measure_chunk
from latcpb_cli.run.memory_report import MemoryReport
from latcpb_cli.run.output_plan import OutputPlan
from latcpb_cli.run.pipeline import run_settings, write_run
from latcpb_cli.run.prepared_run import PreparedRun, StoredChunks
from latcpb_cli.structure import AtomTopology

if TYPE_CHECKING:
    import MDAnalysis

__all__ = ["Backmapped"]


@dataclass(frozen=True, eq=False)
class Backmapped:
    """The atoms of F frames with S samples each, as `Backmapper.backmap` builds them.

    Attributes
    ----------
    run : PreparedRun
        How they were built.
    built : tuple of BuiltChunk
    """

    run: PreparedRun
    built: tuple[BuiltChunk, ...]

    def __len__(self) -> int:
        return sum(len(part.chunk) for part in self.built)

    def __repr__(self) -> str:
        samples = f", {self.run.options.samples} samples each" if self.run.options.samples > 1 else ""
        return f"<Backmapped: {len(self)} frames{samples}, {len(self.run.source.trace)} residues>"

    def _repr_html_(self) -> str:
        return summary_html(self)

    @property
    def topology(self) -> AtomTopology:
        """The N atoms: names, elements, residues."""
        return self.run.post_processor.topology

    @cached_property
    def coordinates(self) -> Float32[np.ndarray, "F S N 3"]:
        """Positions in Å; zeros for residues that could not be built (see `missing`)."""
        parts = [
            self.topology.flatten(part.atoms.reshape(-1, *part.atoms.shape[2:])) for part in self._measured
        ]
        samples = self.run.options.samples
        return np.concatenate(parts).reshape(-1, samples, len(self.topology), 3)

    @cached_property
    def missing(self) -> Bool[np.ndarray, "F S L"]:
        """Residues that could not be built: without a position in the input, or beyond any coordinate."""
        return np.concatenate([part.missing for part in self.built])

    @property
    def frames(self) -> Int64[np.ndarray, "F"]:
        """Numbers of the frames in the input."""
        return np.concatenate([part.chunk.indices for part in self.built])

    @property
    def times(self) -> Float64[np.ndarray, "F"]:
        """Times in ps."""
        return np.concatenate([part.chunk.times for part in self.built])

    @property
    def boxes(self) -> Float[np.ndarray, "F 6"]:
        """a, b, c (Å), alpha, beta, gamma (degrees); zeros for no box."""
        return np.concatenate([part.chunk.boxes for part in self.built])

    @cached_property
    def universe(self) -> MDAnalysis.Universe:
        """A universe in memory, with the samples of a frame one after the other, as in a file."""
        samples = self.run.options.samples
        bonds = self.run.post_processor.bonds(self.built[0].bridges[0][0])
        positions = self.coordinates.reshape(-1, len(self.topology), 3).copy()
        times, boxes = np.repeat(self.times, samples), np.repeat(self.boxes, samples, axis=0)
        return build_universe(self.topology, bonds, positions, times, boxes)

    @cached_property
    def report(self) -> MemoryReport:
        """Clashes and defects, of frames and of residues."""
        problems = dict(self.run.problems)
        for measured in self._measured:
            problems |= measured.chunk.problems | measured.problems
        return MemoryReport.collect(self.run.source.trace, self._measured, dict(sorted(problems.items())))

    @cached_property
    def uncertainty(self) -> dict[str, Float32[np.ndarray, "F S L"]]:
        """Probabilities and expected errors of every residue, by the names in `Confidence.as_dict`.

        NaN for what a residue does not have, and for residues that could not be built.

        Raises
        ------
        UsageError
            They are not known: in mode exact, or without some of the parts.
        WeightsError
            The weights have no calibration.
        """
        self.run.options.require_predictions()
        require_calibration(self.run.backmapper.calibration)
        parts = [part.confidence for part in self._measured if part.confidence is not None]
        return Confidence.concatenate(parts).as_dict()

    def write(
        self, path: str | PathLike[str], *, report: bool = False, overwrite: bool = False
    ) -> tuple[Path, ...]:
        """Write the files that the command writes, with the same bytes.

        Parameters
        ----------
        path : path
            ``.pdb``, ``.cif``, ``.xtc``, ``.dcd`` or ``.trr``; a trajectory gets a topology beside it.
        report : bool
            Whether the clash report is written as well.
        overwrite : bool
            Whether files that exist may be replaced.

        Returns
        -------
        tuple of pathlib.Path
            Files written, the main one first.

        Raises
        ------
        UsageError, OutputExistsError, OutputError, InputError
            The format, the name or the folder is not possible, a file is there already, or the coordinates do
            not fit into the format.
        """
        options = replace(self.run.options, report=report, overwrite=overwrite, resume=False)
        source = self.run.source
        with OutputPlan.reserve(Path(path), options, source.paths) as plan:
            plan.check_frames(source.trace, (part.chunk for part in self.built), len(self) * options.samples)
            settings = run_settings(self.run.backmapper, source, options, plan)
            if len(self) < source.n_frames:
                # A frame of a stream is not mistaken for the output of the whole run.
                settings["part"] = self.frames.tolist()
            plan.journal.begin(settings, resume=False)
            run = self.run.with_output(plan.coordinate_limits, options, len(self))
            return write_run(run, plan, settings, StoredChunks(self.built)).outputs

    def view(self, frame: int = 0, sample: int = 0) -> object:
        """Return a 3D view of one structure for notebooks; needs py3Dmol or nglview.

        Raises
        ------
        UsageError
            Neither is installed.
        """
        return molecule_view(self.universe, frame * self.run.options.samples + sample)

    @cached_property
    def _measured(self) -> list[MeasuredChunk]:
        return list(self._measure())

    def _measure(self) -> Iterator[MeasuredChunk]:
        job = replace(self.run.job, options=replace(self.run.options, report=True))
        for part in self.built:
            yield measure_chunk(job, part)
