"""Many chains in a periodic box, with the model that comes with the package."""

from __future__ import annotations

import numpy as np
import pytest
from condensate import atoms_there, condensate

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.metrics.clashes import frame_clashes


@pytest.fixture(scope="module")
def model() -> Backmapper:
    return Backmapper.from_pretrained(device="cpu")


@pytest.mark.parametrize("angles", [(90, 90, 90), (75, 100, 80)])
def test_no_contacts_and_no_pierced_rings_across_the_box(model: Backmapper, angles) -> None:
    trace, chunk = condensate(50, 16, 500.0, angles=angles)
    atoms = model.sample(trace, chunk, samples=1, seed=0, mode="best")[:, 0]
    rest = trace.residue_types, atoms, atoms_there(trace), trace.linked(chunk.positions)
    (found,), (inside,) = frame_clashes(*rest, chunk.boxes), frame_clashes(*rest)
    assert not found.contact12.any()
    assert not found.pierced.any()
    # Chains reach out of the box, so half of what overlaps is seen across it only.
    assert found.n_overlaps > inside.n_overlaps
    assert found.overlap04_per_1000 < 90.0
    assert np.array_equal(atoms[:, :, 1], chunk.positions)
