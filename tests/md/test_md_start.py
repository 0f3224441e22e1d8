"""Ten outputs in OpenMM: force field, minimisation, dynamics in implicit solvent."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from bridges import facing
from cg_files import write_ca_pdb
from peptides import build

pytest.importorskip("openmm")

from md_check import check_md_start  # noqa: E402

from latcpb_cli.chem.residues import CA_SLOT  # noqa: E402
from latcpb_cli.io.open_source import open_source  # noqa: E402
from latcpb_cli.loaded_model import LoadedModel  # noqa: E402
from latcpb_cli.md.force_fields import FORCE_FIELDS  # noqa: E402
from latcpb_cli.options import BackmapOptions, MdOptions  # noqa: E402
from latcpb_cli.run.pipeline import backmap_trajectory  # noqa: E402

EXAMPLES = Path(__file__).parents[2] / "examples"
STRAND = {"phi": -120.0, "psi": 130.0}
CIS = [180.0, 180.0, 0.0, 180.0, 180.0, 180.0]
SEP = ["GLY", "ALA", "SEP", "ALA", "GLY"]


class Case(NamedTuple):
    """A trace (L, 3), its residues, and a text that the output must contain."""

    sequence: str
    trace: np.ndarray
    contains: str
    chains: str | None = None
    resnames: list[str] | None = None
    ph: float = 7.0
    force_field: str = "amber14"


def ideal(sequence, **torsions):
    return build(sequence, **torsions)[0][:, CA_SLOT]


def two_helices():
    one = ideal("GAEAKLG")
    return np.concatenate([one, one + np.array([0, 11.0, 0], dtype=np.float32)])


def disordered():
    """A segment of a disordered protein from a simulation with a coarse-grained force field."""
    source = open_source([EXAMPLES / "4ebp2.xtc"], EXAMPLES / "4ebp2.pdb")
    frame, inner = next(source.chunks(1)).positions[0], slice(40, 56)
    return Case(source.trace.sequence[inner], frame[inner], " H1 ")


CASES = {
    "helix": Case("GAEHKLRFAKQG", ideal("GAEHKLRFAKQG"), " HE2 HIS"),
    "strand": Case("GTVIVRWQSMG", ideal("GTVIVRWQSMG", **STRAND), " OXT GLY"),
    "disordered": disordered(),
    "two chains": Case("GAEAKLG" * 2, two_helices(), " LEU B", chains="A" * 7 + "B" * 7),
    "disulfide": Case("GCGGCG", facing(sequence="GCG")[1][:, CA_SLOT], "SSBOND", chains="AAABBB"),
    "cis proline": Case("GAYPAG", ideal("GAYPAG", omega=CIS, **STRAND), " PRO A"),
    "acid": Case("GHDEHG", ideal("GHDEHG", **STRAND), " HD1 HIS", ph=3.0),
    "proline first": Case("PG", ideal("PG"), " H3  PRO"),
    "charged ends": Case("RGE", ideal("RGE"), " OXT GLU"),
    "phosphoserine": Case("GASAG", ideal("GASAG", **STRAND), "CONECT", resnames=SEP, force_field="charmm36"),
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel.from_pretrained(device="cpu")


@pytest.mark.slow
@pytest.mark.openmm
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", CASES)
def test_dynamics_run_from_the_output(model, tmp_path, name):
    case = CASES[name]
    given = write_ca_pdb(
        tmp_path / "cg.pdb", case.sequence, case.trace[None], chains=case.chains, resnames=case.resnames
    )
    output = tmp_path / "all.pdb"
    md = MdOptions(hydrogens=True, ph=case.ph, force_field=case.force_field)
    backmap_trajectory(model, open_source([given]), output, BackmapOptions(md=md))
    assert case.contains in output.read_text()
    check = check_md_start(output, force_field=FORCE_FIELDS[case.force_field])
    assert check.passed, check
