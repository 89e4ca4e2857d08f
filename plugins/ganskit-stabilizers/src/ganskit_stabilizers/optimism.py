"""Optimistic Adam: it moves as if the next gradient were the last one again, and takes back what it moved for that before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from attrs import frozen

from ganskit import Adam


@frozen(kw_only=True)
class OptimisticAdam(Adam):
    """Daskalakis 2018, algorithm 1. Options and defaults are those of ganskit's Adam."""

    def build(self, parameters: Iterable[tuple[str, torch.nn.Parameter]]) -> torch.optim.Optimizer:
        """An `OptimisticAdamSteps`."""
        return OptimisticAdamSteps(parameters, self.lr, (self.beta1, self.beta2), self.eps, self.weight_decay)


class OptimisticAdamSteps(torch.optim.Optimizer):
    """theta_t = theta_{t-1} - 2 eta d_t + eta d_{t-1}, where d_t = m_hat_t / (sqrt(v_hat_t) + eps) is Adam's and d_0 = 0.

    Each d has the bias correction of its own step. The authors' code (script/optimizer.py) corrects both as of step t.

    The state of a parameter is `step` (a number as a tensor), `exp_avg` m, `exp_avg_sq` v, and `past` d.
    """

    def __init__(self, params: Any, lr: float, betas: tuple[float, float], eps: float, weight_decay: float = 0.0) -> None:  # noqa: ANN401 - torch's own union of forms
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]  # without a closure there is no loss
        """One step of every parameter that has a gradient."""
        if closure is not None:
            raise ValueError("OptimisticAdamSteps takes no closure.")
        for group in self.param_groups:
            for theta in group["params"]:
                if theta.grad is not None:
                    self._step(theta, theta.grad, group)

    def _step(self, theta: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        eta, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        state: dict[str, torch.Tensor] = self.state[theta]
        if not state:
            state["step"] = torch.zeros(())  # on the CPU, where reading it waits for nothing
            state |= {name: torch.zeros_like(theta) for name in ("exp_avg", "exp_avg_sq", "past")}
        gradient = gradient.add(theta, alpha=decay) if decay else gradient
        m = state["exp_avg"].lerp_(gradient, 1 - beta1)
        v = state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        t = state["step"].add_(1).item()
        theta.add_(state["past"], alpha=eta)
        d = state["past"].copy_(m / (1 - beta1**t) / ((v / (1 - beta2**t)).sqrt() + group["eps"]))
        theta.sub_(d, alpha=2 * eta)
