"""The model as Python users have it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from os import PathLike
from typing import Any

from latcpb_cli.api.backmapped import Backmapped
from latcpb_cli.api.inputs import Frames, open_any
from latcpb_cli.api.settings import split_settings
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.run.chunk_job import BuiltChunk
from latcpb_cli.run.prepared_run import PreparedRun

__all__ = ["Backmapper"]

_LOG = logging.getLogger(__name__)
_NO_LIMITS = (float("-inf"), float("inf"))


class Backmapper(LoadedModel):
    """A loaded model: frames of Cα in, all atoms out.

    Examples
    --------
    >>> import latcpb_cli as latcpb
    >>> model = latcpb.Backmapper.from_pretrained()
    >>> result = model.backmap("examples/tnc.dcd", top="examples/tnc.pdb", frames=slice(0, 2))
    >>> result
    <Backmapped: 2 frames, 89 residues>
    >>> result.universe.select_atoms("name CB").n_atoms
    83
    """

    def backmap(
        self,
        x: Frames,
        *,
        top: str | PathLike[str] | None = None,
        frames: slice | str | None = None,
        progress: bool = False,
        **settings: Any,
    ) -> Backmapped:
        """Build the atoms of all frames, in memory.

        The atoms are those that the command writes for the same input and options.

        Parameters
        ----------
        x : path, paths, Universe, AtomGroup, Trajectory or array
            A structure or trajectory file, or several that are read one after the other; a Universe or an
            AtomGroup of MDAnalysis; a Trajectory of mdtraj; or Cα positions in Å of shape (F, L, 3), or
            (L, 3), together with ``sequence="MKV..."`` (``/`` between chains).
        top : path, optional
            Structure that names the atoms of trajectory files.
        frames : slice or str, optional
            Which frames; all by default. A string is ``start:stop:step``.
        progress : bool
            Whether a progress bar is shown (on the terminal, or in a notebook), with the steps of frames that
            take longer than ten seconds in mode exact.
        **settings
            Fields of `ReadOptions` and of `BackmapOptions`: ``samples=4``, ``selection="chainID A"``, ...

        Returns
        -------
        Backmapped

        Raises
        ------
        UsageError
            A setting is not known or not possible, or ``x`` is of another type.
        InputError
            The input does not hold Cα beads of known residues.
        """
        run = self._prepare(x, top, frames, settings)
        return Backmapped(run, tuple(_build(run, progress)))

    def stream(
        self,
        x: Frames,
        *,
        top: str | PathLike[str] | None = None,
        frames: slice | str | None = None,
        progress: bool = False,
        **settings: Any,
    ) -> Iterator[Backmapped]:
        """Build frame after frame; memory does not grow with the trajectory.

        Parameters
        ----------
        x, top, frames, progress, **settings
            See `backmap`. The input is opened, and refused, at the call.

        Yields
        ------
        Backmapped
            One frame.

        Raises
        ------
        UsageError, InputError
            See `backmap`.
        """
        return _single_frames(self._prepare(x, top, frames, settings), progress)

    def _prepare(
        self, x: Frames, top: str | PathLike[str] | None, frames: slice | str | None, settings: dict[str, Any]
    ) -> PreparedRun:
        reading, options = split_settings(settings, frames)
        source = open_any(x, top, reading).keeping_backbone(options.keep_backbone)
        for note in source.notes:
            _LOG.info(note)
        for warning in source.warnings:
            _LOG.warning(warning)
        run = PreparedRun.prepare(self, source, options, _NO_LIMITS)
        for note in run.job.templates.notes:
            _LOG.info(note)
        return run


def _build(run: PreparedRun, progress: bool) -> Iterator[BuiltChunk]:
    """Build the chunks of a run."""
    from tqdm.auto import tqdm

    total = run.source.n_frames
    chunks = run.source.chunks(run.frames_per_chunk(total))
    with tqdm(total=total, unit="frame", disable=not progress) as bar:
        on_steps = (lambda steps: bar.set_postfix_str(str(steps))) if progress else None
        reporting = replace(run, backmapper=run.backmapper.reporting(on_steps))
        with closing(reporting.in_process().build(run.job, chunks)) as builder:
            for number, built in enumerate(builder):
                if built.error is not None and not number:
                    raise built.error
                yield built
                bar.set_postfix_str("", refresh=False)
                bar.update(len(built.chunk))


def _single_frames(run: PreparedRun, progress: bool) -> Iterator[Backmapped]:
    for built in _build(run, progress):
        for row in range(len(built.chunk)):
            yield Backmapped(run, (built.select(row),))
