"""Figures agree with other programs, and with brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latcpb_cli.chem.bonds import element_index
from latcpb_cli.chem.residues import COVALENT_RADIUS, ELEMENTS, PRO, VDW_RADIUS
from latcpb_cli.evaluation.evaluate import evaluate_pair
from latcpb_cli.io.all_atom import open_all_atom, read_all_atom
from latcpb_cli.metrics.clashes import frame_clashes
from latcpb_cli.metrics.graph import BOND_FACTOR
from latcpb_cli.metrics.sasa import solvent_accessible_surface
from latcpb_cli.metrics.torsions import TORSION_NAMES, measure_torsions
from latcpb_cli.structure import AtomStructure

EXAMPLE = Path(__file__).parents[2] / "examples" / "tnc_allatom.pdb"


@pytest.fixture(scope="module")
def native():
    whole = read_all_atom(EXAMPLE)
    return AtomStructure(whole.trace, whole.atoms[:2], whole.present, {})


@pytest.fixture(scope="module")
def noisy(native):
    noise = np.random.default_rng(0).normal(0, 0.3, native.atoms.shape)
    atoms = np.where(native.present[:, :, None], native.atoms + noise, 0).astype(np.float32)
    return AtomStructure(native.trace, atoms, native.present, {})


def test_rmsd_of_mdanalysis(native, noisy):
    """Of atoms without symmetry: the backbone, without superposition and with it."""
    rmsd = pytest.importorskip("MDAnalysis.analysis.rms").rmsd
    slots = [0, 2, 3]
    pairs = list(zip(noisy.atoms, native.atoms, strict=True))
    plain = np.mean([rmsd(a[:, slots].reshape(-1, 3), b[:, slots].reshape(-1, 3)) for a, b in pairs])
    summary = evaluate_pair(native, noisy).methods[0].summary
    assert summary["all"]["rmsd"]["backbone"] == pytest.approx(plain, rel=1e-6)
    fitted = np.mean([rmsd(a[:, 1], b[:, 1], center=True, superposition=True) for a, b in pairs])
    from latcpb_cli.metrics.superposition import fit

    rotation, translation = fit(noisy.atoms[:, :, 1], native.atoms[:, :, 1])
    moved = noisy.atoms[:, :, 1] @ rotation + translation[:, None]
    own = np.sqrt(((moved - native.atoms[:, :, 1]) ** 2).sum(-1).mean(-1)).mean()
    assert own == pytest.approx(fitted, rel=1e-5)


def test_torsions_of_mdanalysis(native):
    mda = pytest.importorskip("MDAnalysis")
    dihedrals = pytest.importorskip("MDAnalysis.analysis.dihedrals")
    universe = mda.Universe(str(EXAMPLE), to_guess=())
    universe.transfer_to_memory(stop=2)
    own = np.degrees(
        measure_torsions(native.trace.residue_types, native.atoms, native.present, native.linked())
    )
    expected = dihedrals.Ramachandran(universe.atoms).run().results.angles
    assert np.abs(own[:, 1:-1, :2] - expected).max() < 1e-2
    chi1 = own[..., TORSION_NAMES.index("chi1")]
    selection = [residue.chi1_selection() for residue in universe.residues[:30]]
    rows = [index for index, group in enumerate(selection) if group is not None]
    groups = [selection[row] for row in rows]
    expected = dihedrals.Dihedral(groups).run().results.angles
    difference = np.abs((chi1[:, rows] - expected + 180) % 360 - 180)
    assert difference.max() < 1e-2


def test_clashes_by_brute_force(native, noisy):
    """All pairs of atoms, and bonds by walking along a graph."""
    networkx = pytest.importorskip("networkx")
    trace, present = native.trace, native.present
    types, atoms = trace.residue_types, noisy.atoms[0]
    residue, slot = np.nonzero(present)
    graph = chemical_graph(networkx, native)
    near = [
        dict(networkx.single_source_shortest_path_length(graph, n, cutoff=3)) for n in range(len(residue))
    ]
    names = np.array(ELEMENTS)[element_index()[types[residue], slot]]
    points = atoms[residue, slot].astype(float)
    overlaps, contacts = 0, set()
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    for a, b in np.argwhere(np.triu(distances < 3.5, 1)).tolist():
        distance = distances[a, b]
        limit = VDW_RADIUS[names[a]] + VDW_RADIUS[names[b]] - 0.4
        limit = 2.5 if {names[a], names[b]} <= {"N", "O"} else 1.9 if names[a] == names[b] == "S" else limit
        overlaps += distance <= limit and b not in near[a]
        if distance < 1.2 and residue[a] != residue[b] and near[a].get(b) != 1:
            contacts |= {residue[a], residue[b]}
    own = frame_clashes(types, noisy.atoms[:1], present, native.linked()[:1])[0]
    assert own.n_overlaps == overlaps > 20
    assert set(np.flatnonzero(own.contact12)) == contacts


def chemical_graph(networkx, native):
    """Bonds of the native, inferred from its distances."""
    residue, slot = np.nonzero(native.present)
    radius = [
        COVALENT_RADIUS[ELEMENTS[e]] for e in element_index()[native.trace.residue_types[residue], slot]
    ]
    points = native.atoms[0, residue, slot].astype(float)
    distance = np.linalg.norm(points[:, None] - points, axis=-1)
    bonded = distance < BOND_FACTOR * np.add.outer(radius, radius)
    graph = networkx.Graph(np.argwhere(np.triu(bonded, 1)).tolist())
    assert graph.number_of_nodes() == len(residue)
    return graph


def test_graph_edit_distance_of_networkx():
    networkx = pytest.importorskip("networkx")
    from peptides import structure

    native = structure("AG", phi=-120, psi=130)
    atoms = native.atoms.copy()
    atoms[0, 0, 4] += 30.0
    made = structure("AG", frames=atoms)
    graphs = []
    for sample in (native, made):
        graph = networkx.Graph()
        graph.add_nodes_from((n, {"atom": n}) for n in range(int(sample.present.sum())))
        residue, slot = np.nonzero(sample.present)
        radius = [
            COVALENT_RADIUS[ELEMENTS[e]] for e in element_index()[sample.trace.residue_types[residue], slot]
        ]
        points = sample.atoms[0, residue, slot].astype(float)
        distance = np.linalg.norm(points[:, None] - points, axis=-1)
        graph.add_edges_from(
            np.argwhere(np.triu(distance < BOND_FACTOR * np.add.outer(radius, radius), 1)).tolist()
        )
        graphs.append(graph)
    edits = networkx.graph_edit_distance(*graphs, node_match=lambda a, b: a == b, upper_bound=3)
    own = evaluate_pair(native, made).methods[0].summary["all"]["ged_symmetric"]
    assert own * graphs[0].number_of_edges() == pytest.approx(edits) == pytest.approx(1.0)


def test_surface_of_mdtraj(native):
    mdtraj = pytest.importorskip("mdtraj")
    frame = mdtraj.load_pdb(str(EXAMPLE))[0]
    radii = {"C": 0.17, "N": 0.155, "O": 0.152, "S": 0.18}
    expected = 100 * mdtraj.shrake_rupley(frame, change_radii=radii, n_sphere_points=960, mode="residue")[0]
    own = solvent_accessible_surface(native.trace.residue_types, native.atoms[0], native.present)
    assert own.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert np.corrcoef(own, expected)[0, 1] > 0.999


def test_ramachandran_regions_of_mdanalysis():
    """Where the map of Lovell et al. (2003) that MDAnalysis has is favoured, ours is no outlier."""
    names = pytest.importorskip("MDAnalysis.analysis.data.filenames")
    from latcpb_cli.chem.ramachandran import RESIDUE_CLASSES, ramachandran_maps

    theirs = np.load(names.Rama_ref)
    # Rows are psi and columns phi, 4 degrees each; its inner contour, drawn at 17, holds 90 % of residues.
    favoured = theirs.T > 17
    ours = ramachandran_maps()[RESIDUE_CLASSES.index("general")]
    assert favoured.shape == ours.shape
    assert (ours[favoured] > 0).mean() > 0.9


def test_rotamers_of_mdanalysis():
    """Rotamers that are no outliers lie in the inner regions of χ1 and χ2 that MDAnalysis has."""
    names = pytest.importorskip("MDAnalysis.analysis.data.filenames")
    from latcpb_cli.chem.residues import CHI_ATOMS, NAMES
    from latcpb_cli.chem.rotamers import rotamer_table
    from latcpb_cli.metrics.rotamer_outliers import MIN_PROBABILITY

    # Rows are chi 2 and columns chi 1 from 0, 6 degrees each; the contour of 90 % is drawn at 6.
    allowed, table = np.load(names.Janin_ref) >= 6, rotamer_table()
    two = np.array([len(chi) >= 2 and name != "PRO" for chi, name in zip(CHI_ATOMS, NAMES, strict=True)])
    chi1, chi2 = np.moveaxis((np.degrees(table.chi[two][..., :2]) % 360 // 6).astype(int), -1, 0)
    inside, probability = allowed[chi2, chi1], table.probability[two]
    assert 0 < allowed.mean() < 0.25
    assert inside[probability > 0.05].all()
    assert inside[probability >= MIN_PROBABILITY].mean() > 0.95


def test_proline_is_in_no_chi1(native):
    column = evaluate_pair(native, native).methods[0]
    proline = native.trace.residue_types == PRO
    for name in ("chi1_match", "chi1_chi2_match", "chi1_jumps"):
        assert np.isnan(column.residues.values[name][proline]).all()


def test_frames_are_read_when_needed():
    source = open_all_atom(EXAMPLE)
    assert len(source) == 5
    native = read_all_atom(EXAMPLE)
    assert np.array_equal(source.read(1, 3), native.atoms[1:3])
