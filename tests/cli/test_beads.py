"""``--beads``, ``--com-residues`` and ``--sc-bead`` as a user meets them: files, messages, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from cg_files import FakeModel

from latcpb_cli.com_beads.encoder import BeadEncoder

BEADS = Path(__file__).parents[2] / "examples" / "tnc_com.pdb"
RANGES = ("--com-residues", "A:5-85")


@pytest.fixture
def model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> type[FakeModel]:
    """A stand-in with an encoder that was never trained: its Cα are the beads."""

    class WithEncoder(FakeModel):
        predictor = SimpleNamespace(bead_encoder=BeadEncoder().eval())

    monkeypatch.setattr("latcpb_cli.loaded_model.LoadedModel", WithEncoder)
    return WithEncoder


@pytest.fixture
def any_ca(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take Cα for right, however far they are from each other."""
    monkeypatch.setattr("latcpb_cli.backbone.place_ca._MAX_MISFIT", 9.0)


@pytest.mark.usefixtures("model", "any_ca")
def test_the_report_has_the_distance_of_beads(backmap, folder: Path) -> None:
    code, messages = backmap(BEADS, *RANGES, "-o", "o.pdb")
    assert code == 0
    assert "beads at centres of mass of residues: 81 of 89" in messages
    report = json.loads((folder / "o.report.json").read_text())
    (frame,) = report["frames"]
    beads = report["provenance"]["bead_distances"]
    assert 0 < beads["com"]["mean"] == frame["com_distance_mean"] < beads["com"]["max"]
    assert beads["com"]["max"] == frame["com_distance_max"] and frame["worst_com"].startswith("A:")
    assert beads["ca"] == {"mean": 0.0, "max": 0.0} and frame["ca_distance_max"] == 0
    assert "worst_ca" not in frame
    assert report["summary"]["peaks"]["com_distance_max"]["value"] == beads["com"]["max"]
    assert report["provenance"]["ca_moved"] == {"percent": 0.0, "mean": 0.0, "max": 0.0}
    assert "confidence" not in report


@pytest.mark.usefixtures("model", "any_ca")
def test_a_report_of_ca_beads_says_nothing_of_centres(backmap, folder: Path) -> None:
    assert backmap(BEADS.with_name("tnc.pdb"), "--beads", "ca", "-o", "o.pdb")[0] == 0
    report = json.loads((folder / "o.report.json").read_text())
    assert report["provenance"]["bead_distances"] == {"ca": {"mean": 0.0, "max": 0.0}}
    assert "com_distance_max" not in report["frames"][0]


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (RANGES, 3, "no centres of mass of residues: Cα found from them are"),
        (("--beads", "ca"), 3, "do not have the spacing of Cα"),
        ((*RANGES, "--bfactor", "confidence"), 2, "--bfactor confidence is calibrated for Cα beads alone"),
        ((*RANGES, "--keep-backbone"), 3, "--keep-backbone keeps the atoms beside Cα beads"),
        ((*RANGES, "--beads", "com"), 2, "exclude each other"),
        ((*RANGES, "--cyclic"), 2, "--cyclic needs Cα beads"),
        (("--com-residues", "five"), 2, "'five' is no range of residues"),
        (("--com-residues", "B:1-9"), 3, "no such residues"),
    ],
)
def test_what_is_not_served_is_refused(
    backmap, folder: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    got, messages = backmap(BEADS, *arguments, "-o", "o.pdb")
    assert got == code and message in " ".join(messages.split())
    assert not list(folder.glob("o*"))


def test_weights_without_an_encoder_are_refused(backmap, model: type[FakeModel], folder: Path) -> None:
    model.predictor = SimpleNamespace(bead_encoder=None)
    code, messages = backmap(BEADS, *RANGES, "-o", "o.pdb")
    assert code == 5 and "no encoder of centres of mass" in messages
    assert not list(folder.glob("o*"))


def test_inspect_counts_the_kinds(latcpb) -> None:
    code, shown, _ = latcpb("inspect", BEADS, *RANGES)
    assert code == 0 and "81 centres of mass, the others Cα" in shown
    assert "break" not in shown


TWO_BEADS = BEADS.with_name("tnc_sc.pdb")


@pytest.mark.usefixtures("model")
def test_the_report_has_the_distance_of_side_chains(backmap, folder: Path) -> None:
    code, messages = backmap(TWO_BEADS, "--beads", "ca+sc", "-o", "o.pdb")
    assert code == 0 and "side chains: beads of 83 of 83 residues but Gly" in messages
    report = json.loads((folder / "o.report.json").read_text())
    (frame,) = report["frames"]
    beads = report["provenance"]["bead_distances"]
    assert beads["ca"] == {"mean": 0.0, "max": 0.0}
    assert 0 < beads["sc"]["mean"] == frame["sc_distance_mean"] < beads["sc"]["max"]
    assert frame["worst_sc"].startswith("A:") and "confidence" not in report


@pytest.mark.usefixtures("model")
def test_side_chains_are_offered(backmap, folder: Path) -> None:
    code, messages = backmap(TWO_BEADS, "-o", "o.pdb")
    assert code == 0 and "--beads ca+sc builds side chains on them" in messages
    report = json.loads((folder / "o.report.json").read_text())
    assert "sc" not in report["provenance"]["bead_distances"]


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--sc-bead", "SC"), 2, "need --beads ca+sc"),
        (("--beads", "ca+sc", "--sc-bead", "XY"), 3, "no residue has a bead of its side chain (XY"),
        (("--beads", "ca+sc", "--com-residues", "A:5-85"), 2, "exclude each other"),
        (("--beads", "ca+sc", "--bfactor", "confidence"), 2, "calibrated for Cα beads alone"),
        (("--beads", "ca+sc", "--without", "all"), 2, "choose rotamers by packing"),
        (("--beads", "ca+sc", "--keep-backbone"), 3, "no N and C beside the Cα"),
    ],
)
def test_what_two_beads_cannot_be_is_refused(
    backmap, folder: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    got, messages = backmap(TWO_BEADS, *arguments, "-o", "o.pdb")
    assert got == code and message in " ".join(messages.split())
    assert not list(folder.glob("o*"))


def test_inspect_shows_side_chains(latcpb) -> None:
    code, shown, _ = latcpb("inspect", TWO_BEADS, "--beads", "ca+sc")
    assert code == 0 and "Cα, and centres of side chains (mass)" in shown
