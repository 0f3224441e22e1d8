"""Limits on the numbers of a report, and the exit code of a run that is over them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from latcpb_cli.errors import QualityGateError, UsageError
from latcpb_cli.md.force_fields import MINIMIZATION_METRICS
from latcpb_cli.metrics.defects import DEFECTS
from latcpb_cli.options import MdOptions

__all__ = ["check_limits", "limit_names", "parse_limits"]

_CLASHES = ("contact12_percent", "overlap04_per_1000", "pierced_rings", "lassos", "worst_overlap")


def limit_names(md: MdOptions | None) -> tuple[str, ...]:
    """Numbers of a report's rows that can be limited, with or without minimisation."""
    return (*_CLASHES, *DEFECTS, *(MINIMIZATION_METRICS if md is not None and md.minimize else ()))


def parse_limits(text: str, names: Sequence[str]) -> dict[str, float]:
    """Read ``contact12=0,overlap04=10``.

    Parameters
    ----------
    text : str
    names : sequence of str
        What can be limited, as the report calls it. A name may be cut short
        where only one begins like it.

    Returns
    -------
    dict of str to float
        By the full names.

    Raises
    ------
    UsageError
    """
    limits = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        limits[_full_name(name, names)] = _number(part, value)
    if not limits:
        raise UsageError("--fail-on without a limit", f"give NAME=LIMIT, of {', '.join(names)}")
    return limits


def check_limits(summary: Mapping[str, Any], limits: Mapping[str, float]) -> None:
    """Compare the worst frame and sample of a finished report with the limits.

    Parameters
    ----------
    summary : mapping
        From `ReportWriter.finish`.
    limits : mapping of str to float
        The largest values that pass.

    Raises
    ------
    QualityGateError
        A value is above its limit.
    """
    peaks = summary["peaks"]
    over = [name for name, limit in limits.items() if name in peaks and not peaks[name]["value"] <= limit]
    if over:
        excesses = [
            f"{name} {peaks[name]['value']:g} > {limits[name]:g} "
            f"(frame {peaks[name]['frame']}, sample {peaks[name]['sample']})"
            for name in over
        ]
        raise QualityGateError(
            f"over the limit: {'; '.join(excesses)}", "the output was written; its report names the residues"
        )


def _full_name(name: str, names: Sequence[str]) -> str:
    matches = [name] if name in names else [known for known in names if name and known.startswith(name)]
    if len(matches) != 1:
        reason = "stands for several" if matches else "is not known"
        raise UsageError(f"--fail-on: '{name}' {reason}", f"choose from {', '.join(matches or names)}")
    return matches[0]


def _number(part: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not number >= 0:
        raise UsageError(f"--fail-on: '{part}' is no limit", "give NAME=LIMIT with a number from 0 up")
    return number
