"""The engine plays a game: it turns what a game declares into optimiser steps, the same way for every GAN."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ganskit.data.dataset import Field, has_pictures
from ganskit.engine.accelerate import Compute, choose
from ganskit.engine.device import FOR_WEIGHTS, autocast, memory_errors, resolve_precision, seed_of
from ganskit.engine.distributed import World
from ganskit.engine.sampling import as_input, drawn
from ganskit.errors import UserError, nearest
from ganskit.game import Batch, Game, Nets, Player, Stage, Turn
from ganskit.losses import Parts
from ganskit.recipe import Recipe

Deal = Callable[[int, int], dict[str, torch.Tensor]]
"""(position, count) -> real data: the samples of the endless stream from that position on."""

NEVER = -1


class Engine:
    """A game being played. State lives in `nets`, `averages`, `optimizers`, `round` and `samples`, and nowhere else."""

    def __init__(
        self,
        recipe: Recipe,
        provides: Mapping[str, Field],
        deal: Deal,
        device: torch.device | None = None,
        world: World | None = None,
    ) -> None:
        self.recipe, self.game, self.fields, self.deal = recipe, recipe.game, provides, deal
        self.device, self.world = device or torch.device("cpu"), world or World()
        self.precision = resolve_precision(recipe.precision, self.device, has_pictures(provides))
        # "auto" is off until exact resume of compiled turns has been seen on a GPU; on a CPU compiling gains little
        self.backend = "off" if recipe.compile == "auto" else recipe.compile
        if self.device.type == "cuda":
            torch.backends.cudnn.deterministic = True  # exact resume is a promise
            torch.backends.cudnn.allow_tf32 = self.precision != "fp32"  # fp32 means it
        self.players = self.game.players()
        self.nets = placed(build_nets(recipe, provides), self.device)
        self.owned = {name: owned_parameters(self.nets, player) for name, player in self.players.items()}
        self.averages = Nets()
        if recipe.ema is not None:
            kept = (net for player in self.players.values() if player.ema for net in player.nets)
            self.averages = Nets({net: copy.deepcopy(self.nets[net]).requires_grad_(False) for net in kept})
        self.optimizers = {name: self._optimizer(name) for name in self.players}
        self.round = self.samples = 0
        self.stage: Stage | None = None
        self.stage_samples = 0
        self.losses: Parts = {}
        self.nonfinite_round = torch.tensor(NEVER, device=self.device)
        self._computes: dict[tuple[Stage, int], Compute] = {}

    def play_round(self) -> None:
        """Play all turns of the game once."""
        stage = self._enter_stage()
        torch.manual_seed(seed_of(self.recipe.seed, self.world.rank, self.round))
        batches: list[Batch] = []
        for index, turn in enumerate(self.game.turns(stage)):
            if self.round % turn.every:
                continue
            for _ in range(turn.times):
                if not (turn.reuse and batches):
                    batches = self._next_batch(stage).split(self.recipe.accumulate)
                self.move(turn, index, batches)
        self._average()
        self.round += 1

    def move(self, turn: Turn, index: int, batches: list[Batch]) -> None:
        """One optimiser step of the turn's player; `index` is the turn's place in the round."""
        owned = self.owned[turn.player]
        self.freeze_all_but(turn.player)
        losses: Parts = {}
        sum_of_losses = torch.zeros((), device=self.device)
        for b in batches:
            if (b.stage, index) not in self._computes:
                with autocast(self.precision, self.device):
                    self._computes[b.stage, index] = choose(turn, self.nets, b, self.backend)
            with autocast(self.precision, self.device):
                loss, parts = self._computes[b.stage, index](b)
            share = len(batches)
            torch.autograd.backward(loss / share if share > 1 else loss, inputs=list(owned.values()))
            sum_of_losses += loss.detach()
            for name, part in parts.items():
                key = turn.player if name == "loss" else f"{turn.player}.{name}"
                losses[key] = losses.get(key, 0) + part.detach() / share
        self.losses |= losses
        self._step(turn, [p for p in owned.values() if p.grad is not None], sum_of_losses)

    def freeze_all_but(self, player: str) -> None:
        """Only this player's parameters want gradients, and none has one yet."""
        for name, parameters in self.owned.items():
            for parameter in parameters.values():
                parameter.requires_grad_(name == player)
                parameter.grad = None

    def _step(self, turn: Turn, parameters: list[torch.nn.Parameter], loss: torch.Tensor) -> None:
        """Average gradients over processes, check them, and step; a step that is not finite is skipped and recorded."""
        optimizer, settings = self.optimizers[turn.player], self.players[turn.player].opt
        gradients = [p.grad for p in parameters if p.grad is not None]
        self.world.average([*gradients, loss])  # the loss as well, so that all processes agree on whether it is finite
        norm = torch.nn.utils.get_total_norm(gradients)
        if settings.clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(parameters, settings.clip_norm, norm)
        bad = ~(norm.isfinite() & loss.isfinite())
        self.nonfinite_round = torch.where(bad & (self.nonfinite_round == NEVER), self.round, self.nonfinite_round)
        for group in optimizer.param_groups:
            group["lr"] = settings.lr_at(self.samples)
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            optimizer.found_inf = bad.float()  # type: ignore[attr-defined]  # how torch tells fused kernels to skip
            optimizer.step()
        elif not bad:
            optimizer.step()
        if turn.after is not None:
            with torch.no_grad():
                turn.after(self.nets)

    def _enter_stage(self) -> Stage:
        stage = self.game.stage(self.samples)
        if self.stage is not None and stage != self.stage and stage.reset_optimizers:
            self.optimizers = {name: self._optimizer(name) for name in self.players}
        self.stage, self.stage_samples = stage, self.samples
        return stage

    def _optimizer(self, player: str) -> torch.optim.Optimizer:
        return self.players[player].opt.build(self.owned[player].items())

    def _next_batch(self, stage: Stage) -> Batch:
        """This process's part of the next batch: real data, noise and scalars."""
        total = stage.batch_size or self.recipe.batch_size
        count = total // self.world.size
        if count * self.world.size != total or count % self.recipe.accumulate:
            raise UserError(
                f"A batch of {total} does not split over {self.world.size} processes and accumulate = "
                f"{self.recipe.accumulate}: choose a batch_size that does."
            )
        real = self.deal(self.samples + self.world.rank * count, count)
        self.samples += total
        tensors = {name: as_input(self.fields[name], t.to(self.device, non_blocking=True)) for name, t in real.items()}
        return Batch(tensors | drawn(self.game, count, self.stage_samples, self.device), stage)

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averages of the nets a step towards them; buffers are taken over as they are."""
        if self.recipe.ema is None:
            return
        update = get_ema_multi_avg_fn(self.recipe.ema)  # type: ignore[no-untyped-call]  # torch
        for name, average in self.averages.items():
            update(list(average.parameters()), list(self.nets[name].parameters()), torch.tensor(self.round))
            for kept, buffer in zip(average.buffers(), self.nets[name].buffers(), strict=True):
                kept.copy_(buffer)


def build_nets(recipe: Recipe, provides: Mapping[str, Field]) -> Nets:
    """The game's nets for this dataset, with initial weights that depend on the seed alone.

    Raises UserError when the recipe's nets are not the game's, or the dataset lacks what the game needs.
    """
    game: Game = recipe.game
    for key in game.needs():
        if key not in provides:
            raise UserError(
                f'{type(game).__name__} needs "{key}", which the dataset does not provide: it has {", ".join(provides)}.'
            )
    shapes = game.shapes(provides)
    for name in recipe.nets:
        if name not in shapes:
            raise UserError(f'{type(game).__name__} has no net "{name}". {nearest(name, shapes)}')
    missing = [name for name in shapes if name not in recipe.nets]
    if missing:
        raise UserError(f"{type(game).__name__} needs the nets {', '.join(shapes)}; the recipe lacks {', '.join(missing)}.")
    with torch.random.fork_rng(devices=[]), memory_errors():
        torch.manual_seed(seed_of(recipe.seed, 0, 0, FOR_WEIGHTS))
        return Nets({name: recipe.nets[name].build(shape) for name, shape in shapes.items()})


def placed(nets: Nets, device: torch.device) -> Nets:
    """The nets on the device, with image weights in channels_last, the layout in which convolutions are fastest."""
    nets.to(device)
    for tensor in (*nets.parameters(), *nets.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)
    return nets


def owned_parameters(nets: Nets, player: Player) -> dict[str, torch.nn.Parameter]:
    """A player's parameters by name, "G.linear.weight", without those that their net has frozen."""
    return {f"{net}.{name}": p for net in player.nets for name, p in nets[net].named_parameters() if p.requires_grad}
