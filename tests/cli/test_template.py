"""``latcpb backmap --template`` as a user meets it: files, messages, exit codes, report."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from cg_files import FakeModel, write_ca_pdb
from peptides import pdb_text, structure

from latcpb_cli import Backmapper
from latcpb_cli.chem.residues import CA_SLOT
from latcpb_cli.errors import UsageError
from latcpb_cli.io.open_source import open_source
from latcpb_cli.options import BackmapOptions
from latcpb_cli.run import prepared_run, remote, workers
from latcpb_cli.run.pipeline import backmap_trajectory
from latcpb_cli.run.worker_process import WorkerSetup
from latcpb_cli.run.workers import LocalWorkers

SEQUENCE = "MGSWTYPLKHCDEVNQ"


@pytest.fixture
def files(folder) -> Path:
    """A trace ``cg.pdb`` of three frames, and ``aa.pdb`` with all heavy atoms of the first."""
    native = structure(SEQUENCE, phi=-70.0)
    frames = np.stack([structure(SEQUENCE, phi=phi).atoms[0] for phi in (-70.0, -72.0, -150.0)])
    (folder / "aa.pdb").write_text(pdb_text(native))
    write_ca_pdb(folder / "cg.pdb", SEQUENCE, frames[:, :, CA_SLOT])
    return folder


def report(path: Path) -> dict:
    return json.loads(path.read_text())


def test_notes_and_report_say_what_came_from_the_template(files, backmap) -> None:
    code, messages = backmap("cg.pdb", "--template", "aa.pdb", "-o", "o.pdb")
    assert code == 0 and "aa.pdb: template of 16 of 16 residues" in messages
    content = report(files / "o.report.json")
    assert content["provenance"]["templates"] == [{"file": "aa.pdb", "residues": 16, "side_chains": 15}]
    assert [file["file"] for file in content["provenance"]["inputs"]] == ["cg.pdb", "aa.pdb"]
    assert len(content["templates"]) == 15 and content["summary"]["templates"]["residues"] == 15
    assert all(0 <= row["share"] <= 1 for row in content["templates"])
    assert "confidence" not in content


def test_without_a_template_nothing_of_it_is_written(files, backmap) -> None:
    assert backmap("cg.pdb", "-o", "o.pdb")[0] == 0
    content = report(files / "o.report.json")
    assert not any(name.startswith("template") for part in (content, content["provenance"]) for name in part)
    assert not [name for name in BackmapOptions().settings() if name.startswith("template")]


def test_a_domain_alone_may_use_it(files, backmap) -> None:
    arguments = "cg.pdb", "--template", "aa.pdb", "--template-only-domains", "A:3-9", "-o", "o.pdb"
    code, messages = backmap(*arguments)
    assert code == 0 and "template of 7 of 16 residues" in messages
    labels = [row["residue"] for row in report(files / "o.report.json")["templates"]]
    assert labels[0] == "A:SER3" and labels[-1] == "A:LYS9"


def test_what_is_missing_or_different_is_noted(files, backmap) -> None:
    text = (files / "aa.pdb").read_text().splitlines()
    kept = [line for line in text if line[12:16].strip() not in ("CE", "CZ") and int(line[22:26] or 0) != 12]
    other = [f"{line[:22]}{int(line[22:26]) + 300:4d}{line[26:]}" for line in kept if line[:4] == "ATOM"]
    (files / "part.pdb").write_text("\n".join([*other, "END", ""]))
    code, messages = backmap("cg.pdb", "--template", "part.pdb", "-o", "o.pdb")
    assert code == 0 and "part.pdb: template of 15 of 16 residues; 3 lack atoms" in messages


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--template", "none.pdb"), 3, "none.pdb: no such file"),
        (("--template", "cg.pdb"), 3, "Cα atoms only"),
        (("--template", "other.pdb"), 3, "no chain has the sequence of one in the input"),
        (("--template", "aa.pdb", "--template-map", "A=Z"), 3, "no template has a chain Z"),
        (("--template", "aa.pdb", "--template-map", "Q=A"), 3, "the input has no chain Q"),
        (("--template", "aa.pdb", "--template-map", "A"), 2, "'A' is no pair of chains"),
        (("--template", "aa.pdb", "--template-only-domains", "B:1-9"), 3, "B:1-9: no such residues"),
        (("--template", "aa.pdb", "--template-only-domains", "x"), 2, "'x' is no range of residues"),
        (("--template-map", "A=A"), 2, "--template-map has no effect without --template"),
        (("--template-only-domains", "1-9"), 2, "--template-only-domains has no effect"),
        (("--template", "aa.pdb", "--without", "all"), 2, "need packing"),
        (("--template", "aa.pdb", "--bfactor", "confidence"), 2, "without templates"),
        (("--template", "o.pdb"), 2, "o.pdb: is an input of this run"),
    ],
)
def test_what_cannot_be_served_is_refused(files, backmap, arguments, code, text) -> None:
    (files / "other.pdb").write_text(pdb_text(structure("ACDEFGHIKLMNP")))
    found, messages = backmap("cg.pdb", *arguments, "-o", "o.pdb")
    assert found == code and text in messages and "hint: " in messages
    assert not (files / "o.pdb").exists()


def test_one_of_several_templates_is_enough(files, backmap) -> None:
    (files / "other.pdb").write_text(pdb_text(structure("ACDEFGHIKLMNP")))
    code, messages = backmap("cg.pdb", "--template", "other.pdb", "--template", "aa.pdb", "-o", "o.pdb")
    assert code == 0 and "other.pdb: no residue of this template is in the input" in messages


def test_a_run_is_resumed_with_the_same_template_only(files, backmap, monkeypatch) -> None:
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    whole = "cg.pdb", "--template", "aa.pdb", "-o", "whole.pdb"
    assert backmap(*whole)[0] == 0
    monkeypatch.setattr(FakeModel, "fail_at", 2)
    command = "cg.pdb", "--template", "aa.pdb", "-o", "o.pdb"
    assert backmap(*command)[0] == 130
    monkeypatch.setattr(FakeModel, "fail_at", None)
    content = (files / "aa.pdb").read_text()
    (files / "aa.pdb").write_text(content.replace("1.00", "0.90", 1))
    code, messages = backmap(*command, "--resume")
    assert code == 2 and "templates" in messages
    (files / "aa.pdb").write_text(content)
    assert backmap(*command, "--resume")[0] == 0
    one, other = (report(files / f"{name}.report.json")["templates"] for name in ("whole", "o"))
    assert one == other
    assert "complete already" in backmap(*command, "--resume")[1]
    assert not list(files.glob("*.part"))


def test_every_file_of_a_folder_has_its_templates(files, backmap) -> None:
    (files / "two.pdb").write_text(pdb_text(structure("ACDEFGHIKLMNP")))
    (files / "alone.pdb").write_text(pdb_text(structure("WWWWHHHHWWWWK")))
    given = "cg.pdb", "two.pdb", "alone.pdb", "--template", "aa.pdb", "--template", "two.pdb"
    code, messages = backmap(*given, "--workers", 0, "-o", "all/")
    assert code == 3 and "aa.pdb, two.pdb: no chain has the sequence" in messages
    results = {row["file"]: row for row in report(files / "all" / "backmap.report.json")["files"]}
    assert results["alone.pdb"]["exit_code"] == 3 and not results["cg.pdb"]["error"]
    assert "aa.pdb: template of 16 of 16 residues" in results["cg.pdb"]["notes"]
    assert "two.pdb: template of 13 of 13 residues" in results["two.pdb"]["notes"]


def test_workers_get_the_templates(files, monkeypatch) -> None:
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr(workers.multiprocessing, "get_context", lambda method: context)
    monkeypatch.setattr(remote, "_cached_model", lambda weights, device: FakeModel())
    monkeypatch.setattr(prepared_run, "RESIDUES_PER_CHUNK", 1)
    options, source = BackmapOptions(template="aa.pdb"), open_source([Path("cg.pdb")])
    builder = LocalWorkers(WorkerSetup(None, "cpu"), 2)
    backmap_trajectory(FakeModel(), source, files / "w.pdb", options, builder=builder)
    backmap_trajectory(FakeModel(), source, files / "p.pdb", options)
    one, other = (report(files / f"{name}.report.json") for name in "wp")
    assert one["templates"] == other["templates"] and len(one["templates"]) == 15


def test_a_tolerance_lets_side_chains_stay_on_other_traces(files, backmap) -> None:
    given = "cg.pdb", "--template", "aa.pdb"
    shares = []
    for tolerance in ("0.01", "0.8", "50"):
        code, _ = backmap(*given, "--template-tolerance", tolerance, "-o", f"{tolerance}.pdb")
        assert code == 0
        shares.append(report(files / f"{tolerance}.report.json")["summary"]["templates"]["share"])
    assert shares == sorted(shares) and shares[0] < shares[-1]
    assert backmap(*given, "-o", "o.pdb")[0] == 0
    assert report(files / "o.report.json")["summary"]["templates"]["share"] == shares[1]


@pytest.mark.parametrize("tolerance", ["0", "-1", "nan", "inf"])
def test_a_tolerance_is_a_length(files, backmap, tolerance) -> None:
    code, messages = backmap(
        "cg.pdb", "--template", "aa.pdb", "--template-tolerance", tolerance, "-o", "o.pdb"
    )
    assert code == 2 and "give a length above 0 Å" in messages
    assert not (files / "o.pdb").exists()


def test_python_takes_paths(files) -> None:
    for template in ("aa.pdb", files / "aa.pdb", [files / "aa.pdb"]):
        assert BackmapOptions(template=template).template_paths == tuple(
            [Path(template)] if not isinstance(template, list) else template
        )
    with pytest.raises(UsageError, match="no effect without --template"):
        BackmapOptions(template_map="A=B")
    with pytest.raises(UsageError, match="--template-tolerance has no effect without --template"):
        BackmapOptions(template_tolerance=3.0)
    assert BackmapOptions(template="aa.pdb", template_tolerance=3.0).settings()["template_tolerance"] == 3.0

    class Stub(FakeModel, Backmapper):
        """A stand-in with the Python interface."""

    result = Stub().backmap("cg.pdb", template=files / "aa.pdb")
    assert len(result.universe.trajectory) == 3
