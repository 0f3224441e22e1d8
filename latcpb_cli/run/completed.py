"""Whether a run with the same settings is complete already."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from latcpb_cli.run.output_plan import OutputPlan

__all__ = ["complete_already", "run_remark"]

_HEAD_BYTES = 4096
"""Of a PDB or mmCIF file, which begins with the remarks."""


def run_remark(settings: dict[str, Any]) -> str:
    """A remark by which a finished run is recognised.

    It depends on the content of the inputs, not on names and times of files: the same run has the same bytes
    wherever its files are.
    """
    kept = {name: value for name, value in settings.items() if name not in ("inputs", "outputs")}
    kept["inputs"] = [{name: file[name] for name in ("size", "sha256")} for file in settings["inputs"]]
    return f"RUN {hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:32]}"


def complete_already(plan: OutputPlan, settings: dict[str, Any]) -> dict[str, Any] | None:
    """Return the summary of a finished clash report, or None where this run is not complete.

    Files take their final names only when a run is complete. Of these, the PDB or mmCIF file, which is the
    topology of a trajectory, names the run.
    """
    if not all(file.is_file() for file in plan.files):
        return None
    with plan.structure_file.open("rb") as handle:
        if f" {run_remark(settings)}\n".encode() not in handle.read(_HEAD_BYTES):
            return None
    if not plan.report:
        return {}
    try:
        summary: dict[str, Any] = json.loads(plan.report_files[0].read_text())["summary"]
    except (KeyError, TypeError, ValueError):
        return None
    return summary
