"""Cα of residues whose beads are centres of mass.

The encoder of beads predicts each Cα by itself, and how sure it is. The distances between neighbours are then
made those of peptides, where the less certain of two Cα moves more.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float

from latcpb_cli.backbone.bead_noise import estimate_bead_noise
from latcpb_cli.backbone.ca_geometry import fit_distances
from latcpb_cli.backbone.relax_trace import relax_trace
from latcpb_cli.chem.ideal import peptide_shapes
from latcpb_cli.chem.residues import PRO
from latcpb_cli.com_beads.encoder import BeadEncoder, Beads
from latcpb_cli.errors import WeightsError
from latcpb_cli.geometry.canonical_frame import canonical_frame
from latcpb_cli.structure import BREAK_CUTOFF, CGTrace, FrameChunk

__all__ = ["place_ca"]

_RESIDUES_PER_BLOCK = 1024
_MAX_STEP = 13.0
"""Å between neighbouring beads of one chain: two centres of mass on long side chains; more is a break."""
_MAX_CIS_DISTANCE = 3.35
"""A peptide before proline is cis where its two Cα are predicted nearer than this (Å), however sure they are.

Of 20,000 such peptides of training chains, as many are cis as trans there. The cutoff finds 86 % of those
that are cis, and takes 0.3 % of the others for cis."""
_TOLERANCE = 2.0
"""Standard deviations that a Cα may be moved by the relaxation of the trace."""
_MAX_TOLERANCE = 0.8
"""Å."""
_MAX_MISFIT = 0.7
"""Å rms off the distance of a peptide, before it is corrected, of beads that cannot be centres of mass."""
_MIN_CHECKED = 12


@torch.no_grad()
def place_ca(encoder: BeadEncoder | None, trace: CGTrace, chunk: FrameChunk) -> FrameChunk:
    """Return a chunk with Cα instead of beads, which it keeps as ``beads``, and an estimate of their noise.

    Beads that are Cα stay to the bit. A frame has a problem where neighbouring Cα are not where peptides
    could join them: its beads are no centres of mass. A frame's numbers do not depend on the other frames,
    and turn with it.

    Parameters
    ----------
    encoder : BeadEncoder or None
        Of the weights.
    trace : CGTrace
        With ``com_beads``.
    chunk : FrameChunk
        As it is read.

    Raises
    ------
    WeightsError
        The weights have no such encoder.
    """
    if encoder is None:
        raise WeightsError("these weights have no encoder of centres of mass", "use the default weights")
    assert trace.com_beads is not None
    absent = np.zeros(chunk.positions.shape[:2], dtype=bool) if chunk.missing is None else chunk.missing
    is_com = trace.com_beads & ~absent
    following = _follows(trace, chunk.positions, absent)
    predicted, std = _predict(encoder, trace, chunk.positions, is_com, following)
    linked, target = _peptides(trace, predicted, std, following)
    misfits = np.linalg.norm(np.diff(predicted, axis=1), axis=-1) - target[:, :-1]
    problems = _problems(misfits, (linked & is_com)[:, :-1], chunk)
    both = (linked & is_com)[:, :-1] & is_com[:, 1:]
    ca = fit_distances(predicted, std, np.where(linked[:, :-1], target[:, :-1], np.nan))
    ca = np.where(is_com[..., None], ca, chunk.positions).astype(chunk.positions.dtype)
    tolerance = np.where(is_com, np.minimum(_TOLERANCE * std, _MAX_TOLERANCE), 0.0)
    relaxed = relax_trace(ca, trace.residue_types, trace.linked(ca), tolerance, max_gap=0)
    noise = estimate_bead_noise(misfits, both)
    return replace(
        chunk, positions=relaxed.positions, beads=chunk.positions, bead_noise=noise, problems=problems
    )


def _follows(
    trace: CGTrace, positions: Float[np.ndarray, "F L 3"], absent: Bool[np.ndarray, "F L"]
) -> Bool[np.ndarray, "F L"]:
    """Whether the next residue continues the chain of each, in beads that are there and near enough."""
    follows = np.zeros(absent.shape, dtype=bool)
    step = np.diff(positions.astype(np.float64), axis=1)
    near = (step * step).sum(-1) <= _MAX_STEP**2
    in_chain = trace.same_chain_as_next()[:-1] & (np.diff(trace.resids) <= 1)
    follows[:, :-1] = near & in_chain & ~absent[:, 1:] & ~absent[:, :-1]
    return follows


def _predict(
    encoder: BeadEncoder,
    trace: CGTrace,
    positions: Float[np.ndarray, "F L 3"],
    is_com: Bool[np.ndarray, "F L"],
    follows: Bool[np.ndarray, "F L"],
) -> tuple[Float[np.ndarray, "F L 3"], Float[np.ndarray, "F L"]]:
    """Cα (Å, float64) and their standard deviations; zero for beads that are Cα."""
    n_frames, length = is_com.shape
    center, axes = canonical_frame(positions.astype(np.float64))
    canonical = ((positions - center) @ axes.swapaxes(1, 2)).astype(np.float32)
    segment = np.zeros(is_com.shape, dtype=np.int64)
    segment[:, 1:] = np.cumsum(~follows[:, :-1], axis=1)
    ca, std = np.empty(canonical.shape), np.empty(is_com.shape)
    size, device = max(1, _RESIDUES_PER_BLOCK // length), next(encoder.parameters()).device
    types = torch.from_numpy(np.tile(trace.residue_types, size)).to(device)
    for start in range(0, n_frames, size):
        # All blocks have the same size, so that rounding is the same for a frame in any of them.
        rows = np.minimum(np.arange(start, start + size), n_frames - 1)
        offset = length * np.arange(size)[:, None]
        columns = (canonical[rows], is_com[rows], segment[rows] + offset)
        points, kinds, segments = (torch.from_numpy(x).to(device).flatten(0, 1) for x in columns)
        placement = encoder(Beads(points, types, kinds, segments))[-1]
        last = min(start + size, n_frames)
        kept = slice(0, last - start)
        ca[start:last] = placement.ca.cpu().numpy().reshape(size, length, 3)[kept]
        std[start:last] = placement.ca_log_std.exp().cpu().numpy().reshape(size, length)[kept]
    return ca @ axes + center, np.where(is_com, std, 0.0)


def _peptides(
    trace: CGTrace,
    ca: Float[np.ndarray, "F L 3"],
    std: Float[np.ndarray, "F L"],
    follows: Bool[np.ndarray, "F L"],
) -> tuple[Bool[np.ndarray, "F L"], Float[np.ndarray, "F L"]]:
    """Whether a peptide joins each residue to the next, and the distance (Å) of their Cα."""
    trans, cis = (shape.ca_ca for shape in peptide_shapes())
    distance, error = np.zeros(std.shape), np.zeros(std.shape)
    distance[:, :-1] = np.linalg.norm(np.diff(ca, axis=1), axis=-1)
    error[:, :-1] = np.sqrt(std[:, :-1] ** 2 + std[:, 1:] ** 2)
    before_proline = np.zeros(len(trace), dtype=bool)
    before_proline[:-1] = trace.residue_types[1:] == PRO
    is_cis = before_proline & (distance < _MAX_CIS_DISTANCE)
    linked = follows & (distance <= BREAK_CUTOFF + 2.0 * error)
    return linked, np.where(is_cis, cis, trans)


def _problems(
    misfits: Float[np.ndarray, "F steps"], joined: Bool[np.ndarray, "F steps"], chunk: FrameChunk
) -> dict[int, str]:
    """The problems of the chunk, with those of frames whose Cα are far from the distance of peptides."""
    problems = dict(chunk.problems)
    square = np.where(joined, misfits**2, 0.0).sum(axis=1)
    count = joined.sum(axis=1)
    misfit = np.sqrt(square / np.maximum(count, 1))
    for row in np.flatnonzero((count >= _MIN_CHECKED) & (misfit > _MAX_MISFIT)):
        index = int(chunk.indices[row])
        problem = (
            f"beads are no centres of mass of residues: Cα found from them are {misfit[row]:.1f} Å off the "
            "distance of peptides"
        )
        problems[index] = "; ".join(filter(None, (problems.get(index), problem)))
    return problems
