"""What a report records of a run."""

from __future__ import annotations

import hashlib
import json
import sys

from latcpb_cli import __version__
from latcpb_cli.run.provenance import provenance


def test_versions_command_inputs_and_further_entries(tmp_path, monkeypatch):
    path = tmp_path / "a.pdb"
    path.write_bytes(b"ATOM")
    monkeypatch.setattr(sys, "argv", ["latcpb", "backmap", "a.pdb"])
    content = provenance([path], seed=7)
    assert content == json.loads(json.dumps(content))
    assert content["latcpb"] == __version__
    assert content["command"] == ["latcpb", "backmap", "a.pdb"]
    assert content["inputs"] == [{"file": str(path), "sha256": hashlib.sha256(b"ATOM").hexdigest()}]
    assert content["seed"] == 7
    assert all(content[name][0].isdigit() for name in ("python", "torch", "numpy", "MDAnalysis"))


def test_a_library_without_metadata_is_unknown(monkeypatch):
    monkeypatch.setattr("latcpb_cli.run.provenance._LIBRARIES", ("no-such-library",))
    assert provenance([])["no-such-library"] == "unknown"
