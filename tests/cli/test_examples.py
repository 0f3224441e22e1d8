"""``latcpb examples`` gives a folder in which the documents' commands run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from latcpb_cli.errors import ExitCode

ROOT = Path(__file__).parents[2]


def test_files_and_names(latcpb, folder):
    code, output, _ = latcpb("examples", "try/here")
    assert code == 0
    listed = {line.removeprefix("try/here/") for line in output.split()}
    made = folder / "try" / "here"
    assert listed == {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert {"cg.pdb", "traj.xtc", "latcpb.ipynb", "examples/tnc.dcd", "examples/tnc_allatom.pdb"} <= listed
    assert not {path.suffix for path in made.rglob("*")} & {".py", ".sh"}
    assert (made / "traj.xtc").read_bytes() == (ROOT / "examples" / "4ebp2.xtc").read_bytes()


def test_nothing_is_replaced_unless_asked(latcpb, folder):
    (folder / "cg.pdb").write_text("mine")
    code, _, message = latcpb("examples", ".")
    assert code == ExitCode.OUTPUT_EXISTS
    assert "cg.pdb: exists already" in message and "--overwrite" in message
    assert [path.name for path in folder.iterdir()] == ["cg.pdb"]
    assert latcpb("examples", ".", "--overwrite")[0] == 0
    assert (folder / "cg.pdb").read_text() != "mine"


def test_a_file_in_the_place_of_the_folder(latcpb, folder):
    (folder / "taken").touch()
    code, _, message = latcpb("examples", "taken")
    assert code == ExitCode.OUTPUT_EXISTS and "cannot be written to" in message


@pytest.mark.slow
def test_the_notebook_runs(latcpb, folder, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    latcpb("examples", ".")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    monkeypatch.setenv("PYTHONPATH", path)
    notebook = nbformat.read(folder / "latcpb.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("<table>" in output.get("data", {}).get("text/html", "") for output in shown)
    assert any("100 frames of 120 residues" in output.get("text", "") for output in shown)
    assert (folder / "notebook.xtc").stat().st_size > 10_000
