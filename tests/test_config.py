"""Configurations: JSON and back, and files that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from latcpb_cli.config import DiffusionConfig, ModelConfig, from_json, to_json
from latcpb_cli.errors import WeightsError


def test_a_configuration_and_its_json_are_equivalent(tmp_path: Path) -> None:
    config = ModelConfig(dim=48, discrete=False, schedule=DiffusionConfig(steps=7, schedule="linear"))
    file = tmp_path / "config.json"
    file.write_text(to_json(config))
    assert from_json(ModelConfig, file) == config
    assert from_json(ModelConfig, json.loads(to_json(config))) == config


def test_missing_keys_have_their_defaults() -> None:
    assert from_json(ModelConfig, {"dim": 48}) == ModelConfig(dim=48)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"dim": 48, "width": 3}', "unknown settings: width"),
        ('{"schedule": {"steps": 7, "kind": "cosine"}}', "unknown settings: kind"),
        ("[1, 2]", "does not hold a JSON object"),
        ('{"schedule": 7}', "does not hold a JSON object"),
        ('{"dim": -3}', "dim is -3, not from 1 to 2048"),
        ('{"cg_layers": 1000000000}', "cg_layers is 1000000000"),
        ('{"peptide_layers": 0}', "peptide_layers is 0"),
        ('{"dim": 1e2}', "dim is 100.0, not int"),
        ('{"dim": true}', "dim is true, not int"),
        ('{"dim": "192"}', 'dim is "192", not int'),
        ('{"dim": null}', "dim is null, not int"),
        ('{"heads": [[[[]]]]}', "heads is .*, not int"),
        ('{"discrete": 1}', "discrete is 1, not bool"),
        ('{"cutoff": NaN}', "cutoff is nan"),
        ('{"cutoff": -Infinity}', "cutoff is -inf"),
        ('{"cutoff": 1e999}', "cutoff is inf"),
        ('{"cutoff": %s}' % ("9" * 400), "cutoff is 9999.*, not float"),
        ('{"neighbors": %s}' % ("9" * 5000), "not a readable configuration"),
        ('{"schedule": {"steps": 0}}', "steps is 0"),
        ('{"schedule": {"schedule": "sine"}}', "schedule is \"sine\", not 'cosine' or 'linear'"),
        ("[" * 60_000, "not a readable configuration"),
        ('{"dim": 48,' + " " * 70_000 + '"heads": 2}', "more than 65,536 bytes"),
        ("\udcff", "not a readable configuration"),
        ('{"dim": ', "not a readable configuration"),
        (None, "not a readable configuration"),
    ],
)
def test_files_that_are_no_configuration_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text, errors="surrogateescape")
    with pytest.raises(WeightsError, match=message):
        from_json(ModelConfig, file)
