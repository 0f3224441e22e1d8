"""The page of an evaluation: complete, self-contained and safe."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest

from latcpb_cli.evaluation.definitions import DEFINITIONS
from latcpb_cli.evaluation.evaluate import MethodInput, evaluate, from_memory
from latcpb_cli.html_report import evaluation_data as data_module
from latcpb_cli.html_report.evaluation_data import evaluation_data
from latcpb_cli.html_report.evaluation_page import evaluation_page

SCRIPTS = sorted(
    path for path in (files("latcpb_cli.html_report") / "assets").iterdir() if path.name.endswith(".js")
)


@pytest.fixture(scope="module")
def page(evaluation):
    return evaluation_page(evaluation).html()


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def test_nothing_is_loaded(page):
    assert not re.findall(r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//", page)
    assert not re.findall(r"@import|url\(", page)
    assert "default-src 'none'" in page


def test_every_definition_is_there(page):
    for entry in DEFINITIONS:
        assert entry.label.replace("<", "&lt;").replace(">", "&gt;") in page


def test_figures_of_all_columns(page, evaluation):
    table = re.search(r"<caption>Against the reference</caption>.*?</table>", page, re.S)[0]
    value = evaluation.methods[0].summary["inner"]["rmsd"]["all_heavy"]
    assert f"{value:.2f}" in table and "0.00" in table
    data = data_of(page)
    assert [column["name"] for column in data["columns"]] == ["reference", "model", "same"]
    assert data["perResidue"][1]["rmsd"][11] > 0.1
    assert data["perResidue"][2]["rmsd"] == [0.0] * 16
    assert {tuple(pair[:2]) for pair in data["overlaps"][1]} > {(7, 11)}


def test_names_cannot_end_the_script(native):
    name = "</script><b>&"
    page = evaluation_page(evaluate(None, [MethodInput(name, (from_memory(native, name),))])).html()
    assert name not in page
    assert page.count("</script>") == 2
    assert data_of(page)["columns"][0]["name"] == name


def test_one_structure_without_a_reference(native):
    single = replace(native, atoms=native.atoms[:1])
    data = evaluation_data(evaluate(None, [MethodInput("only", (from_memory(single, "only"),))]))
    assert data["columns"] == [{"name": "only", "reference": False}]
    assert "rmsd" not in data["perResidue"][0]
    assert data["scenes"][0]["models"][0]["frames"] == [0]


def test_coordinates_stay_within_their_room(native, monkeypatch):
    monkeypatch.setattr(data_module, "_COORDINATE_BYTES", 20_000)
    long = replace(native, atoms=np.repeat(native.atoms, 40, axis=0))
    data = evaluation_data(evaluate(None, [MethodInput("long", (from_memory(long, "long"),))]))
    (scene,) = data["scenes"]
    assert scene["nFrames"] == 120
    assert 1 < len(scene["frames"]) < 30
    assert len(scene["models"][0]["positions"]["data"]) < 20_000


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node.js")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_javascript(script):
    subprocess.run(["node", "--check", str(script)], check=True, capture_output=True)
