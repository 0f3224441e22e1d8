"""What an input is understood as."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any

from latcpb_cli.api.inputs import Frames, open_any
from latcpb_cli.api.settings import split_settings
from latcpb_cli.io.inspection import Inspection, inspect_source
from latcpb_cli.io.source import Source

__all__ = ["InputSummary", "inspect"]


@dataclass(frozen=True, eq=False)
class InputSummary:
    """What was understood of an input, without a model.

    Attributes
    ----------
    source : Source
        The residues (``trace``), and every decision about the input: ``left_out``, ``renamed``, ``notes``,
        ``warnings``.
    measured : Inspection
        Frames, times, boxes, chains with their distances and breaks, and frames with problems.
    """

    source: Source
    measured: Inspection

    def __str__(self) -> str:
        trace, measured = self.source.trace, self.measured
        chains = "; ".join(f"{chain.first} to {chain.last}" for chain in measured.chains)
        lines = [
            f"{measured.n_frames} frames of {len(trace)} residues in {len(measured.chains)} chains: {chains}"
        ]
        lines += [f"note: {note}" for note in self.source.notes]
        lines += [f"warning: {warning}" for warning in self.source.warnings]
        lines += [f"frame {index}: {problem}" for index, problem in measured.problems.items()]
        return "\n".join(lines)


def inspect(
    x: Frames,
    *,
    top: str | PathLike[str] | None = None,
    frames: slice | str | None = None,
    **settings: Any,
) -> InputSummary:
    """Read an input as `Backmapper.backmap` would, without building anything.

    Parameters
    ----------
    x, top, frames
        See `Backmapper.backmap`.
    **settings
        Fields of `ReadOptions`.

    Raises
    ------
    UsageError, InputError
    """
    source = open_any(x, top, split_settings(settings, frames)[0])
    return InputSummary(source, inspect_source(source))
