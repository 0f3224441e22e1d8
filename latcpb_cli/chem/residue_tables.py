"""Tables of what each residue type or kind has, such as its bonds, joined over the residues of a system."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, Shaped

__all__ = ["join_tables"]


def join_tables(
    tables: Sequence[Shaped[np.ndarray, "_ ..."]], indices: Int[np.ndarray, "L"]
) -> tuple[Int[np.ndarray, "T"], Shaped[np.ndarray, "T ..."]]:
    """List the rows of the table of each residue, residue by residue.

    Parameters
    ----------
    tables : sequence of numpy.ndarray
        One for each residue type or kind, all of one data type; rows along the first axis.
    indices : numpy.ndarray of int64, shape (L,)
        Table of each residue.

    Returns
    -------
    residue : numpy.ndarray of int64, shape (T,)
        Residue of each row.
    rows : numpy.ndarray, shape (T, ...)
    """
    lengths = np.array([len(table) for table in tables])
    n_rows = lengths[indices]
    residue = np.repeat(np.arange(len(indices)), n_rows)
    start_in_tables = (np.cumsum(lengths) - lengths)[indices]
    start_in_list = np.cumsum(n_rows) - n_rows
    row = np.arange(len(residue)) + (start_in_tables - start_in_list)[residue]
    return residue, np.concatenate(tables)[row]
