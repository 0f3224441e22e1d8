"""χ1 at interfaces, with planted rotamers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chains import references
from complexes import Complex
from interfaces import interface_lines, interface_sections, single_chains
from peptides import structure
from report import Column
from tables import compare

from latcpb_cli.chem.residues import slot_of
from latcpb_cli.train.structures import Structure

CHAIN = "GSSSG"


def make_complex(name, related):
    """Two equal chains, 30 Å apart; the second and third serine of each are at the interface."""
    chain = structure(CHAIN)
    atoms = np.concatenate([chain.atoms[0], chain.atoms[0] + 30.0]).astype(np.float32)
    linked = np.tile([True] * 4 + [False], 2)
    rows = np.arange(10)
    packed = Structure(
        atoms,
        np.tile(chain.present, (2, 1)),
        np.tile(chain.trace.residue_types, 2),
        linked,
        np.ones(10, dtype=np.float32),
    )
    return Complex(name, packed, rows // 5, np.isin(rows % 5, [2, 3]), np.repeat(related, 5))


def turned(native, residues):
    """The native with χ1 of some serines turned by half a turn."""
    atoms = native.atoms.copy()
    for residue in residues:
        ca, cb, og = (atoms[0, residue, slot_of("SER", atom)] for atom in ("CA", "CB", "OG"))
        axis = (cb - ca) / np.linalg.norm(cb - ca)
        atoms[0, residue, slot_of("SER", "OG")] = cb + 2 * axis * (axis @ (og - cb)) - (og - cb)
    return replace(native, atoms=atoms)


def column(natives, wrong):
    """A method that gets every native right but for the named serines."""
    built = {name: turned(native, wrong.get(name, [])) for name, native in natives.items()}
    return Column("m", "The method", {name: compare(natives[name], built[name]) for name in natives})


@pytest.fixture
def complexes():
    return [make_complex("1aaa", [False, False]), make_complex("2bbb", [True, False])]


def systems(complexes):
    natives = (native for _, native, _ in references(each.structure for each in complexes))
    return {each.name: native for each, native in zip(complexes, natives, strict=True)}


def test_interfaces_with_and_without_partner_by_relation(complexes):
    natives = single_chains(complexes)
    given = column(systems(complexes), {"1aaa": [2]})
    withheld = column(natives, {"1aaa/0": [2], "1aaa/1": [2, 3], "2bbb/0": [3]})
    unrelated, related = interface_sections(complexes, natives, [given], [withheld])
    assert (unrelated["complexes"], unrelated["interface_residues"]) == (2, 6)
    assert (related["complexes"], related["interface_residues"]) == (1, 2)
    figures = unrelated["methods"]["m"]
    assert figures["given"] == pytest.approx(100 * 5 / 6)
    assert figures["withheld"] == pytest.approx(100 * 3 / 6)
    assert figures["gain"] == pytest.approx(100 * 2 / 6)
    assert figures["buried"] is None, "no residue of so short a chain is buried"
    low, high = figures["intervals"]["withheld"]
    assert (low, high) == pytest.approx((25.0, 100.0)), "of one complex 1 of 4, of the other 2 of 2"
    assert related["methods"]["m"]["gain"] == pytest.approx(50.0)


def test_only_complexes_that_every_method_has_built_count(complexes):
    natives = single_chains(complexes)
    given, withheld = column(systems(complexes), {}), column(natives, {})
    del withheld.comparisons["2bbb/1"]
    broken = Column("b", "Broken")
    (section,) = interface_sections(complexes, natives, [given, broken], [withheld, broken])
    assert section["complexes"] == 1
    assert list(section["methods"]) == ["m"]


def test_lines_have_a_column_for_each_method(complexes):
    natives = single_chains(complexes)
    given, withheld = column(systems(complexes), {}), column(natives, {})
    lines = interface_lines(interface_sections(complexes, natives, [given], [withheld]), [given])
    assert "|  | The method |" in lines
    assert "| interface, all chains given, % | 100.0 ± 0.0 |" in lines
    assert "Chains related to training chains: 1 complex, 2 interface residues" in lines
