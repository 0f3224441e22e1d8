"""What is written as B factors."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.choices import BFactor
from latcpb_cli.confidence.record import Confidence
from latcpb_cli.confidence.scores import has_chi
from latcpb_cli.run.measure import MeasuredChunk
from latcpb_cli.structure import AtomTopology

__all__ = ["BFactors"]

_BACKBONE_NAMES = ("N", "CA", "C", "O", "OXT", "CB", "H", "H1", "H2", "H3", "HA", "HA2", "HA3")
_REMOTENESS = "BGDEZH"
"""Second letters of atom names: how many chi angles place an atom, as far as the residue has so many."""


class BFactors:
    """B factors of the atoms of an output.

    Parameters
    ----------
    topology : AtomTopology
        N atoms.
    kind : {'confidence', 'spread'} or None
        See `BackmapOptions`; by default the spread where there are several samples.
    """

    def __init__(self, topology: AtomTopology, kind: BFactor | None) -> None:
        self._topology, self._kind = topology, kind
        self._n_chi = _chi_that_place(topology) if kind == "confidence" else None

    def values(self, measured: MeasuredChunk) -> Float[np.ndarray, "F S N"] | None:
        """Return the B factor of each atom of each structure; None for zeros."""
        if self._n_chi is not None:
            assert measured.confidence is not None  # or the run would have ended before
            return self._percent(measured.confidence, self._n_chi)
        if measured.spread is None:
            return None
        spread = measured.spread[:, None, self._topology.residue, self._topology.slot]
        return np.asarray(np.repeat(spread, measured.atoms.shape[1], axis=1))

    def _percent(self, confidence: Confidence, n_chi: Int[np.ndarray, "N"]) -> Float[np.ndarray, "F S N"]:
        """100 times the probability that what places an atom is right; 0 for missing residues."""
        probability = np.concatenate([confidence.backbone[..., None], confidence.chi], axis=-1)
        return np.asarray(np.nan_to_num(100.0 * probability[:, :, self._topology.residue, n_chi]))


def _chi_that_place(topology: AtomTopology) -> Int[np.ndarray, "N"]:
    """Number of chi angles that place each atom: 0 for the backbone, CB, and all atoms of proline.

    Atoms whose names have no letter of remoteness, such as those of phosphates, come after the last chi.
    """
    most = has_chi(topology.trace.residue_types).sum(-1)[topology.residue]
    depth = [_remoteness(str(name)) for name in topology.names]
    return np.asarray(np.minimum(depth, most))


def _remoteness(name: str) -> int:
    if name in _BACKBONE_NAMES:
        return 0
    depth = _REMOTENESS.find(name[1]) if len(name) > 1 else -1
    return depth if depth >= 0 else len(_REMOTENESS)
