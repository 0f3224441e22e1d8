"""The 3D view: coordinates, bonds, deviations and overlaps."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest

from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.evaluation.evaluate import MethodInput, evaluate, from_memory
from latcpb_cli.html_report.residue_index import ResidueIndex
from latcpb_cli.html_report.scene import ATOM_NAMES, Scene

TYPES = {"Int16Array": "<i2", "Uint8Array": "u1", "Uint16Array": "<u2", "Uint32Array": "<u4"}


def unpack(packed):
    data = np.frombuffer(base64.b64decode(packed["data"]), dtype=TYPES[packed["type"]])
    return data.reshape(packed["shape"])


def scene_of(evaluation, frames=(0, 1, 2)):
    columns = [evaluation.reference, *evaluation.methods]
    (group,) = ResidueIndex.of_columns(columns).groups
    return Scene(
        group, frozenset({1, 2}) & group.members.keys(), np.array(frames), evaluation.superpose
    ).record()


def test_coordinates_survive(evaluation, native):
    record = scene_of(evaluation)
    atoms = native.atoms[:, native.present]
    shown = unpack(record["models"][0]["positions"]) * record["resolution"]
    centres = native.atoms[:, :, CA_SLOT].mean(axis=1)
    assert np.abs(shown + centres[:, None] - atoms).max() < 0.006


def test_bonds_have_the_length_of_bonds(evaluation):
    record = scene_of(evaluation)
    model = record["models"][0]
    points = unpack(model["positions"])[0] * record["resolution"]
    first, second = unpack(model["bonds"]).T
    lengths = np.linalg.norm(points[first] - points[second], axis=1)
    assert lengths.min() > 1.1 and lengths.max() < 1.9
    assert len(set(first) | set(second)) == len(points)


def test_deviations_are_those_of_the_moved_atom(evaluation, native, model):
    deviations = unpack(scene_of(evaluation)["models"][1]["deviations"])
    step = np.linalg.norm(model.atoms[1, 11, 10] - native.atoms[1, 11, 10])
    expected = 100 * step / np.sqrt(native.present[11].sum())
    assert deviations[1, 11] == pytest.approx(expected, abs=1)
    deviations = deviations.copy()
    deviations[1, 11] = 0
    assert not deviations.any()


def test_overlaps_name_the_atoms(evaluation):
    record = scene_of(evaluation)
    found = []
    for model in record["models"][:2]:
        names, residues = unpack(model["name"]), unpack(model["residue"])
        pairs = [
            {(int(residues[x]), ATOM_NAMES[names[x]]) for x in pair[:2]} for pair in model["overlaps"][1]
        ]
        found.append({(11, "CZ"), (7, "CB")} in pairs)
    assert found == [False, True]


def test_samples_repeat_the_frames_of_the_reference(native):
    generated = replace(native, atoms=np.repeat(native.atoms, 2, axis=0))
    method = MethodInput("two", (from_memory(generated, "two"),), 2)
    result = evaluate(MethodInput("reference", (from_memory(native, "native"),)), [method])
    record = scene_of(result, frames=range(6))
    assert record["models"][0]["frames"] == [0, 0, 1, 1, 2, 2]
    assert not unpack(record["models"][1]["deviations"]).any()


def test_superposed_frames_lie_on_the_reference(native):
    method = MethodInput("moved", (from_memory(replace(native, atoms=native.atoms + 30.0), "moved"),))
    result = evaluate(MethodInput("reference", (from_memory(native, "native"),)), [method], "frame")
    assert unpack(scene_of(result)["models"][1]["deviations"]).max() <= 1
