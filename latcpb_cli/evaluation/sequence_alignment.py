"""Alignment of two sequences that differ by missing residues only."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
from jaxtyping import Float

__all__ = ["Alignment", "align"]

_MIN_COVERAGE = 0.5
"""Part of the shorter sequence that must be aligned."""
_MIN_BLOCK = 3
"""Residues of the shortest stretch between two gaps that does not fit by chance; shorter ones have no
partner."""


@dataclass(frozen=True)
class Alignment:
    """Pairs of positions of two sequences.

    Attributes
    ----------
    pairs : tuple of (int, int)
        Rising positions with equal letters; none where the sequences do not fit.
    substitution : tuple of int, or None
        First positions that face each other with different letters.
    """

    pairs: tuple[tuple[int, int], ...] = ()
    substitution: tuple[int, int] | None = None


def align(
    reference: str,
    generated: str,
    reference_ca: Float[np.ndarray, "R 3"],
    generated_ca: Float[np.ndarray, "G 3"],
) -> Alignment:
    """Align two sequences without substitutions.

    Where the shorter one fits into the longer one in several places, the Cα decide:
    the place where they are nearest to each other counts.

    Parameters
    ----------
    reference, generated : str
        One-letter codes.
    reference_ca, generated_ca : numpy.ndarray, shape (R, 3) and (G, 3)
        Positions of the Cα, Å.
    """
    if len(generated) <= len(reference):
        start = _best_place(reference, generated, reference_ca, generated_ca)
        if start is not None:
            return Alignment(tuple((start + i, i) for i in range(len(generated))))
    else:
        start = _best_place(generated, reference, generated_ca, reference_ca)
        if start is not None:
            return Alignment(tuple((i, start + i) for i in range(len(reference))))
    return _align_with_gaps(reference, generated)


def _best_place(
    long: str, short: str, long_ca: Float[np.ndarray, "R 3"], short_ca: Float[np.ndarray, "G 3"]
) -> int | None:
    """Return the start of the short sequence in the long one, None where it does not occur."""
    starts = [start for start in range(len(long) - len(short) + 1) if long.startswith(short, start)]
    if len(starts) < 2:
        return starts[0] if starts else None
    distances = [np.square(long_ca[start : start + len(short)] - short_ca).sum() for start in starts]
    return starts[int(np.argmin(distances))]


def _align_with_gaps(reference: str, generated: str) -> Alignment:
    """Join the longest common stretches; residues missing inside either sequence are gaps."""
    matcher = SequenceMatcher(None, reference, generated, autojunk=False)
    pairs: list[tuple[int, int]] = []
    for kind, i, i_stop, j, j_stop in matcher.get_opcodes():
        if kind == "replace":
            return Alignment((), (i, j) if i_stop - i == j_stop - j else None)
        if kind == "equal" and i_stop - i >= _MIN_BLOCK:
            pairs += zip(range(i, i_stop), range(j, j_stop), strict=True)
    enough = len(pairs) >= _MIN_COVERAGE * min(len(reference), len(generated))
    return Alignment(tuple(pairs) if enough else ())
