"""Lassos: loops closed by a disulfide with a chain through them.

The definition follows the complex lassos of Niemyska et al. (2016,
doi:10.1038/srep36895): a surface is spanned over the Cα of the loop, and chain
segments that cross it are counted, unless the chain soon crosses back. Some
native proteins have lassos; one that appears or disappears between frames means
that a chain passed through another.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from latcpb_cli.geometry.crossing import crossing_signs
from latcpb_cli.geometry.pairs import close_pairs_between
from latcpb_cli.structure import Bridge

__all__ = ["find_lassos"]

_N_RINGS = 6  # rings of triangles from the middle of the surface to the loop
_MIN_TAIL = 3  # residues next to the loop, and at a chain end, whose crossings do not count
_MAX_RETURN = 10  # residues within which a chain that crosses back does not count as threaded

Array = np.ndarray


def find_lassos(
    ca: Float[Array, "L 3"],
    linked: Bool[Array, "L"],
    bridges: Sequence[Bridge],
    cell: Float[Array, "3 3"] | None = None,
) -> list[Bridge]:
    """Find the disulfides whose loop a chain runs through.

    Parameters
    ----------
    ca : numpy.ndarray, shape (L, 3)
        Cα of one frame, Å.
    linked : numpy.ndarray of bool, shape (L,)
        Whether a peptide joins residue i to i+1; the closing peptide of a ring does
        not matter: the loop of its disulfide is that between the two cysteines.
    bridges : sequence of tuple of int
        Residues joined by disulfides. A bridge between two chains closes no loop.
    cell : numpy.ndarray, shape (3, 3), optional
        Vectors of the periodic box as rows, Å; crossings by periodic images count.
        Zeros stand for no box.

    Returns
    -------
    list of tuple of int
        The bridges that close a lasso.
    """
    ca = ca.astype(np.float64)
    lassos = []
    for bridge in bridges:
        first, last = sorted(bridge)
        closed = last - first > _MIN_TAIL and linked[first:last].all()
        if closed and _is_threaded(ca, linked, first, last, cell):
            lassos.append(bridge)
    return lassos


def _is_threaded(
    ca: Float[Array, "L 3"], linked: Bool[Array, "L"], first: int, last: int, cell: Array | None
) -> bool:
    """Whether a chain runs through the loop from residue ``first`` to ``last``."""
    start = np.flatnonzero(linked[:-1])
    start = start[(start + 1 < first - _MIN_TAIL) | (start > last + _MIN_TAIL)]
    if len(start) == 0:
        return False
    ends = np.stack([ca[start], ca[start + 1]], axis=1)
    corners = _surface(ca[first : last + 1])
    centres, middles = corners.mean(axis=1), ends.mean(axis=1)
    reach = np.linalg.norm(corners - centres[:, None], axis=-1).max()
    reach += np.linalg.norm(ends[:, 1] - ends[:, 0], axis=-1).max() / 2
    triangle, segment, shift = close_pairs_between(centres, middles, float(reach), cell)
    apex, one, two = corners[triangle].swapaxes(0, 1)
    begin, end = ends[segment].swapaxes(0, 1)
    signs = crossing_signs(begin + shift - apex, end - begin, one - apex, two - apex)
    sign = np.bincount(segment, weights=signs, minlength=len(start))
    chain = np.cumsum(~linked)
    crossings: list[tuple[int, float]] = []
    for index in np.flatnonzero(sign):
        residue = int(start[index])
        if _clear_of_ends(residue, linked):
            previous = crossings[-1] if crossings else None
            same_chain = previous is not None and chain[previous[0]] == chain[residue]
            opposite = previous is not None and previous[1] * sign[index] < 0
            if previous and same_chain and opposite and residue - previous[0] <= _MAX_RETURN:
                crossings.pop()
            else:
                crossings.append((residue, sign[index]))
    return bool(crossings)


def _clear_of_ends(residue: int, linked: Bool[Array, "L"]) -> bool:
    """Whether the chain continues for some residues on both sides of the segment after a residue."""
    low, high = residue + 1 - _MIN_TAIL, residue + _MIN_TAIL
    return low >= 0 and high < len(linked) and bool(linked[low:high].all())


def _surface(loop: Float[Array, "N 3"]) -> Float[Array, "T 3 3"]:
    """Triangles of the harmonic surface over a loop, whose area is nearly minimal.

    Fourier component k of the loop decays inwards as the k-th power of the radius (Poisson's formula).
    """
    waves = np.fft.rfft(loop, axis=0)
    radius = np.linspace(0.0, 1.0, _N_RINGS + 1)[:, None, None]
    rings = np.fft.irfft(waves * radius ** np.arange(len(waves))[:, None], n=len(loop), axis=1)
    next_ = np.roll(rings, -1, axis=1)
    low = np.stack([rings[:-1], rings[1:], next_[1:]], axis=-2)
    high = np.stack([rings[1:-1], next_[2:], next_[1:-1]], axis=-2)
    return np.concatenate([low.reshape(-1, 3, 3), high.reshape(-1, 3, 3)])
