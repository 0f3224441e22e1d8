"""Errors of the codec and of the autoencoder, and whether the decoder uses the latent.

    python benchmarks/autoencoder.py DATA --weights DIR [--set valid]
    python benchmarks/autoencoder.py DATA --run runs/ae      (a run in training)

Three rows: internal coordinates alone; encode and decode; decode with the latent of another residue of the
same type. Then the perplexity of the codes.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import torch
from arguments import measurement_parser
from chains import generated_structure, reference_chains
from tables import Row

from latcpb_cli.geometry.codec import decode
from latcpb_cli.hub import resolve_weights
from latcpb_cli.model.codes import perplexity, sample_codes
from latcpb_cli.model.latcpb import LatCPB
from latcpb_cli.predictor import Predictor
from latcpb_cli.train.batch import make_batch
from latcpb_cli.train.checkpoint import load_predictor, read_config
from latcpb_cli.train.structures import Structure


def load_model(options: argparse.Namespace) -> LatCPB:
    """Load the paper's model of a training run or of exported weights."""
    if options.run is not None:
        predictor = Predictor(read_config(options.run).model)
        load_predictor(options.run, predictor)
        return predictor.eval().latcpb
    files = resolve_weights(options.weights)
    return Predictor.load(files.config, files.model).latcpb


def another_of_its_type(types: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """For each residue, the row of a random residue of the same type."""
    partner = torch.arange(len(types))
    for residue_type in torch.unique(types):
        rows = torch.nonzero(types == residue_type)[:, 0]
        partner[rows] = rows[torch.randperm(len(rows), generator=generator)]
    return partner


def rebuild_from_latents(
    model: LatCPB, structure: Structure, generator: torch.Generator
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Atoms (L, 15, 3) by row of the table, and how often each code was sampled."""
    batch = make_batch([structure])
    graph = model.build_graph(batch.ca, batch.types, batch.linked, batch.sizes)
    condition = model.cg_encoder(graph)
    latent = model.atom_encoder(batch.atoms, batch.present, graph)[0]
    counts = torch.bincount(sample_codes(latent, generator), minlength=model.config.latent)
    other = latent[another_of_its_type(batch.types, generator)]
    atoms = {
        "codec": decode(batch.internal, batch.ca, batch.types, batch.linked),
        "autoencoder": model.decoder(latent, condition, graph).atoms,
        "another's latent": model.decoder(other, condition, graph).atoms,
    }
    return atoms, counts


@torch.inference_mode()
def main() -> None:
    parser = measurement_parser(__doc__)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--chains", type=int, default=10**6, help="chains to measure")
    options = parser.parse_args()
    model, generator = load_model(options), torch.Generator().manual_seed(0)
    rows = {name: Row() for name in ("codec", "autoencoder", "another's latent")}
    counts = torch.zeros(model.config.latent)
    for structure, reference, _ in islice(reference_chains(options.data, options.set), options.chains):
        built, chain_counts = rebuild_from_latents(model, structure, generator)
        counts += chain_counts
        for name, atoms in built.items():
            rows[name].add(reference, generated_structure(reference, atoms[None].numpy()))
    print(f"{'':18s}{'all heavy':>10s}{'backbone':>10s}{'side ch.':>10s}{'chi1 %':>8s}{'C-N':>6s}{'D':>4s}")
    for name, row in rows.items():
        n = row.figures()
        print(
            f"{name:18s}{n['all_heavy']:10.3f}{n['backbone']:10.3f}{n['side_chain']:10.3f}"
            f"{n['chi1']:8.1f}{n['peptide_bonds']:6.0f}{n['d_residues']:4.0f}"
        )
    print(f"codes {len(counts)}, perplexity {perplexity(counts):.1f}")


if __name__ == "__main__":
    main()
