"""Limits on the figures of methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from latcpb_cli.evaluation.definitions import DEFINITIONS, Definition
from latcpb_cli.evaluation.records import Column, Evaluation
from latcpb_cli.evaluation.summary import figure

__all__ = ["exceeded", "limit_names"]

_FAILED_CHECKS = "failed_checks"
_BY_NAME = {entry.name.removeprefix("validity."): entry for entry in DEFINITIONS if entry.better}


def limit_names() -> tuple[str, ...]:
    """Return the figures that can be limited."""
    return (_FAILED_CHECKS, *_BY_NAME)


def exceeded(evaluation: Evaluation, limits: Mapping[str, float]) -> list[str]:
    """Describe the figures of methods that are worse than their limits.

    Figures of which a higher value is better must reach their limit; those that were
    not measured do not pass. Figures against the reference are those of inner residues.
    """
    return [line for method in evaluation.methods for line in _of_method(method, limits)]


def _of_method(method: Column, limits: Mapping[str, float]) -> Iterator[str]:
    for name, limit in limits.items():
        value = _value(method, name)
        at_least = name in _BY_NAME and _BY_NAME[name].better == "higher"
        if value is None:
            yield f"{method.name}: {name} was not measured"
        elif (value < limit) if at_least else (value > limit):
            yield f"{method.name}: {name} {value:g} {'<' if at_least else '>'} {limit:g}"


def _value(method: Column, name: str) -> float | None:
    if name == _FAILED_CHECKS:
        return float(sum(check.passed is False for check in method.checks))
    entry: Definition = _BY_NAME[name]
    return figure(method.summary, entry)
