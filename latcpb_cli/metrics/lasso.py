"""Lassos: loops closed by a disulfide with a chain through them.

After the complex lassos of Niemyska et al. (2016, doi:10.1038/srep36895): a
surface is spanned over the Cα of the loop, and what crosses it is counted,
unless it comes back soon. Some proteins have lassos by nature; one that comes
and goes between frames tells of a chain that ran through another.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latcpb_cli.geometry.crossing import crossing_signs
from latcpb_cli.geometry.pairs import close_pairs_between
from latcpb_cli.structure import Bridge

__all__ = ["find_lassos"]

_RINGS = 6  # from the middle of the surface to the loop
_CLEAR = 3  # residues next to the loop, and at the end of a thread, that do not make a lasso
_BACK = 10  # a thread that comes back within so many residues has not gone through

Array = np.ndarray


def find_lassos(ca: Array, linked: Array, bridges: Sequence[Bridge], cell: Array | None = None) -> list[Bridge]:
    """Find the disulfides whose loop a chain runs through.

    Parameters
    ----------
    ca : numpy.ndarray, shape (L, 3)
        Cα of one frame, Å.
    linked : numpy.ndarray of bool, shape (L,)
        Whether a peptide joins residue i to i+1.
    bridges : sequence of tuple of int
        Residues that are joined. Those of two chains close no loop by themselves.
    cell : numpy.ndarray, shape (3, 3), optional
        Vectors of the periodic box as rows, Å: nearest images count. Zeros are no box.

    Returns
    -------
    list of tuple of int
        The bridges that close a lasso.
    """
    ca = ca.astype(np.float64)
    found = []
    for bridge in bridges:
        first, last = sorted(bridge)
        closed = last - first > _CLEAR and linked[first:last].all()
        if closed and _threads(ca, linked, first, last, cell):
            found.append(bridge)
    return found


def _threads(ca: Array, linked: Array, first: int, last: int, cell: Array | None) -> bool:
    """Whether a chain runs through the loop from residue ``first`` to ``last``."""
    start = np.flatnonzero(linked[:-1])
    start = start[(start + 1 < first - _CLEAR) | (start > last + _CLEAR)]
    if len(start) == 0:
        return False
    ends = np.stack([ca[start], ca[start + 1]], axis=1)
    corners = _surface(ca[first : last + 1])
    centre, middle = corners.mean(axis=1), ends.mean(axis=1)
    reach = np.linalg.norm(corners - centre[:, None], axis=-1).max()
    reach += np.linalg.norm(ends[:, 1] - ends[:, 0], axis=-1).max() / 2
    triangle, segment, shift = close_pairs_between(centre, middle, reach, cell)
    apex, one, two = corners[triangle].swapaxes(0, 1)
    begin, end = ends[segment].swapaxes(0, 1)
    sides = crossing_signs(begin + shift - apex, end - begin, one - apex, two - apex)
    side = np.bincount(segment, weights=sides, minlength=len(start))
    chain = np.cumsum(~linked)
    through: list[tuple[int, float]] = []
    for number in np.flatnonzero(side):
        residue = int(start[number])
        if _clear_of_ends(residue, linked):
            before = through[-1] if through else None
            same = before is not None and chain[before[0]] == chain[residue]
            if before and same and before[1] * side[number] < 0 and residue - before[0] <= _BACK:
                through.pop()
            else:
                through.append((residue, side[number]))
    return bool(through)


def _clear_of_ends(residue: int, linked: Array) -> bool:
    """Whether the chain goes on for some residues to both sides of a segment."""
    low, high = residue + 1 - _CLEAR, residue + _CLEAR
    return low >= 0 and high < len(linked) and bool(linked[low:high].all())


def _surface(loop: Array) -> Array:
    """Triangles (T, 3, 3) of the harmonic surface over a loop (N, 3), which is nearly the smallest.

    Fourier component k of the loop fades inwards as the k-th power of the radius (Poisson's formula).
    """
    waves = np.fft.rfft(loop, axis=0)
    radius = np.linspace(0.0, 1.0, _RINGS + 1)[:, None, None]
    rings = np.fft.irfft(waves * radius ** np.arange(len(waves))[:, None], n=len(loop), axis=1)
    ahead = np.roll(rings, -1, axis=1)
    low = np.stack([rings[:-1], rings[1:], ahead[1:]], axis=-2)
    high = np.stack([rings[1:-1], ahead[2:], ahead[1:-1]], axis=-2)
    return np.concatenate([low.reshape(-1, 3, 3), high.reshape(-1, 3, 3)])
