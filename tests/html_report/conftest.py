"""Small evaluations for the report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from peptides import structure

from latcpb_cli.evaluation.evaluate import MethodInput, evaluate, from_memory

SEQUENCE = "MKTAYIAPQRDFEWGV"


@pytest.fixture(scope="session")
def native():
    """A reference of three frames."""
    one = structure(SEQUENCE)
    return replace(one, atoms=np.concatenate([one.atoms, one.atoms + 2.0, one.atoms]))


@pytest.fixture(scope="session")
def model(native):
    """The reference with CZ of Phe 12 moved by 2 Å in frame 1, into its own backbone."""
    atoms = native.atoms.copy()
    atoms[1, 11, 10] = atoms[1, 7, 4] + 0.5
    return replace(native, atoms=atoms)


@pytest.fixture(scope="session")
def evaluation(native, model):
    """The model and the reference itself against the reference."""
    columns = [
        MethodInput(name, (from_memory(part, name),)) for name, part in (("model", model), ("same", native))
    ]
    return evaluate(MethodInput("reference", (from_memory(native, "native"),)), columns)
