"""What an inspection counts over all frames."""

from __future__ import annotations

import numpy as np
import pytest
from cg_files import walk, write_ca_pdb, write_trajectory

from latcpb_cli.io.inspection import inspect_source
from latcpb_cli.io.open_source import open_source


def inspect(tmp_path, sequence, positions, **columns):
    top = write_ca_pdb(tmp_path / "cg.pdb", sequence, positions[:1], **columns)
    return inspect_source(open_source([write_trajectory(tmp_path / "t.dcd", positions)], top))


def test_chains_bonds_and_breaks(tmp_path):
    positions = walk(6, 4)
    positions[1:3, 2:4] += np.float32([0.0, 0.0, 3.0])  # a break after residue 2 in two of four frames
    inspection = inspect(tmp_path, "ACDEFG", positions, chains="AAAABB")
    assert (inspection.n_frames, inspection.first_time, inspection.last_time) == (4, 0.0, pytest.approx(30.0))
    first, second = inspection.chains
    assert (first.name, first.first, first.last, first.sequence) == ("A", "A:ALA1", "A:GLU4", "ACDE")
    assert first.breaks == {"A:CYS2-A:ASP3": 2}
    assert second.breaks == {}
    assert second.mean == pytest.approx(3.8, abs=2e-3)
    assert second.std < 0.01


def straight(lengths: list[float]) -> np.ndarray:
    positions = np.zeros((1, len(lengths) + 1, 3), dtype=np.float32)
    positions[0, 1:, 0] = np.cumsum(lengths)
    return positions


@pytest.mark.parametrize(
    ("sequence", "length", "n_cis"), [("AAA", 3.1, 1), ("AAA", 3.3, 0), ("AAP", 3.3, 1), ("APA", 3.3, 0)]
)
def test_cis_peptides_are_those_that_are_built_cis(tmp_path, sequence, length, n_cis):
    """The limit is wider before proline."""
    assert inspect(tmp_path, sequence, straight([3.8, length])).n_cis == n_cis


def test_problems_of_all_frames(tmp_path):
    positions = walk(6, 4)
    positions[2, 3] = np.nan
    inspection = inspect(tmp_path, "ACDEFG", positions)
    assert inspection.problems == {2: "residue A:GLU4: position is not a number"}
