"""Many chains in a periodic box, with the model that comes with the package."""

from __future__ import annotations

import numpy as np
import pytest
from condensate import System, atom_mask, condensate

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.options import BackmapOptions


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel.from_pretrained(device="cpu")


@pytest.mark.parametrize("angles", [(90, 90, 90), (75, 100, 80)])
def test_no_contacts_and_no_pierced_rings_across_the_box(model: LoadedModel, angles) -> None:
    trace, chunk = condensate(System(50, 16, 500.0, angles=angles))
    atoms = model.sample(trace, chunk, BackmapOptions())[:, 0]
    structures = trace.residue_types, atoms, atom_mask(trace), trace.linked(chunk.positions)
    (periodic,), (isolated,) = frame_clashes(*structures, chunk.boxes), frame_clashes(*structures)
    assert not periodic.contact12.any()
    assert not periodic.pierced.any()
    # Chains cross the box, so half of the overlaps are between images.
    assert periodic.n_overlaps > isolated.n_overlaps
    assert periodic.overlap04_per_1000 < 90.0
    assert np.array_equal(atoms[:, :, CA_SLOT], chunk.positions)
