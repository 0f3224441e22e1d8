"""What is measured of a template, and how its evidence vanishes where the trace departs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from peptides import structure

from latcpb_cli.chem.residues import CA_SLOT, O_SLOT
from latcpb_cli.chem.rotamers import rotamer_index
from latcpb_cli.structure import AtomStructure
from latcpb_cli.templates.evidence import TemplateEvidence, find_evidence, find_rotamers
from latcpb_cli.templates.template import Template

SEQUENCE = "AKLMFWRTYVEDNQISHCAGPKL"


@pytest.fixture(scope="module")
def native() -> AtomStructure:
    return structure(SEQUENCE, phi=-65.0, psi=-40.0)


def make_template(native: AtomStructure, present: np.ndarray | None = None) -> Template:
    present = native.present if present is None else present
    return Template.from_atoms(native.trace, native.atoms[0], present, native.linked()[0])


def evidence(native: AtomStructure, ca: np.ndarray) -> TemplateEvidence:
    return find_evidence((make_template(native),), ca, native.trace.linked(ca))


def tensors(found: TemplateEvidence) -> list[torch.Tensor]:
    copies = [*vars(found.peptides).values(), *vars(found.side_chains).values()]
    return [value for value in vars(found).values() if isinstance(value, torch.Tensor)] + copies


def test_the_conformation_of_the_structure_is_measured(native) -> None:
    template = make_template(native)
    has_chi = np.array([letter not in "AG" for letter in SEQUENCE])
    assert ((template.rotamer >= 0) == has_chi).all()
    lysine = SEQUENCE.index("K")
    kind = int(native.trace.residue_types[lysine])
    assert template.rotamer[lysine] == rotamer_index(template.chi[[lysine]], kind)[0]
    assert np.allclose(np.linalg.norm(template.rotation[:-1], axis=-1), 1.0)
    assert not template.rotation[-1].any()


def test_residues_without_all_atoms_keep_their_side_chain_to_themselves(native) -> None:
    present = native.present.copy()
    present[1, 8] = False  # NZ of a lysine
    present[5, O_SLOT] = False
    template, whole = make_template(native, present), make_template(native)
    assert template.rotamer[1] == -1 and (template.rotamer[2:] == whole.rotamer[2:]).all()
    assert not template.rotation[5].any() and np.allclose(template.rotation[6:], whole.rotation[6:])


def test_peptides_beside_residues_that_are_missing_do_not_count(native) -> None:
    present, linked = native.present.copy(), native.linked()[0].copy()
    present[10], linked[9:11] = False, False
    template = Template.from_atoms(native.trace, native.atoms[0], present, linked)
    assert np.flatnonzero(~template.rotation.any(-1)).tolist() == [8, 9, 10, 11, len(SEQUENCE) - 1]


def test_evidence_is_strong_on_the_same_trace_and_vanishes_on_others(native) -> None:
    ca = native.atoms[:, :, CA_SLOT]
    rng = np.random.default_rng(0)
    probability, concentration, std = [], [], []
    for noise in (0.0, 0.2, 0.6, 2.0, 20.0):
        found = evidence(native, (ca + noise * rng.normal(size=ca.shape)).astype(np.float32))
        known = make_template(native).rotamer >= 0
        probability.append(float(found.probability.numpy()[known].mean()))
        concentration.append(float(found.concentration[1:-2].median()))
        std.append(float(found.chi_std.numpy()[known].mean()))
    assert probability[0] > 0.98 and concentration[0] > 1000
    assert (
        (np.diff(probability) < 0).all() and (np.diff(concentration) < 0).all() and (np.diff(std) > 0).all()
    )
    assert probability[-1] < 0.02 and concentration[-1] < 0.1


def test_a_departure_is_local(native) -> None:
    """The end of the chain turns away: the other end keeps its template."""
    ca = native.atoms[:, :, CA_SLOT].copy()
    ca[:, 18:] += np.array([6.0, 8.0, -5.0], dtype=np.float32)
    change = evidence(native, ca).probability / evidence(native, native.atoms[:, :, CA_SLOT]).probability
    assert (change[[2, 3]] > 0.9).all() and (change[[20, 21]] < 0.9).all()
    mirrored = evidence(native, ca * np.array([1, 1, -1], dtype=np.float32))
    assert mirrored.probability.max() < 0.5


def test_half_of_the_side_chains_stay_at_the_tolerance(native) -> None:
    rng = np.random.default_rng(0)
    ca = (native.atoms[:, :, CA_SLOT] + 0.5 * rng.normal(size=(3, len(SEQUENCE), 3))).astype(np.float32)
    linked, template = native.trace.linked(ca), make_template(native)
    known, deviation = template.rotamer >= 0, template.deviation(ca, linked)
    for tolerance in (0.3, 3.0):
        (rotamer, probability) = find_rotamers((replace(template, tolerance=tolerance),), ca, linked)
        assert np.array_equal((probability > 0.495)[:, known], (deviation < tolerance)[:, known])
        assert (rotamer == template.rotamer)[:, known].all() and not probability[:, ~known].any()
        found = find_evidence((replace(template, tolerance=tolerance),), ca, linked)
        assert np.allclose(found.probability.numpy(), probability.ravel())
        assert np.array_equal(found.rotamer.numpy(), rotamer.ravel())


def test_evidence_does_not_depend_on_axes_or_batch(native) -> None:
    rng = np.random.default_rng(1)
    ca = native.atoms[0, :, CA_SLOT] + 0.2 * rng.normal(size=(5, len(SEQUENCE), 3))
    matrix = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    matrix *= np.linalg.det(matrix)
    together, turned = evidence(native, ca), evidence(native, ca @ matrix.T + 7.0)
    for frame in range(5):
        alone = evidence(native, ca[[frame]])
        rows = slice(frame * len(SEQUENCE), (frame + 1) * len(SEQUENCE))
        for value, other, same in zip(*map(tensors, (together, turned, alone)), strict=True):
            assert np.array_equal(value[rows], same)
            assert np.allclose(value, other, atol=1e-4, rtol=1e-4)


def test_the_nearest_of_several_templates_counts(native) -> None:
    other = structure(SEQUENCE, phi=-120.0, psi=130.0)
    templates = make_template(native), make_template(other)
    for template, own in zip(templates, (native, other), strict=True):
        ca = own.atoms[:, :, CA_SLOT]
        found = find_evidence(templates, ca, own.trace.linked(ca))
        known = template.rotamer >= 0
        assert np.allclose(found.chi.numpy()[known], template.chi[known], atol=1e-5)
        assert np.allclose(found.rotation[1:-2], template.rotation[1:-2], atol=1e-5)
    nothing = replace(make_template(native), rotamer=np.full(len(SEQUENCE), -1))
    ca = native.atoms[:, :, CA_SLOT]
    assert not find_evidence((nothing,), ca, native.trace.linked(ca)).probability.any()
