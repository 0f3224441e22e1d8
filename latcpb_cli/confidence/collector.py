"""Predictions of the model, collected while structures are built."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from latcpb_cli.chem.residues import BACKBONE_SLOTS, N_SLOTS, slot_mask
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.confidence.prediction import N_STATES, Prediction
from latcpb_cli.confidence.scores import Scores, backbone_score, chi_scores
from latcpb_cli.metrics.torsions import measure_chis
from latcpb_cli.structure import CGTrace

__all__ = ["PredictionCollector"]


class PredictionCollector:
    """Collects the predictions of one call of `LoadedModel.sample`, and scores the structures by them.

    Examples
    --------
    >>> collector = PredictionCollector()
    >>> atoms = backmapper.sample(trace, chunk, options, predictions=collector)
    >>> scores = collector.scores(trace, atoms)
    >>> confidence = backmapper.calibration.confidence("best", trace.residue_types, scores)
    """

    def begin(self, n_frames: int, n_samples: int, n_residues: int) -> None:
        """Make room for the structures of a call."""
        shape = n_frames, n_samples, n_residues
        self._probability = np.zeros((*shape, N_STATES), dtype=np.float32)
        self._chi = np.zeros((*shape, N_STATES, N_CHI), dtype=np.float32)
        self._chi_std = np.zeros((*shape, N_CHI), dtype=np.float32)
        self._backbone = np.zeros((*shape, len(BACKBONE_SLOTS), 3), dtype=np.float32)
        self._peptide_variance = np.zeros(shape, dtype=np.float32)

    def add(self, frames: slice, sample: int, prediction: Prediction) -> None:
        """Add the predictions of one sample of some frames; those of further frames are ignored."""
        columns = {
            "probability": self._probability,
            "chi": self._chi,
            "chi_std": self._chi_std,
            "backbone": self._backbone,
            "peptide_variance": self._peptide_variance,
        }
        for name, column in columns.items():
            target = column[frames, sample]
            values = getattr(prediction, name)[: target.shape[0] * target.shape[1]]
            target[...] = values.view(target.shape).cpu().numpy()

    def end(
        self,
        atoms: Float[np.ndarray, "F S L 15 3"],
        linked: Bool[np.ndarray, "F L"],
        next_residue: Int[np.ndarray, "L"] | None = None,
    ) -> None:
        """Compare the backbones with the expected ones, while both are in the axes of the model.

        Parameters
        ----------
        atoms
            The structures, Å.
        linked
            Whether a peptide joins each residue to the next.
        next_residue
            See `CGTrace.next_residue`.
        """
        step = atoms[:, :, :, list(BACKBONE_SLOTS)].astype(np.float64) - self._backbone
        self._backbone_score = backbone_score(
            (step * step).sum(-1), self._peptide_variance, linked, next_residue
        )
        del self._backbone, self._peptide_variance

    def scores(self, trace: CGTrace, atoms: Float[np.ndarray, "F S L W 3"]) -> Scores:
        """Score structures, whose side chains may have changed since.

        Parameters
        ----------
        trace : CGTrace
        atoms
            In Å; the first 15 slots count.
        """
        types = trace.residue_types
        structures = atoms.reshape(-1, *atoms.shape[2:])[:, :, :N_SLOTS]
        given = measure_chis(types, structures, slot_mask()[types]).reshape(*atoms.shape[:3], N_CHI)
        chi = chi_scores(types, given, self._probability, self._chi, self._chi_std)
        return Scores(chi, self._backbone_score)
