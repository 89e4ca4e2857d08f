"""Unrolled GAN: G looks `steps` updates of D ahead."""

from __future__ import annotations

import torch
from attrs import frozen
from torch.func import functional_call

from ganskit import Batch, Nets, Recipe, TwoPlayer

from toys import Blobs, tiny_nets


@frozen
class Unrolled(TwoPlayer):
    """Metz 2017, eq. 5 and 6: G minimises f(theta_G, theta_D^K), theta_D^{k+1} = theta_D^k - eta df/dtheta_D^k."""

    steps: int = 2
    eta: float = 0.01

    def g_loss(self, nets: Nets, b: Batch) -> dict[str, torch.Tensor]:
        fake = self.generate(nets, b)
        theta = {name: p.detach().requires_grad_() for name, p in nets["D"].named_parameters()}
        for _ in range(self.steps):
            real_logits, fake_logits = (functional_call(nets["D"], theta, (x,)) for x in (b.x, fake))
            f = sum(self.loss.discriminator(real_logits.float(), fake_logits.float()).values())
            grads = torch.autograd.grad(f, list(theta.values()), create_graph=True)
            theta = {name: p - self.eta * g for (name, p), g in zip(theta.items(), grads, strict=True)}
        return self.loss.generator(functional_call(nets["D"], theta, (fake,)).float())


def recipe() -> Recipe:
    """Two unrolled steps."""
    return Recipe(name="unrolled", game=Unrolled(), nets=tiny_nets(norm="none"), data=Blobs(), batch_size=8, samples=8 * 2 * 6)
