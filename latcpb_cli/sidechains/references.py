"""Structures of the same residues whose conformations count in the frames of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latcpb_cli.geometry.ca_descriptors import ca_descriptors
from latcpb_cli.sidechains.consensus import RotamerConsensus
from latcpb_cli.templates.evidence import TemplateEvidence, find_evidence
from latcpb_cli.templates.template import Template

__all__ = ["References", "TracePart"]


@dataclass(frozen=True, eq=False)
class TracePart:
    """The traces of F frames, and where they are computed.

    Attributes
    ----------
    ca : numpy.ndarray, shape (F, L, 3)
        Cα, Å.
    linked : numpy.ndarray of bool, shape (F, L)
        Whether a peptide joins each residue to the next.
    next_residue : numpy.ndarray of int64, shape (L,), or None
        Row of the next residue of each, in a system with rings.
    device : str
    """

    ca: Float[np.ndarray, "F L 3"]
    linked: Bool[np.ndarray, "F L"]
    next_residue: Int[np.ndarray, "L"] | None
    device: torch.device | str


@dataclass(frozen=True, eq=False)
class References:
    """What counts in frames whose traces are like those of other structures.

    Attributes
    ----------
    consensus : RotamerConsensus or None
        Reference frames by which best mode smooths its probabilities.
    templates : tuple of Template
        All-atom structures.
    """

    consensus: RotamerConsensus | None = None
    templates: tuple[Template, ...] = ()

    def consensus_weights(
        self, frames: Int[np.ndarray, "F"], part: TracePart, length: float
    ) -> Float[Tensor, "FL R"] | None:
        """Return what reference frames add to the rotamer probabilities of frames, by their numbers."""
        if self.consensus is None:
            return None
        descriptors = ca_descriptors(part.ca, part.linked, part.next_residue)
        return self.consensus.weights(frames, descriptors, length).to(part.device)

    def template_evidence(self, part: TracePart) -> TemplateEvidence | None:
        """Return what templates say of the residues of some frames."""
        if not self.templates:
            return None
        return find_evidence(self.templates, part.ca, part.linked, part.next_residue).to(part.device)
