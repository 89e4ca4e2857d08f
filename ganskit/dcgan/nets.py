"""The DCGAN paper's networks: one generator and one discriminator, whose options give all of the authors' variants.

Radford, Metz & Chintala 2016, section 3 and fig. 1; constants from the authors' published code. Only names registered
here are needed to build them; both initialise "from a zero-centered Normal distribution with standard deviation 0.02"
(section 4), gains around one.
"""

from __future__ import annotations

import torch
from attrs import field, frozen
from torch import nn

from ganskit.errors import UserError
from ganskit.game import Architecture, Shape
from ganskit.nets import BatchNorm
from ganskit.validators import not_negative, positive

NORMS = ("batch", "running", "none")


def _known_norm(instance: object, attribute: object, value: str) -> None:
    if value not in NORMS:
        raise UserError(f'norm is "{value}": expected one of {", ".join(NORMS)}.')


@frozen(kw_only=True)
class Convolutional(Architecture):
    """The options that both nets share.

    `width`: channels nearest the image; they double with every halving of the resolution down to 4x4. `kernel`: 5 in
    the 64x64 and SVHN nets, 3 in the ImageNet-32 nets, 4 in the variant most people know. `convs`: convolutions per
    resolution (2 in the ImageNet-32 nets: one of stride 1, one of stride 2). `norm`: "batch" is the authors' (no
    running statistics), "running" torch's BatchNorm2d, "none" leaves it out.
    """

    width: int = field(default=128, validator=positive)
    kernel: int = field(default=5, validator=positive)
    convs: int = field(default=1, validator=positive)
    norm: str = field(default="batch", validator=_known_norm)

    def __attrs_post_init__(self) -> None:
        for name, value, most in (("width", self.width, 1 << 14), ("kernel", self.kernel, 31), ("convs", self.convs, 64)):
            if value > most:
                raise UserError(f"{name} is {value}: expected at most {most}.")
        if self.convs > 1 and self.kernel % 2 == 0:
            raise UserError(f"kernel {self.kernel} with convs {self.convs}: a stride-1 convolution needs an odd kernel.")
        if self.kernel < 3:
            raise UserError(f"kernel is {self.kernel}: expected 3 or more, to halve the resolution.")

    @property
    def couples_batch(self) -> bool:
        """Batch normalisation does."""
        return self.norm != "none"

    def channels(self, size: int) -> list[int]:
        """Channels at each resolution, from half the image's side down to 4x4."""
        levels = (size // 4).bit_length() - 1
        if size != 4 << levels or levels < 1:
            raise UserError(
                f"The DCGAN nets need a side of 8, 16, 32, 64, ... pixels, not {size}. Set data.size to one of these."
            )
        return [self.width << level for level in range(levels)]

    def normed(self, channels: int, flat: bool = False) -> nn.Module:
        """The normalisation of a layer with so many channels (`flat`: (N, C) input)."""
        if self.norm == "none":
            return nn.Identity()
        if self.norm == "batch":
            return BatchNorm(channels)
        layer = nn.BatchNorm1d(channels) if flat else nn.BatchNorm2d(channels)
        nn.init.normal_(layer.weight, 1.0, 0.02)
        return layer

    def conv(self, inputs: int, outputs: int, stride: int) -> nn.Module:
        """A convolution that keeps or halves the resolution; no bias."""
        return _initialised(nn.Conv2d(inputs, outputs, self.kernel, stride, (self.kernel - 1) // 2, bias=False))

    def deconv(self, inputs: int, outputs: int, stride: int) -> nn.Module:
        """A transposed convolution that keeps or doubles the resolution; no bias."""
        extra = (self.kernel % 2) if stride == 2 else 0
        padding = (self.kernel - 1) // 2
        return _initialised(nn.ConvTranspose2d(inputs, outputs, self.kernel, stride, padding, extra, bias=False))


def _initialised(layer: nn.Module) -> nn.Module:
    for weight in layer.parameters():
        nn.init.normal_(weight, 0.0, 0.02)
    return layer


def _image(shape: tuple[int, ...], what: str) -> tuple[int, int]:
    """(channels, side) of a square image."""
    if len(shape) != 3 or shape[1] != shape[2]:
        raise UserError(f"The DCGAN {what} is for square images (C, H, H), not for data of shape {shape}.")
    return shape[0], shape[1]


@frozen(kw_only=True)
class Generator(Convolutional):
    """Fig. 1: z -> linear -> 4x4 -> transposed convolutions -> tanh.

    `per_unit`: batch norm over each of the linear layer's units by itself, as in the authors' code; without it the
    4x4 map is normalised per channel, as in the common variant.
    """

    per_unit: bool = True

    def build(self, shape: Shape) -> nn.Module:
        """z (N, Z) -> x (N, C, H, H) in [-1, 1]."""
        if len(shape.input) != 1:
            raise UserError(f"The DCGAN generator takes z of shape (Z,), not {shape.input}.")
        channels, size = _image(shape.output, "generator")
        return GeneratorNet(self, shape.input[0], channels, size)


class GeneratorNet(nn.Module):
    """z (N, Z) -> x (N, C, H, H) in [-1, 1]."""

    def __init__(self, options: Generator, z_dim: int, channels: int, size: int) -> None:
        super().__init__()
        widths = options.channels(size)[::-1]
        self.top = widths[0]
        self.linear = _initialised(nn.Linear(z_dim, self.top * 16, bias=False))
        self.norm = options.normed(self.top * 16, flat=True) if options.per_unit else options.normed(self.top)
        self.per_unit = options.per_unit
        blocks: list[nn.Module] = []
        for here, below in zip(widths, [*widths[1:], channels], strict=True):
            # the last convolution of a resolution leads to the next width, the ones before it keep theirs
            plan = [(here, here, 2)] * (options.convs > 1) + [(here, here, 1)] * (options.convs - 2)
            plan.append((here, below, 1 if options.convs > 1 else 2))
            for inputs, outputs, stride in plan:
                blocks.append(
                    nn.Sequential(options.deconv(inputs, outputs, stride), options.normed(outputs), nn.ReLU(inplace=True))
                )
        self.blocks = nn.Sequential(*blocks[:-1])
        self.out = blocks[-1][0]  # type: ignore[index]  # a Sequential; "directly applying batchnorm to all layers ... avoided"

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        h = self.linear(z)
        if self.per_unit:
            h = self.norm(h)
        h = h.view(-1, self.top, 4, 4)
        if not self.per_unit:
            h = self.norm(h)
        return torch.tanh(self.out(self.blocks(torch.relu_(h))))


@frozen(kw_only=True)
class Discriminator(Convolutional):
    """Section 3: strided convolutions, LeakyReLU 0.2, no batch norm on the first, a linear layer to one logit."""

    slope: float = field(default=0.2, validator=not_negative)

    def build(self, shape: Shape) -> nn.Module:
        """x (N, C, H, H) in [-1, 1] -> logits (N, 1)."""
        channels, size = _image(shape.input, "discriminator")
        return DiscriminatorNet(self, channels, size, shape.output[0])


class DiscriminatorNet(nn.Module):
    """x (N, C, H, H) in [-1, 1] -> logits (N, 1)."""

    def __init__(self, options: Discriminator, channels: int, size: int, outputs: int) -> None:
        super().__init__()
        widths = options.channels(size)
        blocks: list[nn.Module] = []
        for width in widths:
            for conv in range(options.convs):
                stride = 2 if conv == options.convs - 1 else 1
                norm = options.normed(width) if blocks else nn.Identity()
                blocks.append(
                    nn.Sequential(options.conv(channels, width, stride), norm, nn.LeakyReLU(options.slope, inplace=True))
                )
                channels = width
        self.blocks = nn.Sequential(*blocks)
        self.linear = _initialised(nn.Linear(channels * 16, outputs, bias=False))

    def features(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The activations after every convolution, for section 5's feature extractor: [(N, C_i, H_i, H_i), ...]."""
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.blocks(x).flatten(1))  # type: ignore[no-any-return]  # modules are untyped
