"""Many chains in a periodic box, with the bundled model."""

from __future__ import annotations

import numpy as np
import pytest
from condensate import System, atom_mask, condensate

from latcpb_cli.backmapper import Backmapper
from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.options import BackmapOptions


@pytest.fixture(scope="module")
def backmapper() -> Backmapper:
    return Backmapper.from_pretrained(device="cpu")


@pytest.mark.parametrize("angles", [(90, 90, 90), (75, 100, 80)])
def test_no_contacts_and_no_pierced_rings_across_the_box(
    backmapper: Backmapper, angles: tuple[float, float, float]
) -> None:
    trace, chunk = condensate(System(chains=50, length=16, angles=angles))
    atoms = backmapper.sample(trace, chunk, BackmapOptions())[:, 0]
    arguments = trace.residue_types, atoms, atom_mask(trace), trace.linked(chunk.positions)
    (clashes,), (without_images,) = frame_clashes(*arguments, chunk.boxes), frame_clashes(*arguments)
    assert not clashes.contact12.any()
    assert not clashes.pierced.any()
    # Chains extend beyond the box, so half of the overlaps are with images only.
    assert clashes.n_overlaps > without_images.n_overlaps
    assert clashes.overlap04_per_1000 < 90.0
    assert np.array_equal(atoms[:, :, CA_SLOT], chunk.positions)
