"""What has been built goes into files, report and journal, chunk after chunk."""

from __future__ import annotations

import time
from dataclasses import asdict, astuple

from latcpb_cli.errors import InputError
from latcpb_cli.io.source import Source
from latcpb_cli.io.writers.atom_writer import AtomWriter
from latcpb_cli.relax.relief import OverlapCounts
from latcpb_cli.run.chunk_job import BuiltChunk, ChunkJob, MeasuredChunk
from latcpb_cli.run.journal import Journal, JournalEntry
from latcpb_cli.run.report import ReportWriter

__all__ = ["RunProgress"]


class RunProgress:
    """Takes chunks in their order; one thread at a time may use it.

    Parameters
    ----------
    recipe : ChunkJob
    source : Source
    writer : AtomWriter
    reporter : ReportWriter or None
    journal : Journal
        Where the run begins.
    started : float
        On the clock of `time.perf_counter`.

    Attributes
    ----------
    done : int
        Frames that are safe on the disk.
    """

    def __init__(
        self,
        recipe: ChunkJob,
        source: Source,
        writer: AtomWriter,
        reporter: ReportWriter | None,
        journal: Journal,
        started: float,
    ) -> None:
        self.recipe, self.source = recipe, source
        self._writer, self._reporter, self._journal = writer, reporter, journal
        mark = journal.mark or JournalEntry(0, {}, moves=[0.0] * 4, depths=[0] * 3)
        self.done, self._moves, self._started = mark.frames, mark.moves, started - mark.seconds
        self._depths, self._bridges = mark.depths, mark.bridges
        source.problems.update(mark.problems)

    @property
    def seconds(self) -> float:
        """Time that the run has taken, in all its sessions."""
        return time.perf_counter() - self._started

    def take(self, built: BuiltChunk | MeasuredChunk) -> int:
        """Measure a chunk, if its builder has not, and write it; returns the frames done so far.

        Raises
        ------
        OutputError
        Exception
            What the model raised, where not one frame of the run could be built.
        """
        if built.error is not None and not self.done:
            raise built.error
        found = built if isinstance(built, MeasuredChunk) else self.recipe.measure(built)
        self._note_problems(found)
        self._writer.write(found.atoms, found.chunk, found.spread, found.bridges)
        files = self._writer.sync()
        if self._reporter is not None:
            self._report(self._reporter, found)
            files |= self._reporter.sync()
        for moves in found.moves:
            sums = [old + new for old, new in zip(self._moves[:3], moves[:3], strict=True)]
            self._moves = [*sums, max(self._moves[3], moves[3])]
        self._depths = [old + new for old, new in zip(self._depths, astuple(found.tally), strict=True)]
        if not self.done:
            self._bridges = found.bridges[0][0]
        self.done += len(found.chunk)
        problems = self.source.problems
        noted = {index: problems[index] for index in found.chunk.indices.tolist() if index in problems}
        self._journal.add(
            JournalEntry(self.done, files, self.seconds, self._moves, self._depths, self._bridges, noted)
        )
        return self.done

    def moved(self) -> dict[str, float]:
        """Percent of the Cα that moved, mean over all and longest move in Å."""
        beads, moved, total, most = self._moves
        return {
            "percent": round(100.0 * moved / max(beads, 1), 2),
            "mean": round(total / max(beads, 1), 4),
            "max": round(most, 4),
        }

    def deep_overlaps(self) -> dict[str, int]:
        """Residues with deep overlaps as built, after relief, and after reselection."""
        return asdict(OverlapCounts(*self._depths))

    def _report(self, reporter: ReportWriter, found: MeasuredChunk) -> None:
        for row, clashes in enumerate(found.clashes):
            frame, sample = divmod(row, self.recipe.samples)
            index, at = int(found.chunk.indices[frame]), float(found.chunk.times[frame])
            reporter.add(index, sample, at, clashes, found.bridges[frame][sample], found.more[row])

    def _note_problems(self, found: MeasuredChunk) -> None:
        for index, said in found.problems.items():
            if self.source.strict:
                raise InputError(f"frame {index}: {said}", "go on without --strict to write the others")
            before = self.source.problems.get(index)
            self.source.problems[index] = f"{before}; {said}" if before else said
