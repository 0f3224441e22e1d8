"""Sets of structures, read from small copies of the data."""

from __future__ import annotations

import numpy as np
import pytest
from complexes import load_complexes
from peptides import pdb_text, structure
from reference_sets import load_set

from latcpb_cli.chem.residues import LETTERS

CHAINS = ("MKTAY", "IGAVLSF")


@pytest.fixture
def data(tmp_path):
    """A folder with CASP14 targets and a complex of two chains, the first related to a training chain."""
    (tmp_path / "casp14" / "ref").mkdir(parents=True)
    rows = ["target\tin_packbench", "T1\t1", "T2\t0", "T1041\t1", "T3\t1"]
    (tmp_path / "casp14" / "casp14.tsv").write_text("\n".join(rows) + "\n")
    for name, sequence in (("T1", "MKTAYIGAV"), ("T3", "GAVLS")):
        (tmp_path / "casp14" / "ref" / f"{name}.pdb").write_text(pdb_text(structure(sequence)))
    write_complexes(tmp_path / "complexes")
    return tmp_path


def write_complexes(folder):
    folder.mkdir()
    header = "id\tsplit\tshard\tindex\tresolution\trel_train_chains"
    rows = [header, "1abc\tvalid\t0\t0\t1.80\t0", "2abc\ttrain\t0\t0\t1.80\t"]
    (folder / "complexes.tsv").write_text("\n".join(rows) + "\n")
    chains = [structure(chain) for chain in CHAINS]
    coords = np.concatenate([chain.atoms[0, :, :14] + 20.0 * number for number, chain in enumerate(chains)])
    present = np.concatenate([chain.present[:, :14] for chain in chains])
    length = len(coords)
    flags = np.ones(length, dtype=np.uint8)
    flags[[2, 6]] += 128
    flags[len(CHAINS[0]) - 1] += 2
    np.savez(
        folder / "complexes_00.npz",
        offsets=np.array([0, length]),
        coords=np.round(100 * coords).astype(np.int16),
        atom_mask=(present * 2 ** np.arange(14)).sum(axis=1).astype(np.uint16),
        seq=np.array([LETTERS.index(letter) for letter in "".join(CHAINS)], dtype=np.uint8),
        chain=np.repeat([0, 1], [len(chain) for chain in CHAINS]).astype(np.uint8),
        flags=flags,
    )


def test_targets_of_packbench_by_name_the_shortest_first(data):
    targets = load_set(data, "casp14", None)
    assert {name: native.trace.sequence for name, native in targets.natives.items()} == {
        "T3": "GAVLS",
        "T1": "MKTAYIGAV",
    }
    assert list(targets.natives) == ["T3", "T1"]
    assert "without T1041" in targets.description
    assert list(load_set(data, "casp14", 1).natives) == ["T3"]


def test_a_complex_is_one_system_of_several_chains(data):
    references = load_set(data, "complexes", None)
    (native,) = references.natives.values()
    assert native.trace.sequence == "".join(CHAINS)
    assert native.trace.chain_index.tolist() == [0] * 5 + [1] * 7


def test_chains_interfaces_and_relatives(data):
    (complex_,) = load_complexes(data)
    assert np.flatnonzero(complex_.interface).tolist() == [2, 6]
    assert complex_.related.tolist() == [True] * 5 + [False] * 7
    chains = complex_.single_chains()
    assert {name: len(chain) for name, chain in chains.items()} == {"1abc/0": 5, "1abc/1": 7}
    np.testing.assert_array_equal(chains["1abc/1"].atoms, complex_.structure.atoms[5:])
