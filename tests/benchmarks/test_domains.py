"""Domains of a CALVADOS 3 trajectory, with a stand-in for the model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from cg_files import FakeModel
from domains import EXAMPLES, measure
from MDAnalysis import Universe

from latcpb_cli import Backmapper
from latcpb_cli.com_beads.encoder import BeadEncoder


class Model(FakeModel, Backmapper):
    """The Python interface of a stand-in, with an encoder that takes beads for Cα."""

    predictor = SimpleNamespace(bead_encoder=BeadEncoder().eval())


def test_figures_of_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure is there; those of the beads do not depend on the model."""
    monkeypatch.setattr("latcpb_cli.backbone.place_ca._MAX_MISFIT", 9.0)
    monkeypatch.setattr(
        "latcpb_cli.backbone.place_ca.relax_trace", lambda ca, *_, **__: SimpleNamespace(positions=ca)
    )
    beads = Universe(str(EXAMPLES / "tnc_pair.pdb"), str(EXAMPLES / "tnc_pair.xtc"), to_guess=())
    native = Universe(str(EXAMPLES / "tnc_allatom.pdb"))
    figures = measure(Model(), native, beads.trajectory[0].positions[None].copy())
    assert figures["kinds_right_percent"] == 100.0
    assert figures["linker_ca_off"] == 0.0
    assert all(0.1 < noise < 1.0 for noise in figures["bead_noise"])
    assert all(off > 1.0 for off in figures["domain_rmsd"])
    assert figures["domain_rmsd"] == figures["domain_rmsd_max"]
    assert figures["com_distance_mean"] > 0.0
    assert np.isfinite(figures["overlap04_per_1000"])
