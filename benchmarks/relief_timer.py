"""CPU time of the relief of overlaps inside a backmapper."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from latcpb_cli.relax import batch
from latcpb_cli.relax.relief import OverlapCounts, relieve_overlaps
from latcpb_cli.relax.structures import TorsionStructures

__all__ = ["ReliefCost", "relief_timer"]


@dataclass
class ReliefCost:
    """CPU seconds, and residues relieved."""

    seconds: float = 0.0
    residues: int = 0


@contextmanager
def relief_timer() -> Iterator[ReliefCost]:
    """Measure all relief inside the context."""
    cost = ReliefCost()

    def timed(structures: TorsionStructures, *settings: OverlapCounts | int | None) -> TorsionStructures:
        started = time.process_time()
        relieved = relieve_overlaps(structures, *settings)  # type: ignore[arg-type]
        cost.seconds += time.process_time() - started
        cost.residues += len(structures)
        return relieved

    with patch.object(batch, "relieve_overlaps", timed):
        yield cost
