"""Calibrate the confidence of a set of weights on held-out chains, or measure it on others.

    python benchmarks/calibrate_confidence.py DATA [--weights DIR]
    python benchmarks/calibrate_confidence.py DATA [--weights DIR] --measure valid [--noise 0.2]

The first writes confidence.json beside the weights, and their SHA256 (`make manifest` then updates that of
the package). The second prints, for both modes, predicted against observed: probabilities in ten bins, and
errors in ten groups of equally many residues. All residues count, chain ends included; proline has no chi.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import numpy as np
from arguments import measurement_parser
from chains import reference_chains
from observations import Observations, observe
from scipy.optimize import isotonic_regression

from latcpb_cli.chem.residues import ALA, GLY, NAMES, PRO
from latcpb_cli.chem.zmatrix import N_CHI, chi_mask
from latcpb_cli.confidence.calibration import require_calibration
from latcpb_cli.confidence.record import QUANTITIES, Confidence
from latcpb_cli.hub import resolve_weights
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.weights import CONFIDENCE_FILE, MODEL_FILE, write_checksums

MODES = {"best": BackmapOptions(), "ensemble": BackmapOptions(samples=2)}
RIGHT_BACKBONE = 0.5
"""Å: largest deviation of N, C and O that counts as right."""
QUANTILES = np.array([0.0, 0.005, 0.01, 0.02, 0.035, *np.linspace(0.05, 1.0, 16)])
"""Bounds of the groups of residues that give a knot each; the least certain residues have small ones."""
N_BINS = 10
THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95)


def main() -> None:
    parser = measurement_parser(__doc__, default="heldout")
    parser.add_argument("--measure", metavar="SET", help="print tables for the chains of this set")
    parser.add_argument("--noise", type=float, default=0.0, help="on Cα, Å per axis, with --measure")
    parser.add_argument("--chains", type=int, help="only so many")
    options = parser.parse_args()
    backmapper = LoadedModel.from_pretrained(options.weights, device="cpu")
    chosen = options.measure or options.set
    modes: dict[str, Any] = {}
    for mode, settings in MODES.items():
        chains = islice(reference_chains(options.data, chosen), options.chains)
        seen = observe(backmapper, chains, settings, options.noise)
        if options.measure:
            calibration = require_calibration(backmapper.calibration)
            print_tables(mode, calibration.confidence(mode, seen.types, seen.scores), seen)
        else:
            modes[mode] = fit(seen)
    if modes:
        directory = resolve_weights(options.weights).directory
        content = {"model_sha256": backmapper.checksums[MODEL_FILE], "modes": modes}
        path = directory / CONFIDENCE_FILE
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")
        write_checksums(directory)
        print(f"{path}, from {chosen}; for weights of the package: make manifest")


def fit(seen: Observations) -> dict[str, Any]:
    """Fit the maps of a mode; see `ModeCalibration`."""
    backbone = seen.scores.backbone[0, 0]
    right = np.where(np.isnan(seen.backbone_error), np.nan, seen.backbone_error < RIGHT_BACKBONE)
    return {
        "chi": [fit_map(seen.scores.chi[0, 0, :, k], seen.chi_right[:, k]) for k in range(N_CHI)],
        "backbone": fit_map(-backbone, right, sign=-1.0),
        "backbone_error": fit_map(-backbone, seen.backbone_error, sign=-1.0, increasing=False),
        "side_chain_error": {name: error_table(seen, residue) for residue, name in enumerate(NAMES)},
    }


def fit_map(
    score: np.ndarray, outcome: np.ndarray, *, sign: float = 1.0, increasing: bool = True
) -> dict[str, list[float]]:
    """Fit a monotone map from ``sign`` times a score, which is lowest for the least certain residues."""
    known = np.isfinite(score) & np.isfinite(outcome)
    order = np.argsort(score[known], kind="stable")
    score, outcome = score[known][order], outcome[known][order]
    bounds = (QUANTILES * len(score)).round().astype(int)
    groups = [slice(a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True) if b > a]
    means = np.array([outcome[group].mean() for group in groups])
    weights = [group.stop - group.start for group in groups]
    values = isotonic_regression(means, weights=weights, increasing=increasing).x
    scores = np.round([sign * score[group].mean() for group in groups], 6)
    # Knots rise with the score; of groups with equal scores, the least certain one counts.
    knots, first = np.unique(scores, return_index=True)
    return {"scores": knots.tolist(), "values": np.round(values, 4)[first].tolist()}


def error_table(seen: Observations, residue: int) -> list[float]:
    """Mean error of the side chains of a residue type, by the first chi angle that is wrong."""
    rows = (seen.types == residue) & np.isfinite(seen.side_chain_error) & np.isfinite(seen.backbone_error)
    if residue == GLY:
        return []
    if residue in (ALA, PRO):
        return [round(float(seen.side_chain_error[rows].mean() / seen.backbone_error[rows].mean()), 4)]
    n_chi = int(chi_mask()[residue].sum())
    error, n_right = seen.side_chain_error[rows], np.nansum(seen.chi_right[rows], axis=-1)
    # With few chains, some errors may not occur.
    groups = [error[n_right == k] if (n_right == k).any() else error for k in range(n_chi + 1)]
    return [round(float(group.mean()), 4) for group in groups]


def print_tables(mode: str, confidence: Confidence, seen: Observations) -> None:
    """Print predicted against observed of one mode."""
    table = confidence.table()[0, 0]
    predicted = dict(zip(QUANTITIES, table.T, strict=True))
    right = np.where(np.isnan(seen.backbone_error), np.nan, seen.backbone_error < RIGHT_BACKBONE)
    observed = dict(zip(QUANTITIES[:N_CHI], seen.chi_right.T, strict=True)) | {"backbone": right}
    print(f"\n## {mode}\n\n| quantity | residues | predicted, % | observed, % | calibration error, % |")
    print("|---|---|---|---|---|")
    for name, outcome in observed.items():
        p, y = known_pairs(predicted[name], outcome)
        row = f"{100 * p.mean():.1f} | {100 * y.mean():.1f} | {100 * calibration_error(p, y):.1f}"
        print(f"| {name} | {len(p)} | {row} |")
    p, y = known_pairs(predicted["chi1"], seen.chi_right[:, 0])
    print("\n| chi1, predicted, % | residues, % | mean predicted, % | observed, % |\n|---|---|---|---|")
    for number, rows in enumerate(probability_bins(p)):
        if rows.any():
            values = " | ".join(f"{100 * x:.1f}" for x in (rows.mean(), p[rows].mean(), y[rows].mean()))
            print(f"| {10 * number}–{10 * number + 10} | {values} |")
    print("\n| chi1 predicted at least, % | residues, % | observed, % |\n|---|---|---|")
    for threshold in THRESHOLDS:
        rows = p >= threshold
        if rows.any():
            print(f"| {100 * threshold:.0f} | {100 * rows.mean():.1f} | {100 * y[rows].mean():.1f} |")
    print("\n| group | side chain, predicted, Å | observed, Å | backbone, predicted, Å | observed, Å |")
    print("|---|---|---|---|---|")
    columns = []
    for name, errors in (
        ("side_chain_error", seen.side_chain_error),
        ("backbone_error", seen.backbone_error),
    ):
        p, y = known_pairs(predicted[name], errors)
        groups = np.array_split(np.argsort(p, kind="stable"), N_BINS)
        columns.append([f"{p[rows].mean():.2f} | {y[rows].mean():.2f}" for rows in groups])
    for number, (side_chain, backbone) in enumerate(zip(*columns, strict=True), start=1):
        print(f"| {number} | {side_chain} | {backbone} |")


def known_pairs(predicted: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out residues for which one of the two is not known."""
    known = np.isfinite(predicted) & np.isfinite(observed)
    return predicted[known].astype(np.float64), observed[known].astype(np.float64)


def probability_bins(probability: np.ndarray) -> list[np.ndarray]:
    """Rows in each of ten bins of equal width."""
    index = np.minimum((probability * N_BINS).astype(int), N_BINS - 1)
    return [index == number for number in range(N_BINS)]


def calibration_error(probability: np.ndarray, outcome: np.ndarray) -> float:
    """Expected calibration error: mean over residues of the gap between prediction and outcome in a bin."""
    gaps = [
        rows.mean() * abs(probability[rows].mean() - outcome[rows].mean())
        for rows in probability_bins(probability)
        if rows.any()
    ]
    return float(sum(gaps))


if __name__ == "__main__":
    main()
