"""``latcpb inspect``: what the reader understood, without running the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latcpb_cli.cli import bead_options as kind
from latcpb_cli.cli import options as opt
from latcpb_cli.errors import one_line

if TYPE_CHECKING:
    import numpy as np

    from latcpb_cli.io.inspection import Inspection
    from latcpb_cli.io.source import Source

__all__ = ["inspect"]

_CHAINS_SHOWN, _LINES_SHOWN, _LETTERS = 20, 10, 60


def inspect(
    top: Annotated[
        Path, typer.Argument(metavar="TOP", help="Structure, or topology of TRAJ.", show_default=False)
    ],
    trajectories: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[TRAJ...]", help="Trajectories, one after the other.", show_default=False),
    ] = None,
    selection: opt.Selection = None,
    pbc: opt.Pbc = "whole",
    scale: opt.Scale = 1.0,
    sequence: opt.Sequence = None,
    on_unknown: opt.OnUnknown = "error",
    bead: kind.Bead = None,
    beads: kind.Beads = "auto",
    com_residues: kind.ComResidues = None,
    sc_bead: kind.ScBead = None,
    sc_center: kind.ScCenter = "mass",
    chain_ends: opt.ChainEnds = "geometry",
    cyclic: opt.Cyclic = False,
    begin: opt.Begin = None,
    end: opt.End = None,
    stride: opt.Stride = 1,
    frames: opt.Frames = None,
    drop_repeated_times: opt.DropRepeatedTimes = False,
    format: opt.Format = None,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> None:
    """Show what latcpb understands of an input: chains, sequence, breaks, beads, box, frames.

    Nothing is refused that can be read at all: what backmap would refuse or
    leave out is listed. Every chosen frame is read.
    """
    from latcpb_cli.io.inspection import inspect_source
    from latcpb_cli.io.open_source import open_source
    from latcpb_cli.read_options import FrameWindow, ReadOptions

    options = ReadOptions(
        selection=selection,
        pbc=pbc,
        window=FrameWindow(begin, end, stride, frames),
        scale=scale,
        sequence=sequence,
        on_unknown=on_unknown,
        format=format,
        drop_repeated_times=drop_repeated_times,
        bead=bead,
        beads=beads,
        com_residues=com_residues,
        sc_bead=sc_bead,
        sc_center=sc_center,
        chain_ends=chain_ends,
        cyclic=cyclic,
        force=True,
    )
    source = open_source(trajectories or [top], top, options)
    inspection = inspect_source(source)
    for line in [
        *_overview(source, inspection),
        *_chains(inspection, verbose),
        *_findings(source, inspection, verbose),
    ]:
        typer.echo(one_line(line))


def _overview(source: Source, inspection: Inspection) -> list[str]:
    """Files, frames, box and beads, one line each."""
    times = f"{inspection.first_time:g} ps"
    if inspection.n_frames > 1:
        times = f"{inspection.first_time:g} to {inspection.last_time:g} ps, every {source.interval:g} ps"
    named = f"named {source.bead_name}" if source.bead_name else "of any name"
    spacing = source.spacing
    lines = [
        f"files      {' '.join(str(path) for path in source.paths)}",
        f"frames     {inspection.n_frames:,} of {source.n_all_frames:,}: {times}",
        f"box        {_box(inspection.smallest_box, inspection.largest_box)}",
        f"beads      {len(source.trace):,} {named}, in {_several(len(inspection.chains), 'chain')}",
    ]
    if source.trace.com_beads is not None:
        lines.append(f"kinds      {source.trace.com_beads.sum():,} centres of mass, the others Cα")
    if source.trace.side_chain_center is not None:
        lines.append(f"kinds      Cα, and centres of side chains ({source.trace.side_chain_center})")
    if spacing.n_bonds:
        lines.append(
            f"Cα-Cα      median {spacing.median:.2f} Å, {spacing.n_outliers} of {spacing.n_bonds} bonds odd, "
            f"{_several(inspection.n_cis, 'cis peptide')}: "
            + ("not like Cα" if spacing.regions or not 3.3 <= spacing.median <= 4.35 else "like Cα")
        )
    return lines


def _box(smallest: np.ndarray, largest: np.ndarray) -> str:
    if not largest.any():
        return "none"
    low, high = smallest.tolist(), largest.tolist()
    edges = [
        f"{a:.2f}" if abs(a - b) < 0.005 else f"{a:.2f}..{b:.2f}" for a, b in zip(low, high, strict=True)
    ]
    return f"{' x '.join(edges[:3])} Å, angles {' '.join(edges[3:])}°"


def _chains(inspection: Inspection, verbose: bool) -> list[str]:
    """Each chain with its sequence and its breaks."""
    lines = []
    shown = len(inspection.chains) if verbose else _CHAINS_SHOWN
    for number, chain in enumerate(inspection.chains[:shown], start=1):
        name = f"'{chain.name}'" if chain.name else "without a name"
        spacing = "" if chain.mean != chain.mean else f", Cα-Cα {chain.mean:.2f} ± {chain.std:.2f} Å"
        lines.append(
            f"chain {number}    {name}, {_several(len(chain.sequence), 'residue')}, {chain.first} to "
            f"{chain.last}{spacing}"
        )
        letters = chain.sequence
        lines += [f"           {letters[at : at + _LETTERS]}" for at in range(0, len(letters), _LETTERS)]
        broken = list(chain.breaks.items())
        for where, count in broken[: len(broken) if verbose else _LINES_SHOWN]:
            lines.append(f"  break    {where} in {count:,} of {_several(inspection.n_frames, 'frame')}")
        lines += _more(len(broken), _LINES_SHOWN, "break", verbose)
    return lines + _more(len(inspection.chains), _CHAINS_SHOWN, "chain", verbose)


def _findings(source: Source, inspection: Inspection, verbose: bool) -> list[str]:
    """What is left out, renamed, decided, doubtful, and wrong with frames."""
    lines = [f"left out   {name} ({count:,})" for name, count in source.left_out.items()]
    lines += [f"read as    {old} as {new} ({count:,})" for (old, new), count in source.renamed.items()]
    lines += [f"modified   {what} ({count:,})" for what, count in source.trace.count_modified().items()]
    lines += [f"note       {note}" for note in source.notes]
    lines += [f"warning    {warning}" for warning in source.warnings]
    if source.spacing.regions:
        lines.append("refused    latcpb backmap takes these beads with --force only")
    bad = [f"warning    frame {index}, {problem}" for index, problem in inspection.problems.items()]
    return (
        lines + bad[: len(bad) if verbose else _LINES_SHOWN] + _more(len(bad), _LINES_SHOWN, "frame", verbose)
    )


def _more(number: int, shown: int, what: str, verbose: bool) -> list[str]:
    rest = 0 if verbose else number - shown
    return [f"           and {_several(rest, f'more {what}')} (-v shows all)"] if rest > 0 else []


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
