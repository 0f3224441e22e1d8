"""Built chunks go into files, report and journal, in the order of their frames."""

from __future__ import annotations

import time
from dataclasses import dataclass

from latcpb_cli.errors import InputError
from latcpb_cli.io.writers.atom_writer import AtomWriter
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.bfactors import BFactors
from latcpb_cli.run.chunk_job import BuiltChunk, ChunkJob
from latcpb_cli.run.journal import Journal, JournalEntry
from latcpb_cli.run.measure import MeasuredChunk, measure_chunk
from latcpb_cli.run.report import ReportWriter

__all__ = ["RunOutputs", "RunProgress"]


@dataclass(frozen=True, eq=False)
class RunOutputs:
    """Where a run writes.

    Attributes
    ----------
    writer : AtomWriter
    reporter : ReportWriter or None
    journal : Journal
    bfactors : BFactors or None
        None for zeros.
    """

    writer: AtomWriter
    reporter: ReportWriter | None
    journal: Journal
    bfactors: BFactors | None = None

    def commit(self) -> None:
        """Give all finished files their final names, and remove the journal."""
        self.journal.begin_renaming()
        self.writer.commit()
        if self.reporter is not None:
            self.reporter.commit()
        self.journal.remove()


class RunProgress:
    """Writes chunks in their order and sums over them; one thread at a time may use it.

    Parameters
    ----------
    job : ChunkJob
    outputs : RunOutputs
        The last entry of its journal is where the run goes on.
    started : float
        On the clock of `time.perf_counter`.
    strict : bool
        Whether a frame that cannot be built ends the run.

    Attributes
    ----------
    done : int
        Frames that are safe on the disk.
    displacement : CaDisplacement
    overlap_counts : OverlapCounts
    problems : dict of int to str
        What is wrong with frames, by frame number.
    """

    def __init__(self, job: ChunkJob, outputs: RunOutputs, started: float, strict: bool = False) -> None:
        self._job, self._outputs, self._strict = job, outputs, strict
        entry = outputs.journal.entry or JournalEntry()
        self.done, self._started = entry.frames, started - entry.seconds
        self.displacement, self.overlap_counts = entry.displacement, OverlapCounts()
        self.overlap_counts.add(entry.overlap_counts)
        self.problems, self._bridges = dict(entry.problems), entry.bridges

    @property
    def seconds(self) -> float:
        """Time that the run has taken, in all its sessions."""
        return time.perf_counter() - self._started

    def take(self, built: BuiltChunk | MeasuredChunk) -> int:
        """Measure a chunk, if its builder has not, and write it; returns the frames done so far.

        Raises
        ------
        InputError
            Under ``strict``: a frame could not be built.
        OutputError
        Exception
            What the model raised, where not one frame of the run could be built.
        """
        if built.error is not None and not self.done:
            raise built.error
        measured = built if isinstance(built, MeasuredChunk) else measure_chunk(self._job, built)
        noted = self._add_problems(measured)
        writer, reporter, bfactors = self._outputs.writer, self._outputs.reporter, self._outputs.bfactors
        values = None if bfactors is None else bfactors.values(measured)
        writer.write(measured.atoms, measured.chunk, values, measured.bridges)
        parts = writer.sync()
        if reporter is not None:
            reporter.add_chunk(measured)
            parts |= reporter.sync()
        for displacement in measured.displacements:
            self.displacement = self.displacement.plus(displacement)
        self.overlap_counts.add(measured.overlap_counts)
        if not self.done:
            self._bridges = measured.bridges[0][0]
        self.done += len(measured.chunk)
        entry = JournalEntry(
            self.done,
            parts,
            self.seconds,
            self.displacement,
            self.overlap_counts,
            self._bridges,
            noted,
        )
        self._outputs.journal.add(entry)
        return self.done

    def _add_problems(self, measured: MeasuredChunk) -> dict[int, str]:
        """Add the problems of a chunk's frames; returns all problems of these frames."""
        for index, problem in measured.problems.items():
            if self._strict:
                raise InputError(f"frame {index}: {problem}", "go on without --strict to write the others")
        for problems in (measured.chunk.problems, measured.problems):
            for index, problem in problems.items():
                known = self.problems.get(index)
                self.problems[index] = f"{known}; {problem}" if known else problem
        frames = measured.chunk.indices.tolist()
        return {index: self.problems[index] for index in frames if index in self.problems}
