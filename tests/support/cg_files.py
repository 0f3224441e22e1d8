"""Small coarse-grained inputs that tests write themselves, and a stand-in for the model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from latcpb_cli.chem.residues import GIVEN_SLOTS, LETTERS, NAMES
from latcpb_cli.confidence.calibration import Calibration, ModeCalibration, MonotoneMap
from latcpb_cli.confidence.collector import PredictionCollector
from latcpb_cli.confidence.prediction import N_STATES, Prediction
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.weights import MODEL_FILE

__all__ = [
    "FakeModel", "linear_calibration", "pdb_line", "walk", "write_all_atom_pdb", "write_ca_pdb",
    "write_gro", "write_trajectory",
]  # fmt: skip

NAME_OF = dict(zip(LETTERS, NAMES, strict=True))


def walk(n_residues: int, n_frames: int = 1, seed: int = 0, bond: float = 3.8) -> np.ndarray:
    """Random chains with steady bonds that never turn back: (F, L, 3) in Å."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(n_frames, n_residues, 3)) * 0.5 + np.array([1.0, 0.4, 0.2])
    steps *= bond / np.linalg.norm(steps, axis=-1, keepdims=True)
    return np.round(np.cumsum(steps, axis=1), 3).astype(np.float32)


def pdb_line(
    serial: int,
    resname: str,
    resid: int,
    position: Sequence[float],
    *,
    name: str = "CA",
    chain: str = "A",
    icode: str = "",
    altloc: str = "",
    segment: str = "",
) -> str:
    x, y, z = position
    return (
        f"ATOM  {serial % 100000:5d}  {name:<3s}{altloc:1s}{resname:<4s}{chain:1s}{resid:4d}{icode:1s}   "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00      {segment:<4s}          "
    ).rstrip()


def write_ca_pdb(
    path: Path,
    sequence: str,
    positions: np.ndarray,
    *,
    chains: str | None = None,
    resids: Sequence[int] | None = None,
    icodes: Sequence[str] | None = None,
    resnames: Sequence[str] | None = None,
    box: Sequence[float] | None = None,
    ter_after: Sequence[int] = (),
    separator: str = "MODEL",
) -> Path:
    """Write (F, L, 3) as a PDB of CA atoms; several frames become models."""
    lines = []
    if box is not None:
        lines.append("CRYST1{:9.3f}{:9.3f}{:9.3f}{:7.2f}{:7.2f}{:7.2f} P 1           1".format(*box))
    for number, frame in enumerate(positions, start=1):
        if len(positions) > 1 and separator == "MODEL":
            lines.append(f"MODEL     {number:4d}")
        for i, letter in enumerate(sequence):
            lines.append(
                pdb_line(
                    i + 1,
                    resnames[i] if resnames else NAME_OF[letter],
                    resids[i] if resids is not None else i + 1,
                    frame[i],
                    chain=chains[i] if chains else "A",
                    icode=icodes[i] if icodes else "",
                )
            )
            if i in ter_after:
                lines.append("TER")
        if len(positions) > 1:
            lines.append("ENDMDL" if separator == "MODEL" else "END")
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def linear_calibration() -> Calibration:
    """Probabilities equal to their scores, and errors of the backbone equal to theirs."""
    equal = MonotoneMap([0.0, 1.0], [0.0, 1.0])
    falling = MonotoneMap([0.0, 5.0], [1.0, 0.0])
    errors = {name: [2.0, 1.0, 0.5, 0.4, 0.3] for name in NAMES}
    mode = ModeCalibration([equal] * 4, falling, MonotoneMap([0.0, 9.0], [0.0, 9.0]), errors)
    return Calibration({"best": mode, "ensemble": mode})


def write_all_atom_pdb(path: Path) -> Path:
    """Write two residues, one with an alternate location, beside water and a calcium ion."""
    rows = [
        ("N", "ALA", 1, "", (0, 0, 0)),
        ("CA", "ALA", 1, "A", (1.4, 0, 0)),
        ("CA", "ALA", 1, "B", (1.5, 0, 0)),
        ("C", "ALA", 1, "", (2, 1.4, 0)),
        ("N", "HSD", 2, "", (3, 1.4, 0)),
        ("CA", "HSD", 2, "", (4.1, 2.6, 0)),
        ("CA", "CA", 201, "", (20, 20, 20)),
        ("O", "HOH", 301, "", (30, 20, 20)),
        ("O", "HOH", 302, "", (33, 20, 20)),
    ]
    lines = [
        pdb_line(i + 1, resname, resid, xyz, name=name, altloc=altloc)
        for i, (name, resname, resid, altloc, xyz) in enumerate(rows)
    ]
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def write_gro(path: Path, sequence: str, positions: np.ndarray, box: Sequence[float] = (0, 0, 0)) -> Path:
    """Write (L, 3) in Å as a GRO of CA atoms with running residue numbers."""
    lines = ["beads", f"{len(sequence):5d}"]
    for i, letter in enumerate(sequence):
        x, y, z = positions[i] / 10
        lines.append(f"{i + 1:5d}{NAME_OF[letter]:<5s}{'CA':>5s}{i + 1:5d}{x:8.3f}{y:8.3f}{z:8.3f}")
    lines.append("".join(f"{edge / 10:10.5f}" for edge in box))
    path.write_text("\n".join([*lines, ""]))
    return path


def write_trajectory(
    path: Path, positions: np.ndarray, *, box: np.ndarray | None = None, interval: float = 10.0
) -> Path:
    """Write (F, N, 3) in Å through MDAnalysis, times in steps of ``interval`` ps."""
    import warnings

    import MDAnalysis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        n_frames, n_atoms = positions.shape[:2]
        universe = MDAnalysis.Universe.empty(n_atoms, trajectory=True)
        cells = None if box is None else np.tile(np.asarray(box, dtype=np.float32), (n_frames, 1))
        universe.load_new(positions.astype(np.float32), dimensions=cells, dt=interval)
        with MDAnalysis.Writer(str(path), n_atoms, dt=interval) as writer:
            for _ in universe.trajectory:
                writer.write(universe.atoms)
    return path


class FakeModel(LoadedModel):
    """Puts every atom at a fixed offset from its Cα; samples differ by 0.01 Å in CB.

    Its predictions are certain of chi angles that depend on frame, sample and residue.
    """

    weights_name = "fake"
    checksums = {MODEL_FILE: "0" * 64}
    device = "cpu"
    fail_at: int | None = None
    calibration = None

    def __init__(self) -> None:
        """There is no model."""

    def frames_per_block(self, residues):
        return 1

    @classmethod
    def from_pretrained(cls, weights=None, *, device="auto"):
        return cls()

    def sample(self, trace, chunk, options, references=None, counts=None, predictions=None):
        if self.fail_at is not None and self.fail_at in chunk.indices:
            raise KeyboardInterrupt
        slots = np.arange(15)
        angle = 0.9 * slots
        offsets = np.stack([np.cos(angle), np.sin(angle), 0.3 * slots - 2.0], axis=1)
        offsets[1] = 0.0
        atoms = chunk.positions[:, None, :, None, :] + offsets
        atoms = np.repeat(atoms, options.samples, axis=1)
        atoms[:, :, :, 4, 0] += 0.01 * np.arange(options.samples)[None, :, None]
        if predictions is not None:
            _predict(trace, chunk, options, atoms, predictions)
        if options.keep_backbone:
            given, slots = chunk.backbone[:, None], list(GIVEN_SLOTS)
            atoms[:, :, :, slots] = np.where(np.isnan(given), atoms[:, :, :, slots], given)
        return (atoms + 0.5 * options.ca_tolerance).astype(np.float32)


def _predict(trace, chunk, options, atoms, predictions: PredictionCollector) -> None:
    length = len(trace)
    predictions.begin(len(chunk), options.samples, length)
    for row, frame in enumerate(chunk.indices.tolist()):
        for sample in range(options.samples):
            probability = torch.zeros(length, N_STATES)
            probability[:, 0] = 0.1 + (0.13 * (frame + 2 * sample + torch.arange(length))) % 0.9
            prediction = Prediction(
                probability,
                torch.zeros(length, N_STATES, 4),
                torch.full((length, 4), 1.0),
                torch.zeros(length, 3, 3),
                torch.zeros(length),
            )
            predictions.add(slice(row, row + 1), sample, prediction)
    predictions.end(atoms - atoms[..., 1:2, :], trace.linked(chunk.positions))
