"""Spectral normalisation around any architecture.

torch has a `spectral_norm` of its own. It begins with 15 power iterations, which the paper does not, and keeps a second vector
as state, which follows from the first.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from attrs import frozen
from torch import nn
from torch.nn.utils import parametrize

from ganskit import Architecture, Shape, UserError

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *TRANSPOSED)


@frozen
class SpectralNorm(Architecture):
    """Miyato 2018, algorithm 1: every weight of `net` is divided by its spectral norm.

    "one round of power iteration was sufficient" (appendix A): each forward pass in training makes one, as in the authors' code
    (sn_convolution_2d.py), so D's turn makes two, for real and for generated samples, and G's turn makes one more. Outside
    training the vectors stay as they are. A weight is then `...parametrizations.weight.original`.
    """

    net: Architecture

    @property
    def couples_batch(self) -> bool:
        """True: every micro-batch is another forward pass, and so another power iteration."""
        return True

    def build(self, shape: Shape) -> nn.Module:
        """The net with normalised weights. Raises UserError if it has no linear or convolutional layer."""
        net = self.net.build(shape)
        layers = [module for module in net.modules() if isinstance(module, LAYERS)]
        if not layers:
            raise UserError(f"spectral-norm needs a net with linear or convolutional layers; {type(self.net).__name__} has none.")
        for layer in layers:
            divided = DividedByNorm(layer.weight, output_dim=1 if isinstance(layer, TRANSPOSED) else 0)
            parametrize.register_parametrization(layer, "weight", divided)  # reads the weight once: the first iteration
        return net


class DividedByNorm(nn.Module):
    """W -> W / sigma(W), with the paper's vector `u` of every layer as a buffer.

    A convolution's W counts as a matrix of d_out rows and d_in h w columns, as in the paper; a transposed convolution has
    its output channels second.
    """

    u: torch.Tensor

    def __init__(self, weight: torch.Tensor, output_dim: int) -> None:
        super().__init__()
        self.output_dim = output_dim
        # algorithm 1: "a random vector (sampled from isotropic distribution)"
        self.register_buffer("u", weight.new_empty(weight.shape[output_dim]).normal_())

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The weight over its estimated norm, in its own precision and not in autocast's; gradients flow through both."""
        with torch.autocast(weight.device.type, enabled=False):
            W = weight.transpose(0, self.output_dim).flatten(1)
            with torch.no_grad():
                v = F.normalize(W.T @ self.u, dim=0)
                u = F.normalize(W @ v, dim=0)
                if self.training:
                    self.u.copy_(u)
            sigma = u @ (W @ v)
            return weight / sigma.clamp_min(1e-12)  # a weight of zeros stays one
