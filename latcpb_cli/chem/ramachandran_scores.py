"""How usual a pair of phi and psi is, and how far structures differ in that.

``ramachandran_scores.txt`` is made by ``benchmarks/measure_ramachandran_scores.py``:
the standard deviation between crystal structures, then one map of scores for each
class of residue, with rows and columns as in ``ramachandran.txt``. The score is the
logarithm of the density, with mean 0 and standard deviation 1 over the residues of
the class; each is a letter.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float, Int

from latcpb_cli.chem.ramachandran import MAP_BINS, RESIDUE_CLASSES, map_bin

__all__ = ["encode_scores", "ramachandran_score", "ramachandran_score_maps", "ramachandran_z"]

_FIRST_LETTER, _LOWEST, _STEP = 33, -9.0, 0.12
"""Letter ``chr(33 + n)`` stands for the score ``-9 + 0.12 n``."""
_N_LETTERS = 94


def encode_scores(maps: Float[np.ndarray, "4 90 90"]) -> str:
    """Write maps of scores as text."""
    levels = np.clip(np.rint((maps - _LOWEST) / _STEP), 0, _N_LETTERS - 1).astype(int)
    blocks = []
    for name, rows in zip(RESIDUE_CLASSES, levels.tolist(), strict=True):
        lines = ["".join(chr(_FIRST_LETTER + level) for level in row) for row in rows]
        blocks.append("\n".join([name, *lines, ""]))
    return "\n".join(blocks)


@cache
def _tables() -> tuple[float, Float[np.ndarray, "4 90 90"]]:
    """Standard deviation between structures, and the scores by class, phi bin and psi bin."""
    text = files("latcpb_cli.chem").joinpath("ramachandran_scores.txt").read_text(encoding="utf-8")
    spread, *blocks = text.rstrip("\n").split("\n\n")
    letters = "".join(row for block in blocks for row in block.split("\n")[1:]).encode("ascii")
    levels = np.frombuffer(letters, np.uint8).reshape(len(RESIDUE_CLASSES), MAP_BINS, MAP_BINS)
    return float(spread), _LOWEST + _STEP * (levels.astype(np.int64) - _FIRST_LETTER)


def ramachandran_score_maps() -> Float[np.ndarray, "4 90 90"]:
    """Scores by class, phi bin and psi bin."""
    return _tables()[1]


def ramachandran_score(
    classes: Int[np.ndarray, "L"], phi: Float[np.ndarray, "F L"], psi: Float[np.ndarray, "F L"]
) -> Float[np.ndarray, "F L"]:
    """Return the score of each residue; NaN where phi or psi (rad) is missing."""
    defined = np.isfinite(phi) & np.isfinite(psi)
    rows, columns = map_bin(np.where(defined, phi, 0.0)), map_bin(np.where(defined, psi, 0.0))
    return np.where(defined, _tables()[1][classes, rows, columns], np.nan)


def ramachandran_z(scores: Float[np.ndarray, "F L"]) -> Float[np.ndarray, "F"]:
    """Return the Z-score of each frame: the mean score over its standard deviation in crystal structures.

    The idea is that of Hooft et al. (1997, doi:10.1093/bioinformatics/13.4.425). The
    variance is that between structures plus 1 / N for N residues.
    """
    count = np.isfinite(scores).sum(axis=1)
    mean = np.divide(np.nansum(scores, axis=1), count, out=np.full(len(scores), np.nan), where=count > 0)
    return np.asarray(mean / np.sqrt(_tables()[0] ** 2 + 1 / np.maximum(count, 1)))
