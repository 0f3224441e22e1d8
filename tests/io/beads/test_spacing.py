"""Distances of neighbours: another unit, and beads that are not Cα."""

from __future__ import annotations

from cg_files import write_ca_pdb
from reading import refuse


def test_nm_in_a_format_of_angstrom(tmp_path, sequence, positions):
    path = write_ca_pdb(tmp_path / "a.pdb", sequence, positions[:1] / 10)
    refuse("nm coordinates", [path])
