"""The autoencoder that finds near-duplicates, as a game with one player.

Radford 2016, section 4.1.1: "We fit a 3072-128-3072 de-noising dropout regularized RELU autoencoder on 32x32 downsampled
center-crops of training examples. The resulting code layer activations are then binarized via thresholding the ReLU activation
which has been shown to be an effective information preserving technique (Srivastava et al., 2014) and provides a convenient form
of semantic-hashing, allowing for linear time de-duplication."

The paper gives no other number. Those here were tuned on 5,000 bedrooms and 5,000 faces with near-duplicates planted among them,
see `benchmarks/dedup.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from attrs import field, frozen
from torch import nn

from ganskit import Adam, Architecture, Batch, Claim, Field, Game, Nets, Optimizer, Player, Recipe, Shape, Turn, UserError, use
from ganskit.dcgan.recipes import LSUN_BEDROOMS, PAPER
from ganskit.validators import fraction, not_negative

SIDE = 32
CODE = 128


@frozen
class DenoisingAutoencoder(Game):
    """Squared error of a picture made again from a code of its noisy copy (Vincent 2008; Radford 2016, section 4.1.1).

    Pictures x (N, C, H, W) of any size from 32 are seen as 32x32 centre crops; of grey ones (C = 1) the net is 1024-128-1024.
    `noise` is the standard deviation of what is added to the values in [-1, 1]; dropout is the nets'.
    """

    noise: float = field(default=0.1, validator=not_negative)
    opt: Optimizer = field(factory=lambda: Adam(lr=1e-3, beta1=0.9))

    def players(self) -> dict[str, Player]:
        """One: both nets move together."""
        return {"autoencoder": Player(("encoder", "decoder"), self.opt)}

    def turns(self, stage: Any) -> Sequence[Turn]:  # noqa: ANN401 - any Stage
        """One turn."""
        return (Turn("autoencoder", self.error),)

    def conditions(self) -> tuple[str, ...]:
        """Samples are pictures made again."""
        return ("x",)

    def shapes(self, provides: Mapping[str, Field]) -> dict[str, Shape]:
        """The encoder: 32x32 -> code. The decoder: back. Raises UserError for what is no picture of 32x32 or more."""
        x = provides["x"]
        if not x.pixels or len(x.shape) != 3 or min(x.shape[1:]) < SIDE:
            raise UserError(f"Near-duplicates are found among pictures (C, H, W) of {SIDE}x{SIDE} or more, not data {x.shape}.")
        seen = (x.shape[0], SIDE, SIDE)
        return {"encoder": Shape(seen, (CODE,)), "decoder": Shape((CODE,), seen)}

    def seen(self, x: torch.Tensor) -> torch.Tensor:
        """x (N, C, H, W) -> (N, C, 32, 32): the centre crop, downsampled with antialiasing."""
        side = min(x.shape[2:])
        top, left = ((length - side) // 2 for length in x.shape[2:])
        x = x[:, :, top : top + side, left : left + side]
        return F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", antialias=True) if side > SIDE else x

    def code(self, nets: Nets, x: torch.Tensor) -> torch.Tensor:
        """x (N, C, H, W) in [-1, 1] -> ReLU activations (N, 128); the bits are those above zero."""
        return nets.encoder(self.seen(x))

    def error(self, nets: Nets, b: Batch) -> torch.Tensor:
        """E[(x - decoder(encoder(x + noise)))^2], with dropout in both nets."""
        x = self.seen(b.x)
        x_tilde = x + self.noise * torch.randn_like(x)
        return F.mse_loss(nets.decoder(nets.encoder(x_tilde)).float(), x)

    def sample(self, nets: Nets, b: Batch) -> torch.Tensor:
        """Pictures (N, C, 32, 32) made again from their codes."""
        return nets.decoder(self.code(nets, b.x))


@frozen
class Encoder(Architecture):
    """Pixels standardised each by its own mean and deviation over the data; dropout; one layer; ReLU.

    Standardising is ours. Without it half of the units die on pictures that have much in common, such as aligned faces: then 38 %
    of 10,000 faces were within 8 bits of another, and with it none but copies.
    """

    dropout: float = field(default=0.2, validator=fraction)

    @property
    def couples_batch(self) -> bool:
        """Training standardises by the batch."""
        return True

    def build(self, shape: Shape) -> nn.Module:
        """x (N, *input) -> code (N, *output), zero or above."""
        inputs, units = math.prod(shape.input), math.prod(shape.output)
        standardised = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(inputs, affine=False))
        layers = nn.Dropout(self.dropout), nn.Linear(inputs, units), nn.ReLU(), nn.Unflatten(1, shape.output)
        return nn.Sequential(*standardised, *layers)


@frozen
class Decoder(Architecture):
    """Dropout on the code, one layer.

    In a long training without it units come to be on for nearly all pictures, and unlike ones collide: for 5,000 bedrooms after
    400,000 samples, 272 pairs within 16 bits, and with it 22; 14 are true. With much of it, units become copies of each other.
    """

    dropout: float = field(default=0.1, validator=fraction)

    def build(self, shape: Shape) -> nn.Module:
        """Code (N, *input) -> x (N, *output)."""
        layer = nn.Linear(math.prod(shape.input), math.prod(shape.output))
        return nn.Sequential(nn.Flatten(), nn.Dropout(self.dropout), layer, nn.Unflatten(1, shape.output))


def recipe() -> Recipe:
    """Section 4.1.1 on LSUN bedrooms, one epoch; `ganskit data dedup STORE` trains it on any store."""
    return Recipe(
        name="dcgan-dedup",
        game=DenoisingAutoencoder(),
        nets={"encoder": use("dcgan.encoder"), "decoder": use("dcgan.decoder")},
        data=use("lsun", category="bedroom", size=64),
        batch_size=256,
        samples=LSUN_BEDROOMS,
        precision="fp32",
        paper=f"{PAPER}, section 4.1.1",
        claims=(
            Claim(
                states='"Visual inspection of hash collisions showed high precision"',
                where="section 4.1.1",
                figure='"an estimated false positive rate of less than 1 in 100"',
            ),
            Claim(
                states='"the technique detected and removed [...] near duplicates, suggesting a high recall"',
                where="section 4.1.1",
                figure='"approximately 275,000"',
            ),
        ),
    )
