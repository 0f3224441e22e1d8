"""The tables of the paper, with small variants of the model trained on equal data and steps.

    python benchmarks/ablations.py DATA --work FOLDER [--steps 1000] [--seeds 0 1 2] [--threads 1]

The models are small, so that a seed takes less than an hour; the order of the rows counts, not their figures.
GenZProt-like (Yang & Gómez-Bombarelli 2023): a variational autoencoder over internal coordinates whose prior
is the Gaussian of the CG encoder. CGVAE-like (Wang et al. 2022): the same, decoded to positions. LatCPB adds
the discrete latent with its mixture prior, the contrastive loss, and diffusion. Every structure is a sample
in ensemble mode, relieved of overlaps where it has torsions. Prints Markdown, two tables for each input: the
means over seeds, and the differences from LatCPB of the same seed, with half the width of Student's interval
of 95 %. An interrupted script goes on with the runs in FOLDER.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from chains import Reference, rebuild, reference_chains, reference_frames
from scipy.stats import t as student
from tables import Row

from latcpb_cli.config import ModelConfig
from latcpb_cli.loaded_model import LoadedModel
from latcpb_cli.options import BackmapOptions
from latcpb_cli.train.config import LossWeights, TrainConfig
from latcpb_cli.train.export import export_weights
from latcpb_cli.train.trainer import Trainer

SMALL = ModelConfig(dim=96, heads=4, key_dim=32, cg_layers=3, denoiser_layers=2)
VARIANTS = {
    "LatCPB": (SMALL, LossWeights()),
    "without contrast": (SMALL, LossWeights(contrastive=0.0)),
    "without contrast, discrete": (replace(SMALL, discrete=False), LossWeights()),
    "GenZProt-like": (replace(SMALL, discrete=False, diffusion=False), LossWeights()),
    "CGVAE-like": (replace(SMALL, discrete=False, diffusion=False, cartesian=True), LossWeights()),
}
FIRST_STAGE_FRACTION = 0.4
"""Of the steps, where there are two stages."""
ENSEMBLES = ("drkN_unfolded_gmx", "gcn4_dimer_gmx", "1kbh_actr_ncbd")
METRICS = (
    "all_heavy",
    "backbone",
    "ged",
    "kl_phi",
    "kl_psi",
    "kl_chi1",
    "contact12_percent",
    "angles_percent",
)


def main() -> None:
    options = parse_options()
    torch.set_num_threads(options.threads)
    models = {(name, seed): train_variant(name, seed, options) for seed in options.seeds for name in VARIANTS}
    sampling = BackmapOptions(mode="ensemble")
    print(f"{options.steps} steps of {options.residues} residues, seeds {options.seeds}")
    for name, references in inputs(options):
        rows = {key: Row() for key in models}
        for _, reference, chunk in references:
            for key, row in rows.items():
                row.add(reference, rebuild(models[key], reference, chunk, sampling))
        figures = {key: row.figures() for key, row in rows.items()}
        print_tables(
            name,
            {
                variant: np.array(
                    [[figures[variant, seed][key] for key in METRICS] for seed in options.seeds]
                )
                for variant in VARIANTS
            },
        )


def print_tables(name: str, figures: dict[str, np.ndarray]) -> None:
    """Print means over seeds, and differences from the first variant; ``figures`` are (seeds, metrics)."""
    heading = " | ".join(METRICS) + " |\n|---" + "|---:" * len(METRICS) + "|"
    print(f"\n### {name}\n\n| | {heading}")
    for variant, values in figures.items():
        print(f"| {variant} | " + " | ".join(f"{mean:.4g}" for mean in values.mean(0)) + " |")
    first, *others = figures
    n_seeds = len(figures[first])
    if n_seeds < 2:
        return
    print(f"\n| minus {first} | {heading}")
    for variant in others:
        differences = figures[variant] - figures[first]
        half_widths = student.ppf(0.975, n_seeds - 1) * differences.std(0, ddof=1) / np.sqrt(n_seeds)
        cells = zip(differences.mean(0), half_widths, strict=True)
        print(f"| {variant} | " + " | ".join(f"{mean:+.3g} ± {half:.2g}" for mean, half in cells) + " |")


def train_variant(name: str, seed: int, options: argparse.Namespace) -> LoadedModel:
    """Train a variant, or go on with its runs, and load the result."""
    model, weights = VARIANTS[name]
    folder = options.work / f"{name.replace(' ', '-').replace(',', '')}-{seed}"
    first_steps = round(options.steps * FIRST_STAGE_FRACTION) if model.diffusion else options.steps
    config = TrainConfig(
        "autoencoder", steps=first_steps, residues=options.residues, warmup=50, ema_decay=0.99,
        seed=seed, model=model, weights=weights,
    )  # fmt: skip
    last = folder / "autoencoder"
    Trainer(config, options.data, last).run()
    if model.diffusion:
        config = replace(config, stage="diffusion", steps=options.steps - first_steps)
        Trainer(config, options.data, folder / "diffusion", previous=last).run()
        last = folder / "diffusion"
    export_weights(last, folder / "weights", overwrite=True)
    return LoadedModel.from_pretrained(folder / "weights", device="cpu")


def inputs(options: argparse.Namespace) -> Iterator[tuple[str, Iterator[Reference]]]:
    """Yield validation chains, then the disordered ensembles."""
    yield f"{options.chains} chains", islice(reference_chains(options.data, "valid"), options.chains)
    for name in ENSEMBLES:
        yield f"{name}, {options.frames} frames", reference_frames(options.data, name, options.frames)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of packed structures")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="training runs")
    parser.add_argument("--steps", type=int, default=1000, help="of both stages together")
    parser.add_argument("--residues", type=int, default=1024, help="per step")
    parser.add_argument("--chains", type=int, default=40)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    return parser.parse_args()


if __name__ == "__main__":
    main()
