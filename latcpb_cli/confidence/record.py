"""The confidence in structures: probabilities and expected errors of every residue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.chem.zmatrix import N_CHI

__all__ = ["QUANTITIES", "Confidence", "mean_quantities", "residue_columns"]

QUANTITIES = (
    "chi1", "chi1_to_chi2", "chi1_to_chi3", "chi1_to_chi4", "backbone", "side_chain_error", "backbone_error"
)  # fmt: skip
"""Names of the quantities of a residue, in the order of `Confidence.table`."""


@dataclass(frozen=True, eq=False)
class Confidence:
    """Confidence in F frames, S samples and L residues.

    The truth is a crystal structure with the same Cα. In mode best, a probability is that of the structure
    given. In mode ensemble it is that of the sample given, not of the most probable state: it is low in a
    sample of a rare state, and its mean over many samples is the part of them that is right.

    Attributes
    ----------
    chi : numpy.ndarray of float32, shape (F, S, L, 4)
        Probability that chi 1 to k are all within 40 degrees of the truth. NaN for chi angles that a residue
        does not have, and for proline.
    backbone : numpy.ndarray of float32, shape (F, S, L)
        Probability that N, C and O are within 0.5 Å of the truth (root mean square).
    side_chain_error : numpy.ndarray of float32, shape (F, S, L)
        Expected root mean square deviation (Å) of CB and the atoms beyond it; NaN for glycine.
    backbone_error : numpy.ndarray of float32, shape (F, S, L)
        Expected root mean square deviation (Å) of N, C and O.
    """

    chi: Float[np.ndarray, "F S L 4"]
    backbone: Float[np.ndarray, "F S L"]
    side_chain_error: Float[np.ndarray, "F S L"]
    backbone_error: Float[np.ndarray, "F S L"]

    @classmethod
    def unknown(cls, n_frames: int, n_samples: int, n_residues: int) -> Confidence:
        """Return NaN for everything."""
        values = np.full((n_frames, n_samples, n_residues), np.nan, dtype=np.float32)
        return cls(np.repeat(values[..., None], N_CHI, axis=-1), values, values, values)

    @classmethod
    def concatenate(cls, parts: Sequence[Confidence]) -> Confidence:
        """Join frames."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def select(self, frames: slice) -> Confidence:
        """Return some of the frames."""
        return Confidence(*(values[frames] for values in vars(self).values()))

    def without(self, missing: Bool[np.ndarray, "F S L"]) -> Confidence:
        """Return NaN for residues that are missing."""
        if not missing.any():
            return self
        others = (
            np.where(missing, np.nan, x) for x in (self.backbone, self.side_chain_error, self.backbone_error)
        )
        chi = np.where(missing[..., None], np.nan, self.chi)
        return Confidence(*(values.astype(np.float32) for values in (chi, *others)))

    def with_given_backbone(self) -> Confidence:
        """Return certainty of backbones, which are not predicted but given; nothing else changes."""
        known = np.isfinite(self.backbone)
        certain, exact = (np.where(known, value, np.nan).astype(np.float32) for value in (1.0, 0.0))
        return replace(self, backbone=certain, backbone_error=exact)

    def table(self) -> Float[np.ndarray, "F S L 7"]:
        """Return all quantities side by side, in the order of `QUANTITIES`."""
        others = np.stack([self.backbone, self.side_chain_error, self.backbone_error], axis=-1)
        return np.concatenate([self.chi, others], axis=-1)

    def means(self) -> list[dict[str, float | None]]:
        """Return the mean of every quantity over the residues of each structure; None without residues."""
        table = self.table().reshape(-1, self.chi.shape[2], len(QUANTITIES)).astype(np.float64)
        return [mean_quantities(structure) for structure in table]

    def as_dict(self) -> dict[str, Float[np.ndarray, "F S L"]]:
        """Return every quantity by its name in `QUANTITIES`."""
        return dict(zip(QUANTITIES, np.moveaxis(self.table(), -1, 0), strict=True))


def mean_quantities(table: Float[np.ndarray, "N 7"]) -> dict[str, float | None]:
    """Return the mean of each column of a table, as in `Confidence.table`, rounded; None without values."""
    known = np.isfinite(table)
    totals, counts = np.where(known, table, 0.0).sum(0), known.sum(0)
    means = totals / np.maximum(counts, 1)
    return {
        name: round(float(mean), 4) if count else None
        for name, mean, count in zip(QUANTITIES, means, counts, strict=True)
    }


def residue_columns(table: Float[np.ndarray, "L 7"]) -> dict[str, list[float | None]]:
    """Return the values of all residues by the name of the quantity, rounded; None where there is none."""
    rounded = np.round(table.T.astype(np.float64), 4).astype(object)
    rounded[~np.isfinite(table.T)] = None
    return dict(zip(QUANTITIES, rounded.tolist(), strict=True))
