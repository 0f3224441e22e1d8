"""What the model predicts of the conformations of residues, beside the structures that it gives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from latcpb_cli.chem.residues import BACKBONE_SLOTS
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.model.decoder import Decoded

__all__ = ["N_STATES", "Prediction"]

N_STATES = 10
"""Rotamers of a residue that count, the most probable ones."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A distribution over the rotamers of L side chains, and an expected backbone.

    Attributes
    ----------
    probability : Tensor, shape (L, N_STATES)
        Of the most probable rotamers, after packing and rescoring.
    chi : Tensor, shape (L, N_STATES, 4)
        Chi angles of these rotamers, rad.
    chi_std : Tensor, shape (L, 4)
        Standard deviation of each chi angle within a rotamer, rad.
    backbone : Tensor, shape (L, 3, 3)
        Expected positions of N, C and O, Å.
    peptide_variance : Tensor, shape (L,)
        Variance of the rotation of the peptide after each residue, rad²; zeros where it is not predicted.
    """

    probability: Float[Tensor, "L states"]
    chi: Float[Tensor, "L states 4"]
    chi_std: Float[Tensor, "L 4"]
    backbone: Float[Tensor, "L 3 3"]
    peptide_variance: Float[Tensor, "L"]

    @classmethod
    def from_decoded(
        cls, decoded: Decoded, expected: Decoded | None, chi_std: Float[Tensor, "L 4"]
    ) -> Prediction:
        """Collect what is predicted of decoded structures.

        Parameters
        ----------
        decoded
            Structures with the rotamer probabilities after packing and rescoring.
        expected
            Structures of the expected latents, where ``decoded`` are samples.
        chi_std
            See `Packing.chi_std`.

        Raises
        ------
        ValueError
            The decoder predicted positions, and no rotamers.
        """
        if decoded.rotamers is None:
            raise ValueError("a decoder of positions has no rotamers")
        top = decoded.rotamers.logits.log_softmax(-1).topk(N_STATES, dim=-1)
        chi = decoded.rotamers.chi.gather(1, top.indices[..., None].expand(-1, -1, N_CHI))
        concentration = decoded.concentration
        variance = torch.zeros_like(chi_std[:, 0]) if concentration is None else 1.0 / concentration
        backbone = (expected or decoded).atoms[:, list(BACKBONE_SLOTS)]
        return cls(top.values.exp(), chi, chi_std, backbone, variance)
