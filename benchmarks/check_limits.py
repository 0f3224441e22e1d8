"""Limits of ``latcpb evaluate --checks``: what 99 % of crystal structures meet.

    python benchmarks/check_limits.py DATA [--chains N]

Every figure that a check looks at is measured on chains held out of training, one by one. The table has the
percentile that a limit of the check stands for, and the part of the chains that pass under the limits of
today. Limits of counts stay 0: what they count is a defect wherever it occurs.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from chains import reference_chains

from latcpb_cli.evaluation.checks import CHECKS
from latcpb_cli.evaluation.column import make_column
from latcpb_cli.evaluation.evaluate import from_memory
from latcpb_cli.evaluation.measured import measure_structure

PERCENT = 99


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--chains", type=int, default=200)
    options = parser.parse_args()
    values: dict[str, list[float]] = {check.name: [] for check in CHECKS}
    passed: dict[str, list[bool]] = {check.name: [] for check in CHECKS}
    for _, reference, _ in islice(reference_chains(options.data, "heldout"), options.chains):
        measured = measure_structure(from_memory(reference, "chain"), lambda frames: None)
        for result in make_column("chain", [measured], {}).checks:
            if result.value is not None:
                values[result.name].append(result.value)
                passed[result.name].append(bool(result.passed))
    print("| check | chains | median | percentile | limit | pass, % |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for check in CHECKS:
        found = np.array(values[check.name])
        percentile = np.percentile(found, 100 - PERCENT if check.at_least else PERCENT)
        print(
            f"| {check.label} | {len(found)} | {np.median(found):.2f} | {percentile:.2f} | {check.limit:g} | "
            f"{100 * np.mean(passed[check.name]):.1f} |"
        )


if __name__ == "__main__":
    main()
