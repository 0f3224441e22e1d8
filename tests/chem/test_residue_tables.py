"""Tables of residue types, joined over the residues of a system."""

from __future__ import annotations

import numpy as np
import pytest

from latcpb_cli.chem.residue_tables import join_tables

TABLES = [np.zeros((0, 2), dtype=np.int64), np.array([[1, 2]]), np.array([[3, 4], [5, 6]])]


@pytest.mark.parametrize(
    ("indices", "residue", "rows"),
    [
        ([2, 0, 1, 2], [0, 0, 2, 3, 3], [[3, 4], [5, 6], [1, 2], [3, 4], [5, 6]]),
        ([0, 0], [], np.zeros((0, 2))),
        ([], [], np.zeros((0, 2))),
    ],
)
def test_rows_are_those_of_each_residue_in_order(indices, residue, rows):
    joined = join_tables(TABLES, np.array(indices, dtype=np.int64))
    np.testing.assert_array_equal(joined[0], residue)
    np.testing.assert_array_equal(joined[1], rows)
