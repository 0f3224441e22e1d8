"""N, C, O and CB beside the Cα: which atoms they are, where they are, and when they are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cg_files import pdb_line, write_trajectory
from peptides import pdb_text, structure

from latcpb_cli.chem.residues import C_SLOT, CA_SLOT, CB_SLOT, GIVEN_SLOTS, N_SLOT, O_SLOT, OXT_SLOT
from latcpb_cli.errors import InputError
from latcpb_cli.io.backbone_atoms import BACKBONE_OFFER
from latcpb_cli.io.open_source import open_source
from latcpb_cli.io.source import Source
from latcpb_cli.read_options import ReadOptions
from latcpb_cli.structure import AtomTopology

SEQUENCE = "AGSKW"
PEPTIDE = structure(SEQUENCE)
TOPOLOGY = AtomTopology.heavy_atoms(PEPTIDE.trace)
ATOMS = np.round(TOPOLOGY.flatten(PEPTIDE.atoms), 3)[0]
N, C, O, CB = range(4)  # noqa: E741


def write(
    path: Path, atoms: np.ndarray = ATOMS, *, without: dict[int, str] | None = None, box: float = 0.0
) -> Path:
    """Write the peptide; ``without`` lists atoms that a residue lacks."""
    lines = [f"CRYST1{3 * f'{box:9.3f}'}{3 * '  90.00'} P 1           1"] if box else []
    for row, (residue, name) in enumerate(zip(TOPOLOGY.residue.tolist(), TOPOLOGY.names, strict=True)):
        if name not in (without or {}).get(residue, "").split():
            label = PEPTIDE.trace.names[residue]
            lines.append(pdb_line(row + 1, label, residue + 1, atoms[row], name=str(name)))
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def place(atoms: np.ndarray) -> np.ndarray:
    """Atoms in the order of the file as (L, 4, 3), nan for those that residues do not have."""
    placed = np.full((len(SEQUENCE), 15, 3), np.nan, dtype=np.float32)
    placed[TOPOLOGY.residue, TOPOLOGY.slot] = atoms
    return placed[:, list(GIVEN_SLOTS)]


def backbone_of(source: Source) -> np.ndarray:
    backbone = source.keeping_backbone().read_frames(np.arange(1)).backbone
    assert backbone is not None
    return backbone[0]


def row_of(residue: int, slot: int) -> int:
    return int(np.flatnonzero((TOPOLOGY.residue == residue) & (TOPOLOGY.slot == slot))[0])


def test_atoms_are_those_of_the_file_to_the_bit(tmp_path) -> None:
    source = open_source([write(tmp_path / "a.pdb")])
    np.testing.assert_array_equal(backbone_of(source), place(ATOMS))
    assert source.read_frames(np.arange(1)).backbone is None
    assert source.keeping_backbone(False) is source


def test_the_first_alternate_location_counts(tmp_path) -> None:
    """Its letter is that of the Cα."""
    path = write(tmp_path / "a.pdb")
    lines = path.read_text().splitlines()
    for name in ("CA", "C"):
        at = next(i for i, line in enumerate(lines) if line[12:16].strip() == name and line[25] == "3")
        shifted = f"{float(lines[at][30:38]) + 0.3:8.3f}"
        lines[at : at + 1] = [
            lines[at][:16] + "B" + lines[at][17:],
            lines[at][:16] + "A" + lines[at][17:30] + shifted + lines[at][38:],
        ]
    path.write_text("\n".join([*lines, ""]))
    np.testing.assert_array_equal(backbone_of(open_source([path])), place(ATOMS))


def test_backbones_follow_residues_that_are_moved_to_their_place(tmp_path) -> None:
    """A modified residue that the file lists after its chain."""
    path = write(tmp_path / "a.pdb")
    lines = path.read_text().replace("SER", "MSE").splitlines()
    last = [line.replace("ATOM  ", "HETATM") for line in lines if "MSE" in line]
    chain = [line for line in lines if "MSE" not in line and line != "END"]
    path.write_text("\n".join([*chain, "TER", *last, "END", ""]))
    source = open_source([path])
    assert any(note.startswith("moved to their place") for note in source.notes)
    np.testing.assert_array_equal(backbone_of(source), place(ATOMS))


@pytest.mark.parametrize("names", [("OT1", "OT2"), ("OC1", "OC2"), ("O1", "O2")])
def test_the_oxygen_of_a_terminus_has_many_names(tmp_path, names) -> None:
    path = write(tmp_path / "a.pdb")
    lines = path.read_text().splitlines()
    for slot, name in zip((O_SLOT, OXT_SLOT), names, strict=True):
        row = row_of(4, slot)
        lines[row] = f"{lines[row][:13]}{name:<3s}{lines[row][16:]}"
    path.write_text("\n".join([*lines, ""]))
    np.testing.assert_array_equal(backbone_of(open_source([path])), place(ATOMS))


def test_a_trajectory_beside_water(tmp_path) -> None:
    """Positions of 32 bits in nm come back as the reader of Cα gives them."""
    path = write(tmp_path / "a.pdb")
    water = [pdb_line(900, "HOH", 300 + i, (20 + 3 * i, 0, 0), name="O") for i in range(3)]
    path.write_text(path.read_text().replace("END", "\n".join([*water, "END"])))
    frames = np.concatenate([ATOMS + [[[0.1]], [[7.25]]], 30 + np.zeros((2, 3, 3))], axis=1)
    trajectory = write_trajectory(tmp_path / "a.xtc", frames.astype(np.float32))
    chunk = open_source([trajectory], path).keeping_backbone().read_frames(np.arange(2))
    for frame, row in enumerate(frames):
        np.testing.assert_allclose(chunk.backbone[frame], place(row[: len(ATOMS)]), atol=0.006)
    for name, column in (("N", N), ("C", C), ("O", O)):
        alone = open_source([trajectory], path, ReadOptions(selection="protein", bead=name, force=True))
        expected = alone.read_frames(np.arange(2)).positions
        np.testing.assert_array_equal(chunk.backbone[:, :, column], expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_residues_that_a_box_cuts_are_whole(tmp_path, axis) -> None:
    box = 30.0
    for shift in np.linspace(0, box, 7)[:-1]:
        atoms = ATOMS.copy()
        atoms[:, axis] = np.round((atoms[:, axis].astype(float) + shift) % box, 3)
        source = open_source([write(tmp_path / "a.pdb", atoms, box=box)]).keeping_backbone()
        chunk = source.read_frames(np.arange(1))
        assert chunk.problems == {} and chunk.missing is None
        expected, alpha = place(ATOMS), PEPTIDE.atoms[0, :, CA_SLOT]
        steps = chunk.backbone[0] - chunk.positions[0, :, None]
        np.testing.assert_allclose(steps, expected - alpha[:, None], atol=2e-3)
        same = np.abs(steps + chunk.positions[0, :, None] - place(atoms)).max(-1) < 1e-3
        np.testing.assert_array_equal(chunk.backbone[0][same], place(atoms)[same])


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ({0: "N"}, r"1 of 5 residues have no N or no C, A:ALA1 first"),
        ({1: "C", 3: "N C"}, r"2 of 5 residues have no N or no C, A:GLY2 first"),
        ({i: "N C" for i in range(5)}, "no N and C beside the Cα"),
    ],
)
def test_residues_without_n_or_c_are_refused(tmp_path, without, message) -> None:
    source = open_source([write(tmp_path / "a.pdb", without=without)])
    assert BACKBONE_OFFER not in source.notes
    with pytest.raises(InputError, match=message) as caught:
        source.keeping_backbone()
    assert "--keep-backbone" in caught.value.hint


def test_a_trajectory_of_the_beads_alone_is_refused(tmp_path) -> None:
    beads = PEPTIDE.atoms[:, :, CA_SLOT]
    source = open_source([write_trajectory(tmp_path / "a.dcd", beads)], write(tmp_path / "a.pdb"))
    assert BACKBONE_OFFER not in source.notes
    with pytest.raises(InputError, match="no N and C beside the Cα"):
        source.keeping_backbone()


def test_what_is_kept_is_offered_and_listed(tmp_path, ca_pdb) -> None:
    source = open_source([write(tmp_path / "a.pdb", without={1: "O", 2: "CB"})])
    assert source.notes == (BACKBONE_OFFER,)
    kept = source.keeping_backbone()
    assert kept.notes == ("kept: N and C of 5 residues, O of 4, CB of 3",)
    assert kept.identity != source.identity
    assert np.isnan(backbone_of(source)[[1, 2], [O, CB]]).all()
    assert BACKBONE_OFFER not in open_source([ca_pdb]).notes


def test_atoms_that_are_not_bonded_are_no_backbone(tmp_path) -> None:
    """Without N or C a residue is not built in that frame; O and CB can be built."""
    top = write(tmp_path / "a.pdb")
    frames = np.stack([ATOMS] * 4)
    frames[1, row_of(2, N_SLOT)] += 4.0
    frames[2, row_of(0, C_SLOT)] = np.nan
    frames[3, [row_of(1, O_SLOT), row_of(3, CB_SLOT)]] = 0.0
    trajectory = write_trajectory(tmp_path / "a.dcd", frames)
    chunk = open_source([trajectory], top).keeping_backbone().read_frames(np.arange(4))
    assert chunk.problems == {
        1: "residue A:SER3: N or C is not bonded to the Cα",
        2: "residue A:ALA1: N or C is not bonded to the Cα",
    }
    assert np.argwhere(chunk.missing).tolist() == [[1, 2], [2, 0]]
    expected = np.stack([place(ATOMS)] * 4)
    expected[1, 2] = expected[2, 0] = expected[3, [1, 3], [O, CB]] = np.nan
    np.testing.assert_allclose(chunk.backbone, expected, atol=1e-5)
    strict = open_source([trajectory], top, ReadOptions(strict=True)).keeping_backbone()
    with pytest.raises(InputError, match="frame 1, residue A:SER3: N or C is not bonded"):
        strict.read_frames(np.arange(4))


def test_atoms_that_belong_to_other_beads_are_refused(tmp_path) -> None:
    atoms = ATOMS.copy()
    atoms[TOPOLOGY.slot != CA_SLOT] = atoms[TOPOLOGY.slot != CA_SLOT][::-1]
    source = open_source([write(tmp_path / "a.pdb", atoms)])
    with pytest.raises(InputError, match="frame 0: N or C is not bonded to the Cα in most residues"):
        source.keeping_backbone()


def test_frames_of_several_models(tmp_path) -> None:
    path = tmp_path / "a.pdb"
    path.write_text(pdb_text(structure(SEQUENCE, np.concatenate([PEPTIDE.atoms, PEPTIDE.atoms + 2]))))
    chunk = open_source([path]).keeping_backbone().read_frames(np.arange(2))
    np.testing.assert_allclose(chunk.backbone[1] - chunk.backbone[0], 2 + 0 * chunk.backbone[0], atol=2e-3)
    second = chunk.select(1)
    np.testing.assert_array_equal(second.backbone, chunk.backbone[1:])
    assert len(second) == 1 and second.indices.tolist() == [1]
