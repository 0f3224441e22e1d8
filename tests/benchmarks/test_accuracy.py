"""The comparison as a whole, with stand-ins for the programs."""

from __future__ import annotations

import pytest
from accuracy import measure_all
from methods import METHODS
from peptides import pdb_text, structure
from programs import ProgramError
from workers import Cost


class Echo:
    """Returns the native with as many Cα as the input has; fails on one length."""

    def __init__(self, folder, natives, fails_on):
        self.folder, self.fails_on = folder, fails_on
        self.natives = {len(native.trace): native for native in natives}

    def run(self, text):
        length = text.count(" CA ")
        if length == self.fails_on:
            raise ProgramError("too hard")
        path = self.folder / f"{length}.pdb"
        path.write_text(pdb_text(self.natives[length]))
        return path, Cost(1.0, 1.0, 1.0, 1.0, 1)


@pytest.fixture
def chains():
    natives = {"b": structure("MKTAYI"), "c": structure("MKTAYIG"), "d": structure("MKTAYIPG")}
    for native in natives.values():
        native.present[:, 14] = False
    return natives


def test_failures_are_recorded_and_slow_methods_get_the_shortest_chains(chains, tmp_path, capsys):
    echo = Echo(tmp_path, chains.values(), fails_on=7)
    methods = [METHODS[name] for name in ("pulchra", "cgback+faspr", "native")]
    fast, slow, native = measure_all(methods, chains, lambda name: echo, slow_chains=1)
    assert sorted(fast.comparisons) == ["b", "d"]
    assert fast.failures == {"c": "too hard"}
    assert list(slow.comparisons) == ["b"] and not slow.failures
    assert sorted(native.comparisons) == ["b", "c", "d"]
    assert len(slow.costs["b"]) == 2
    assert fast.figures(["d"])["all_heavy"] == pytest.approx(0, abs=1e-3)
    assert "PULCHRA: 2 structures" in capsys.readouterr().err
