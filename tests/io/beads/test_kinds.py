"""Beads at centres of mass are named, recognised, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latcpb_cli.com_beads.definition import centers_of_mass
from latcpb_cli.errors import InputError
from latcpb_cli.io.all_atom import read_all_atom
from latcpb_cli.io.inspection import inspect_source
from latcpb_cli.io.open_source import open_source
from latcpb_cli.read_options import ReadOptions

EXAMPLES = Path(__file__).parents[3] / "examples"
NATIVE = read_all_atom(EXAMPLES / "tnc_allatom.pdb")
TYPES = torch.from_numpy(NATIVE.trace.residue_types)
CENTERS = centers_of_mass(torch.from_numpy(NATIVE.atoms[0]), TYPES).numpy()
CA = NATIVE.atoms[0, :, 1]


def mixed(ca: slice) -> np.ndarray:
    """Centres of mass, and Cα of some residues."""
    positions = CENTERS.copy()
    positions[ca] = CA[ca]
    return positions


def write(path: Path, positions: np.ndarray, names: dict[int, str] | None = None) -> Path:
    """Beads named CA with the residues of the example; some under other names."""
    lines = [
        f"ATOM  {i + 1:5d}  CA  {(names or {}).get(i + 1, NATIVE.trace.names[i])} A{i + 1:4d}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00           C"
        for i, (x, y, z) in enumerate(positions)
    ]
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def test_a_whole_chain_is_recognised(tmp_path: Path) -> None:
    source = open_source([write(tmp_path / "com.pdb", CENTERS)])
    assert source.trace.com_beads is not None and source.trace.com_beads.all()
    assert any("centres of mass of residues found: --com-residues A:1-89, " in note for note in source.notes)
    assert source.trace.chain_index.tolist() == [0] * 89
    assert inspect_source(source).chains[0].breaks == {}


@pytest.mark.parametrize(
    "positions",
    [
        CA * 1.3,
        NATIVE.atoms[0, :, 4],
        CENTERS[::-1],
    ],
    ids=["stretched", "CB", "residues in reverse"],
)
def test_what_is_neither_is_refused(tmp_path: Path, positions: np.ndarray) -> None:
    with pytest.raises(InputError, match="do not have the spacing of Cα"):
        open_source([write(tmp_path / "odd.pdb", positions)])


@pytest.mark.parametrize(
    "ca", [slice(60, None), slice(40, 52), slice(0, 6)], ids=["domain", "linker", "tail"]
)
def test_stretches_are_recognised_and_named(tmp_path: Path, ca: slice) -> None:
    path = write(tmp_path / "mixed.pdb", mixed(ca))
    found = open_source([path])
    assert found.trace.com_beads is not None
    expected = np.ones(89, dtype=bool)
    expected[ca] = False
    assert (found.trace.com_beads == expected).sum() >= 87
    (note,) = [note for note in found.notes if "found: --com-residues" in note]
    ranges = note.split("--com-residues ")[1].split(", ")[0]
    named = open_source([path], options=ReadOptions(com_residues=ranges))
    assert named.trace.com_beads is not None and (named.trace.com_beads == found.trace.com_beads).all()


def test_stretches_in_doubt_are_refused_with_a_guess(tmp_path: Path) -> None:
    noise = 0.4 * np.random.default_rng(0).normal(size=CA.shape)
    path = write(tmp_path / "noisy.pdb", mixed(slice(40, 60)) + noise)
    with pytest.raises(InputError, match="which is not certain") as caught:
        open_source([path])
    assert "name these with --com-residues; perhaps --com-residues A:" in caught.value.hint
    assert open_source([path], options=ReadOptions(force=True)).trace.com_beads is None


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_ca_are_never_taken_for_centres(tmp_path: Path, noise: float) -> None:
    rng = np.random.default_rng(0)
    for frame in NATIVE.atoms[:, :, 1]:
        path = write(tmp_path / "ca.pdb", frame + noise * rng.normal(size=frame.shape))
        assert open_source([path], options=ReadOptions(force=True)).trace.com_beads is None


def test_ranges_and_ca_in_one_file() -> None:
    source = open_source([EXAMPLES / "tnc_com.pdb"], options=ReadOptions(com_residues="A:5-85"))
    assert source.trace.com_beads is not None
    assert np.flatnonzero(source.trace.com_beads).tolist() == list(range(4, 85))
    assert source.warnings == () and not source.spacing.regions
    other = open_source([EXAMPLES / "tnc_com.pdb"], options=ReadOptions(com_residues="5-80", force=True))
    assert source.identity != other.identity


@pytest.mark.parametrize(
    ("positions", "options", "message"),
    [
        (CA, {"beads": "com"}, "have the spacing of Cα, not of centres of mass"),
        (mixed(slice(30, 45)), {"beads": "com"}, "beads from A:.*3[01] on have the spacing of Cα"),
        (CA, {"com_residues": "A:20-60"}, "beads from A:.*20 on have the spacing of Cα"),
        (CENTERS * 1.4, {"beads": "com"}, "too far for centres of mass"),
        (CENTERS, {"com_residues": "A:100-120"}, "--com-residues A:100-120: no such residues"),
        (CENTERS, {"com_residues": "B:1-9"}, "--com-residues B:1-9: no such residues"),
        (CENTERS, {"beads": "ca"}, "do not have the spacing of Cα"),
        (CENTERS, {"cyclic": True}, "--cyclic needs Cα beads"),
    ],
)
def test_wrong_kinds_are_refused(tmp_path: Path, positions: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_source([write(tmp_path / "beads.pdb", positions)], options=ReadOptions(**options))


def test_modified_residues_are_refused_at_centres_alone(tmp_path: Path) -> None:
    (serine,) = [i + 1 for i in range(89) if NATIVE.trace.sequence[i] == "S"][-1:]
    path = write(tmp_path / "sep.pdb", CENTERS, {serine: "SEP"})
    with pytest.raises(InputError, match="no centres of mass of modified residues"):
        open_source([path], options=ReadOptions(beads="com"))
    mixed = np.where(np.arange(1, 90)[:, None] == serine, CA, CENTERS)
    path = write(tmp_path / "mixed.pdb", mixed, {serine: "SEP"})
    assert len(open_source([path], options=ReadOptions(com_residues=f"1-{serine - 1}")).trace) == 89


def test_a_backbone_is_kept_beside_ca_alone() -> None:
    source = open_source([EXAMPLES / "tnc_com.pdb"], options=ReadOptions(com_residues="A:5-85"))
    with pytest.raises(InputError, match="--keep-backbone keeps the atoms beside Cα beads"):
        source.keeping_backbone()
