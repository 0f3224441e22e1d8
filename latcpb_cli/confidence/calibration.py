"""From scores to probabilities and Å: monotone maps, measured on held-out chains for one set of weights.

``benchmarks/calibrate_confidence.py`` writes them into ``confidence.json`` beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.chem.residues import ALA, GLY, NAMES, PRO
from latcpb_cli.chem.zmatrix import N_CHI
from latcpb_cli.confidence.record import Confidence
from latcpb_cli.confidence.scores import Scores, has_chi
from latcpb_cli.errors import WeightsError

__all__ = ["Calibration", "ModeCalibration", "MonotoneMap", "require_calibration"]


@dataclass(frozen=True)
class MonotoneMap:
    """A piecewise linear function, constant beyond its first and last knot.

    Attributes
    ----------
    scores, values : sequence of float
        Position and value of each knot; the positions rise.
    """

    scores: Sequence[float]
    values: Sequence[float]

    def __call__(self, score: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """Map scores; NaN stays NaN."""
        return np.asarray(np.interp(score, self.scores, self.values))


@dataclass(frozen=True)
class ModeCalibration:
    """The maps of one mode.

    Attributes
    ----------
    chi : sequence of 4 MonotoneMap
        Probability that chi 1 to k are right, from its score.
    backbone, backbone_error : MonotoneMap
        Probability that the backbone is right, and its mean error (Å), from the score of the backbone.
    side_chain_error : mapping of str to sequence of float
        Mean error (Å) of the side chains of a residue type: where chi 1 is wrong, where chi 2 is the first
        wrong one, and so on, and where all are right. For alanine and proline: the ratio of that error to
        the error of the backbone.
    """

    chi: Sequence[MonotoneMap]
    backbone: MonotoneMap
    backbone_error: MonotoneMap
    side_chain_error: Mapping[str, Sequence[float]]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModeCalibration:
        """Read the values of a mode."""
        return cls(
            [MonotoneMap(**knots) for knots in values["chi"]],
            MonotoneMap(**values["backbone"]),
            MonotoneMap(**values["backbone_error"]),
            values["side_chain_error"],
        )

    def confidence(self, types: Int[np.ndarray, "L"], scores: Scores) -> Confidence:
        """Return the confidence in structures with these residue types and scores."""
        columns = [knots(scores.chi[..., index]) for index, knots in enumerate(self.chi)]
        # Two chi angles are right no more often than the first of them.
        chi = np.minimum.accumulate(np.stack(columns, axis=-1), axis=-1)
        backbone_error = self.backbone_error(scores.backbone)
        side_chain_error = self._side_chain_error(types, chi, backbone_error)
        arrays = chi, self.backbone(scores.backbone), side_chain_error, backbone_error
        return Confidence(*(array.astype(np.float32) for array in arrays))

    def _side_chain_error(
        self,
        types: Int[np.ndarray, "L"],
        chi: Float[np.ndarray, "F S L 4"],
        backbone_error: Float[np.ndarray, "F S L"],
    ) -> Float[np.ndarray, "F S L"]:
        """Mean of the errors of a residue type, weighted by which chi angle is the first wrong one."""
        chi = np.where(has_chi(types), chi, 0.0)
        right = np.concatenate([np.ones_like(chi[..., :1]), chi], axis=-1)
        # A chi angle that a residue does not have counts as wrong with the error of all being right.
        first_wrong = np.concatenate([right[..., :-1] - right[..., 1:], right[..., -1:]], axis=-1)
        error = (first_wrong * self._error_table[types]).sum(-1)
        without_choice = np.isin(types, (ALA, PRO))
        error = np.where(without_choice, self._error_table[types, 0] * backbone_error, error)
        return np.where(types == GLY, np.nan, error)

    @cached_property
    def _error_table(self) -> Float[np.ndarray, "20 5"]:
        """``side_chain_error`` with the last value of each row repeated."""
        table = np.zeros((len(NAMES), N_CHI + 1))
        for residue, name in enumerate(NAMES):
            row = self.side_chain_error.get(name) or (0.0,)
            table[residue] = [*row, *[row[-1]] * (N_CHI + 1 - len(row))]
        return table


@dataclass(frozen=True)
class Calibration:
    """Maps of the modes of one set of weights.

    Attributes
    ----------
    modes : mapping of str to ModeCalibration
        ``best`` and ``ensemble``.
    """

    modes: Mapping[str, ModeCalibration]

    def confidence(self, mode: str, types: Int[np.ndarray, "L"], scores: Scores) -> Confidence:
        """Return the confidence in structures of a mode, with these residue types and scores."""
        return self.modes[mode].confidence(types, scores)

    @classmethod
    def load(cls, path: Path, weights_sha256: str) -> Calibration | None:
        """Read a calibration; None where it is that of other weights.

        Raises
        ------
        WeightsError
            The file is no calibration.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["model_sha256"] != weights_sha256:
                return None
            return cls({name: ModeCalibration.from_json(mode) for name, mode in content["modes"].items()})
        except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            raise WeightsError(
                f"{path}: no calibration of confidence",
                "make it again: benchmarks/calibrate_confidence.py, or remove it",
            ) from error


def require_calibration(calibration: Calibration | None) -> Calibration:
    """Return the calibration of a model.

    Raises
    ------
    WeightsError
        There is none.
    """
    if calibration is None:
        raise WeightsError(
            "these weights have no calibration of confidence",
            "make one with benchmarks/calibrate_confidence.py, or leave out --bfactor confidence",
        )
    return calibration
