"""Fixtures that several test files share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cg_files import FakeModel, walk, write_ca_pdb

SEQUENCE = "MGSWTYPLKHCDE"


@pytest.fixture
def positions() -> np.ndarray:
    """Six frames of thirteen Cα beads: (6, 13, 3) in Å."""
    return walk(len(SEQUENCE), 6)


@pytest.fixture
def ca_pdb(tmp_path: Path, positions: np.ndarray) -> Path:
    """A one-frame PDB of thirteen beads in chain A."""
    return write_ca_pdb(tmp_path / "cg.pdb", SEQUENCE, positions[:1])


@pytest.fixture
def sequence() -> str:
    """The letters of `positions` and `ca_pdb`."""
    return SEQUENCE


@pytest.fixture
def backmapper() -> FakeModel:
    """A stand-in for the model."""
    return FakeModel()
