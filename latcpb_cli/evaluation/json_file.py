"""An evaluation as JSON; ``evaluation.schema.json`` beside this module describes it."""

from __future__ import annotations

import json
import math
from importlib import resources
from typing import Any

from latcpb_cli import __version__
from latcpb_cli.evaluation.records import Column, Evaluation

__all__ = ["SCHEMA_VERSION", "json_record", "json_schema", "json_text"]

SCHEMA_VERSION = 1
"""Rises when a name changes its meaning or goes away, not when one is added."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the files."""
    text = resources.files("latcpb_cli.evaluation").joinpath("evaluation.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def json_text(evaluation: Evaluation) -> str:
    """Format an evaluation; numbers that are not finite become null."""
    return json.dumps(json_record(evaluation), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def json_record(evaluation: Evaluation) -> Any:
    """Return what the file holds, as dictionaries and lists."""
    reference = evaluation.reference
    content = {
        "schema_version": SCHEMA_VERSION,
        "version": __version__,
        "superpose": evaluation.superpose,
        "reference": None if reference is None else _column(reference),
        "methods": [_column(method) for method in evaluation.methods],
        "definitions": [vars(entry) for entry in evaluation.definitions],
    }
    return _finite(content)


def _column(column: Column) -> dict[str, Any]:
    parts = [
        {
            "name": part.name,
            "files": list(part.files),
            "residues": len(part.atoms.trace),
            "frames": len(part.frames),
        }
        for part in column.structures
    ]
    return {
        "name": column.name,
        "files": parts,
        **column.summary,
        "intervals": {name: list(bounds) for name, bounds in column.intervals.items()},
        "checks": [vars(check) for check in column.checks],
        "notes": list(column.notes),
        "failures": list(column.failures),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
