"""Reconstruction and steric losses vanish on true atoms and grow with errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import tiny_model
from training import packed_chains

from latcpb_cli.chem.residues import CB_SLOT
from latcpb_cli.geometry.codec import decode
from latcpb_cli.model.decoder import Decoded
from latcpb_cli.train.batch import Batch, make_batch
from latcpb_cli.train.reconstruction import reconstruction_terms, steric_loss


@pytest.fixture
def batch(packed: Path) -> Batch:
    return make_batch(packed_chains(packed))


def test_terms_vanish_on_the_reference_and_not_elsewhere(batch: Batch) -> None:
    atoms = decode(batch.internal, batch.ca, batch.types, batch.linked)
    terms = reconstruction_terms(Decoded(atoms, batch.internal, None), batch, robust=False)
    assert terms["cartesian"] < 0.1
    assert terms["length"] < 1e-3
    assert terms["torsion"] < 1e-2
    shifted = Decoded(batch.atoms.roll(1, 0), batch.internal, None)
    assert reconstruction_terms(shifted, batch, robust=False)["cartesian"] > 1.0


def test_symmetric_groups_may_be_named_either_way(packed: Path) -> None:
    batch = make_batch([packed_chains(packed)[4]])
    atoms = batch.atoms.clone()
    atoms[0, [6, 7]] = atoms[0, [7, 6]]  # Asp OD1, OD2
    atoms[1, [6, 7, 8, 9]] = atoms[1, [7, 6, 9, 8]]  # Tyr CD1, CD2 and CE1, CE2
    terms = reconstruction_terms(Decoded(atoms, batch.internal, None), batch, robust=False)
    assert terms["cartesian"] < 1e-6


def test_steric_loss_grows_where_atoms_overlap(packed: Path) -> None:
    batch = make_batch([packed_chains(packed)[3]])
    graph = tiny_model().build_graph(batch.ca, batch.types, batch.linked, batch.sizes)
    assert steric_loss(batch.atoms, batch.present, graph) < 1e-3
    clashing = batch.atoms.clone()
    clashing[4, CB_SLOT] = clashing[8, CB_SLOT] + 0.1
    assert steric_loss(clashing, batch.present, graph) > 0.2
