"""mmCIF files."""

from __future__ import annotations

import numpy as np
from cg_files import walk
from reading import read_all, refuse

from latcpb_cli.io.open_source import open_source


def test_author_numbering_and_models(tmp_path):
    xyz = walk(4, 2)
    rows = [
        f"ATOM {m * 4 + i + 1} C CA . {name} {'A' if i < 2 else 'B'} {i + 1} {ins} "
        f"{xyz[m, i, 0]:.3f} {xyz[m, i, 1]:.3f} {xyz[m, i, 2]:.3f} {'H' if i < 2 else 'LL'} {10 + i} {m + 1}"
        for m in range(2)
        for i, (name, ins) in enumerate([("ALA", "?"), ("MSE", "A"), ("GLY", "?"), ("HIE", "?")])
    ]
    tags = (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id "
        "pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z auth_asym_id auth_seq_id pdbx_PDB_model_num"
    )
    path = tmp_path / "a.cif"
    path.write_text("\n".join(["data_x", "loop_", *[f"_atom_site.{tag}" for tag in tags.split()], *rows, ""]))
    source = open_source([path])
    np.testing.assert_allclose(read_all(source)[0], xyz, atol=1e-3)
    assert source.trace.sequence == "AMGH"
    assert source.trace.chain_ids.tolist() == ["H", "H", "LL", "LL"]
    assert source.trace.resids.tolist() == [10, 11, 12, 13]
    assert source.trace.icodes.tolist() == ["", "A", "", ""]
    assert source.renamed == {("MSE", "MET"): 1, ("HIE", "HIS"): 1}


def test_truncated_file(tmp_path):
    (tmp_path / "a.cif").write_text("data_x\nloop_\n_atom_site.id\n_atom_site.Cartn_x\n1 2.0 3\n")
    refuse("cannot be read as mmCIF", [tmp_path / "a.cif"])
