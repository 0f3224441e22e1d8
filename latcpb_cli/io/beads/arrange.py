"""Residues that a file lists apart from their chain are moved to their place in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from latcpb_cli.chem.residue_names import is_modified
from latcpb_cli.io.beads.chains import describe_bead, is_bond, list_some, number_falls, reach
from latcpb_cli.io.beads.sampled import SampledFrames
from latcpb_cli.io.readers.atoms import AtomTable

__all__ = ["Arrangement", "arrange_beads"]

Site = tuple[int, str]
"""Residue number and insertion code."""


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Beads in the order of their chains.

    Attributes
    ----------
    order : numpy.ndarray of int64, shape (L,)
        Row of the file order for each bead.
    beads : AtomTable
        In that order; a bead that was moved has the segment of its new neighbours.
    notes : tuple of str
        What was moved, one line each.
    """

    order: Int64[np.ndarray, "L"]
    beads: AtomTable
    notes: tuple[str, ...]


def arrange_beads(beads: AtomTable, samples: SampledFrames) -> Arrangement:
    """Move residues that a file lists apart from their chain to their place.

    Only residues with the same chain identifier are put together, and only
    where Cα at bonding distance confirm it: a stretch that continues another
    one after residues of other chains, and a stretch whose numbers are missing
    in another one. Across a chain end that the file marks (TER, segment) only
    stretches with modified residues are moved.

    Parameters
    ----------
    beads : AtomTable
        L rows in file order.
    samples : SampledFrames
        Of the same beads.

    Returns
    -------
    Arrangement
    """
    distances = samples.neighbor_distances()
    ends = beads.chain_changes() | (number_falls(beads) & ~is_bond(distances))
    bounds = np.r_[0, np.flatnonzero(ends) + 1, len(beads)]
    blocks = [list(range(a, b)) for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]
    ids = beads.chain_ids[bounds[:-1]].tolist() if len(beads) else []
    if not any(name and count > 1 for name, count in Counter(ids).items()):
        return Arrangement(np.arange(len(beads)), beads, ())
    arranger = _Arranger(beads, samples, distances)
    for chain_id, block in zip(ids, blocks, strict=True):
        arranger.add(chain_id, block)
    order = np.array([row for block in arranger.blocks for row in block], dtype=np.int64)
    moved = replace(beads, segment_index=arranger.segment_index).select(order)
    return Arrangement(order, moved, arranger.notes())


class _Arranger:
    """Blocks of rows, to which further blocks of the same chain identifier are added."""

    def __init__(
        self, beads: AtomTable, samples: SampledFrames, distances: Float64[np.ndarray, "steps"]
    ) -> None:
        self._beads, self._samples = beads, samples
        self._bonded: Bool[np.ndarray, "steps"] = is_bond(distances)
        self.segment_index = beads.segment_index.copy()
        self.blocks: list[list[int]] = []
        self._by_chain_id: dict[str, list[_Block]] = {}
        self._inserted: list[int] = []
        self._continued: list[tuple[int, int]] = []

    def add(self, chain_id: str, rows: list[int]) -> None:
        """Add a block: to one of the same chain identifier as far as it belongs there, else by itself."""
        known = self._by_chain_id.setdefault(chain_id, [])
        hosts = [known[-1], max(known, key=lambda block: len(block.rows))] if known and chain_id else []
        for host in dict.fromkeys(hosts):
            if self._continues(host, rows):
                self._continued.append((host.rows[-1], rows[0]))
                host.extend(rows, self._beads)
                self.segment_index[rows] = self.segment_index[host.rows[0]]
                return
            rows = self._insert_runs(host, rows)
            if not rows:
                return
        block = _Block([], {})
        block.extend(rows, self._beads)
        known.append(block)
        self.blocks.append(block.rows)

    def notes(self) -> tuple[str, ...]:
        """Describe what was moved."""
        notes = []
        if self._inserted:
            labels = [describe_bead(self._beads, row) for row in self._inserted]
            notes.append(f"moved to their place by number: {list_some(labels)}, listed after their chain")
        if self._continued:
            labels = [
                f"{describe_bead(self._beads, a)} to {describe_bead(self._beads, b)}"
                for a, b in self._continued
            ]
            notes.append(f"chains listed in several blocks and joined by geometry: {list_some(labels)}")
        return tuple(notes)

    def _continues(self, host: _Block, rows: list[int]) -> bool:
        """Whether a block goes on where another one ends, without a marked chain end between them."""
        last, first = host.rows[-1], rows[0]
        segments = self._beads.segment_index
        return bool(segments[last] == segments[first] and self._is_bond(last, first))

    def _insert_runs(self, host: _Block, rows: list[int]) -> list[int]:
        """Insert the bonded runs of a block whose numbers another block lacks; return the other rows."""
        left: list[int] = []
        for run in self._runs(rows):
            position = self._position(host, run)
            is_in_place = position == len(host.rows) and run[0] == host.rows[-1] + 1
            if position is None or is_in_place:
                left += run
                continue
            host.rows[position:position] = run
            host.sites.update((site, row) for site, row in zip(self._sites(run), run, strict=True))
            self.segment_index[run] = self.segment_index[host.rows[0 if position else len(run)]]
            self._inserted += run
        return left

    def _runs(self, rows: list[int]) -> list[list[int]]:
        """Split rows into runs in which each bead is bonded to the next."""
        runs = [[rows[0]]]
        for before, row in zip(rows[:-1], rows[1:], strict=True):
            if row == before + 1 and self._bonded[before]:
                runs[-1].append(row)
            else:
                runs.append([row])
        return runs

    def _position(self, host: _Block, run: list[int]) -> int | None:
        """Return the index in a block at which a run belongs, None where it does not."""
        sites = self._sites(run)
        first, last = sites[0][0], sites[-1][0]
        if any(site in host.sites for site in sites) or last - first != len(run) - 1:
            return None
        modified = any(is_modified(str(self._beads.resnames[row])) for row in run)
        same_segment = self._beads.segment_index[run[0]] == self.segment_index[host.rows[0]]
        if not same_segment and not modified:
            return None
        before, after = host.sites.get((first - 1, "")), host.sites.get((last + 1, ""))
        if before is None and after is None and modified:
            return self._position_in_gap(host, run)
        if before is not None and not self._is_bond(before, run[0]):
            return None
        if after is not None and not self._is_bond(run[-1], after):
            return None
        if after is not None:
            return host.rows.index(after)
        return host.rows.index(before) + 1 if before is not None else None

    def _position_in_gap(self, host: _Block, run: list[int]) -> int | None:
        """Return the index of the gap in the numbers of a block that a run lies in and can be bridged to."""
        numbers = self._beads.resids[host.rows]
        first, last = int(self._beads.resids[run[0]]), int(self._beads.resids[run[-1]])
        index = int(np.searchsorted(numbers, first))
        if np.any(numbers[1:] < numbers[:-1]) or not 0 < index < len(numbers):
            return None
        sides = (
            (host.rows[index - 1], run[0], first - int(numbers[index - 1])),
            (run[-1], host.rows[index], int(numbers[index]) - last),
        )
        reached = [self._samples.distance(a, b) <= reach(np.array([steps]))[0] for a, b, steps in sides]
        return index if all(reached) else None

    def _sites(self, rows: list[int]) -> list[Site]:
        return [(int(self._beads.resids[row]), str(self._beads.icodes[row])) for row in rows]

    def _is_bond(self, first: int, second: int) -> bool:
        return bool(is_bond(np.array([self._samples.distance(first, second)]))[0])


@dataclass(eq=False)
class _Block:
    """Rows of one chain in their order, and the row of each residue number."""

    rows: list[int]
    sites: dict[Site, int]

    def extend(self, rows: list[int], beads: AtomTable) -> None:
        """Append rows."""
        self.rows += rows
        self.sites.update(((int(beads.resids[row]), str(beads.icodes[row])), row) for row in rows)
