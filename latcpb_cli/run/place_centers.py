"""Chunks of beads become chunks of Cα: predicted, then refined by structures built on them."""

from __future__ import annotations

from latcpb_cli.backbone.place_ca import place_ca
from latcpb_cli.backbone.refine_ca import refine_ca
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.structure import CGTrace, FrameChunk

__all__ = ["place_centers"]

_ROUNDS = 2
"""Of refinement; ``benchmarks/beads.py`` on held-out chains."""
_TRIAL = BackmapOptions(mode="best", without=("relief",))


def place_centers(backmapper: LoadedModel, trace: CGTrace, chunk: FrameChunk) -> FrameChunk:
    """Return a chunk with Cα, and the beads in ``beads``; one of Cα beads alone as it is.

    Raises
    ------
    WeightsError
        The weights have no encoder of centres of mass.
    """
    if trace.com_beads is None:
        return chunk
    placed = place_ca(backmapper.predictor.bead_encoder, trace, chunk)
    for _ in range(_ROUNDS):
        placed = refine_ca(trace, placed, backmapper.sample(trace, placed, _TRIAL)[:, 0])
    return placed
