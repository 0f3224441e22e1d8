"""The tables of the paper, with small variants of the model trained on equal data and steps.

    python benchmarks/ablations.py DATA --work FOLDER [--steps 500] [--residues 1024] [--threads 1]

The models are small, so that the whole takes less than an hour; the order of the rows counts, not their
figures. GenZProt-like (Yang & Gómez-Bombarelli 2023): a variational autoencoder over internal coordinates
whose prior is the Gaussian of the CG encoder. CGVAE-like (Wang et al. 2022): the same, decoded to positions.
LatCPB adds the discrete latent with its mixture prior, the contrastive loss, and diffusion. Every structure
is a sample in ensemble mode, relieved of overlaps where it has torsions. Prints Markdown, a table for each
input. An interrupted script goes on with the runs in FOLDER.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from chains import Reference, rebuild, reference_chains, reference_frames
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
    backmappers = {name: train_variant(name, options) for name in VARIANTS}
    sampling = BackmapOptions(mode="ensemble")
    print(f"{options.steps} steps of {options.residues} residues, seed {options.seed}")
    for name, references in inputs(options):
        print(f"\n### {name}\n\n| | " + " | ".join(METRICS) + " |\n|---" + "|---:" * len(METRICS) + "|")
        rows = {variant: Row() for variant in VARIANTS}
        for _, reference, chunk in references:
            for variant, row in rows.items():
                row.add(reference, rebuild(backmappers[variant], reference, chunk, sampling))
        for variant, row in rows.items():
            figures = row.figures()
            print(f"| {variant} | " + " | ".join(f"{figures[key]:.4g}" for key in METRICS) + " |", flush=True)


def train_variant(name: str, options: argparse.Namespace) -> LoadedModel:
    """Train a variant, or go on with its runs, and load the result."""
    model, weights = VARIANTS[name]
    folder = options.work / name.replace(" ", "-").replace(",", "")
    first_steps = round(options.steps * FIRST_STAGE_FRACTION) if model.diffusion else options.steps
    config = TrainConfig(
        "autoencoder", steps=first_steps, residues=options.residues, warmup=50, ema_decay=0.99,
        seed=options.seed, model=model, weights=weights,
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
    parser.add_argument("--steps", type=int, default=500, help="of both stages together")
    parser.add_argument("--residues", type=int, default=1024, help="per step")
    parser.add_argument("--chains", type=int, default=40)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
