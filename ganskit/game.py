"""What a game is: players, turns and what each turn minimises. Declarations only; the engine plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from attrs import field, frozen
from torch import nn

from ganskit.data.dataset import Field
from ganskit.errors import UserError
from ganskit.losses import Parts
from ganskit.optim import Optimizer
from ganskit.registry import Pluggable
from ganskit.validators import positive


class Nets(nn.ModuleDict):
    """A game's nets by name: `nets.G(z)` calls the net "G", `nets["G"]` is its module."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., torch.Tensor]:  # type: ignore[override]  # only nets are in here
            ...


@frozen
class Shape:
    """What a net is built for: the shapes of one input and one output sample."""

    input: tuple[int, ...]
    output: tuple[int, ...]


@frozen
class Architecture(Pluggable):
    """A net as a value: its options are its fields."""

    def build(self, shape: Shape) -> nn.Module:
        """The module, with its initial weights drawn from torch's default generator. Raises UserError if it cannot."""
        raise NotImplementedError


@frozen
class Noise:
    """A source of z. `prior`: "uniform" is U(-1, 1), the DCGAN authors'; "normal" is N(0, 1); "unit" is U(0, 1)."""

    dim: int = field(default=100, validator=positive)
    prior: str = field(default="uniform")

    @prior.validator
    def _known(self, attribute: object, value: str) -> None:
        if value not in ("uniform", "normal", "unit"):
            raise UserError(f'Noise has no prior "{value}": expected "uniform", "normal" or "unit".')

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample: (dim,)."""
        return (self.dim,)

    def draw(self, num: int, device: torch.device | str = "cpu") -> torch.Tensor:
        """(num, dim), float32, from torch's default generator of the device."""
        if self.prior == "normal":
            return torch.randn(num, self.dim, device=device)
        z = torch.rand(num, self.dim, device=device)
        return z.mul_(2).sub_(1) if self.prior == "uniform" else z


@frozen
class Stage:
    """A static setting of a part of training. Subclass it for more (a resolution, say); it must stay hashable.

    `batch_size` None is the recipe's. `reset_optimizers` starts them anew on entering the stage.
    """

    batch_size: int | None = None
    reset_optimizers: bool = False


class Batch:
    """The tensors of one turn, by attribute: real data (`b.x`), noise (`b.z`), schedule scalars (`b.alpha`)."""

    def __init__(self, tensors: Mapping[str, torch.Tensor], stage: Stage | None = None) -> None:
        self.tensors = dict(tensors)
        self.stage = stage or Stage()

    def __getattr__(self, name: str) -> torch.Tensor:
        try:
            return self.__dict__["tensors"][name]  # type: ignore[no-any-return]  # __dict__ is untyped
        except KeyError:
            raise AttributeError(f'This batch has no "{name}", only {", ".join(self.__dict__.get("tensors", ()))}.') from None

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def __len__(self) -> int:
        return next((len(t) for t in self.tensors.values() if t.ndim), 0)

    def keep(self, **tensors: torch.Tensor) -> None:
        """Hand tensors over to the turns that reuse this batch; they arrive detached."""
        self.tensors |= {name: t.detach() for name, t in tensors.items()}

    def split(self, parts: int) -> list[Batch]:
        """Micro-batches, equally large. Scalars go to each."""
        if parts == 1:
            return [self]
        pieces = {name: t.chunk(parts) if t.ndim else (t,) * parts for name, t in self.tensors.items()}
        return [Batch({name: p[i] for name, p in pieces.items()}, self.stage) for i in range(parts)]


TurnLoss = Callable[[Nets, Batch], torch.Tensor | Parts]


@frozen
class Turn:
    """One optimiser step of a player.

    `times` in a row, in every `every`-th round. `reuse` plays on the batch of the turn before, with what that one
    kept; otherwise fresh samples are dealt. `after(nets)` runs after the step without gradients (weight clipping).
    """

    player: str
    loss: TurnLoss
    times: int = 1
    every: int = 1
    reuse: bool = False
    after: Callable[[Nets], None] | None = None


@frozen
class Player:
    """Names of nets that move together, and their optimiser. `ema`: keep moving averages when the recipe asks for them."""

    nets: tuple[str, ...]
    opt: Optimizer
    ema: bool = False


@frozen
class Game(Pluggable):
    """A frozen config whose methods are a paper's equations.

    Subclasses say who plays (`players`), in which order (`turns`), with what noise (`noises`), and for which shapes the
    nets are built (`shapes`). They never call backward, step or compile. Real data come as `x` and whatever else
    the dataset provides.
    """

    def players(self) -> dict[str, Player]:
        """The players by name."""
        raise NotImplementedError

    def turns(self, stage: Any) -> Sequence[Turn]:  # noqa: ANN401 - the game's own subclass of Stage
        """The turns of one round."""
        raise NotImplementedError

    def needs(self) -> tuple[str, ...]:
        """Keys that the dataset must provide."""
        return ("x",)

    def conditions(self) -> tuple[str, ...]:
        """Keys of real data that `sample` reads: a translator's input, a label."""
        return ()

    def noises(self) -> dict[str, Noise]:
        """Noise drawn for every batch, by its name there."""
        return {}

    def shapes(self, provides: Mapping[str, Field]) -> dict[str, Shape]:
        """What each net is built for, from what the dataset provides."""
        raise NotImplementedError

    def stage(self, samples: int) -> Stage:
        """The stage of a round that begins when `samples` real samples have been dealt."""
        return Stage()

    def scalars(self, samples: int) -> dict[str, float]:
        """Schedule values for the batches of that round, by name."""
        return {}

    def sample(self, nets: Nets, b: Batch) -> torch.Tensor:
        """What `ganskit sample` draws, from a batch of noise."""
        raise NotImplementedError
