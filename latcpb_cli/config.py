"""Frozen configuration of the model, and JSON files of configurations.

The file beside the weights describes the model completely. `from_json` refuses unknown keys, so that a
program never loads a model of a later version with settings left out.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

from latcpb_cli.errors import WeightsError

__all__ = ["DiffusionConfig", "ModelConfig", "from_json", "to_json"]

Config = TypeVar("Config")


@dataclass(frozen=True)
class DiffusionConfig:
    """The noise schedule of equations 1-8.

    Attributes
    ----------
    steps : int
        T, the number of noise levels.
    schedule : {"cosine", "linear"}
        Shape of the cumulative product of 1 - beta, which falls from one to zero.
    """

    steps: int = 1000
    schedule: Literal["cosine", "linear"] = "cosine"


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and variants of the parts of the model.

    Attributes
    ----------
    dim : int
        C, the width of residue features.
    heads : int
        Attention heads.
    pair_dim : int
        E, the width of pair features.
    key_dim : int
        Width of the keys, which are the values as well.
    cg_layers, denoiser_layers, atom_layers : int
        Transformer layers of the CG encoder, the denoiser and the all-atom encoder.
    equivariant_layers, channels : int
        e3nn layers of the CG encoder, and channels per irrep.
    neighbors : int
        K, the number of nearest Cα to which a residue attends.
    cutoff, atom_cutoff : float
        Radius (Å) of Cα-Cα edges and of atom edges.
    latent : int
        D, the width of the latent and the number of codes: the components of the
        latent are the weights of the multinomial distribution of codes (eq. 9).
    contrast_temperature : float
        tau of eq. 14.
    discrete : bool
        Codes and mixture prior (True), or a plain conditional VAE (False).
    cartesian : bool
        Decode to positions in local frames (as CGVAE does) instead of internal coordinates.
    diffusion : bool
        Sample latents from the diffusion model (True) or from the CG encoder's Gaussian (False).
    schedule : DiffusionConfig
        Noise levels of the diffusion model.
    """

    dim: int = 192
    heads: int = 6
    pair_dim: int = 32
    key_dim: int = 48
    cg_layers: int = 6
    denoiser_layers: int = 3
    atom_layers: int = 1
    equivariant_layers: int = 2
    channels: int = 8
    neighbors: int = 24
    cutoff: float = 21.0
    atom_cutoff: float = 9.0
    latent: int = 32
    contrast_temperature: float = 0.1
    discrete: bool = True
    cartesian: bool = False
    diffusion: bool = True
    schedule: DiffusionConfig = field(default_factory=DiffusionConfig)


def to_json(config: Any) -> str:
    """Convert a configuration (a dataclass) to indented JSON."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_json(config_type: type[Config], source: Path | dict[str, Any]) -> Config:
    """Read a configuration.

    Parameters
    ----------
    config_type : type
        The dataclass to make; its fields may be dataclasses themselves.
    source : Path or dict
        A JSON file, or its content.

    Raises
    ------
    WeightsError
        The file is no JSON object, or has keys that the dataclass does not have.
    """
    where = str(source) if isinstance(source, Path) else config_type.__name__
    values = source
    if isinstance(source, Path):
        try:
            values = json.loads(source.read_text())
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"{where} is not a readable configuration ({error})", "fetch it again"
            ) from error
    if not isinstance(values, dict):
        raise WeightsError(f"{where} does not hold a JSON object", "fetch it again")
    hints = get_type_hints(config_type)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise WeightsError(
            f"{where} has unknown settings: {', '.join(unknown)}",
            "update latcpb, or use weights of this version",
        )
    parsed = {
        key: from_json(hints[key], value) if dataclasses.is_dataclass(hints[key]) else value
        for key, value in values.items()
    }
    return config_type(**parsed)
