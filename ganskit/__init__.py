"""ganskit trains and studies generative adversarial networks.

    import ganskit
    run = ganskit.run("dcgan-rooms")
    ganskit.load(run).sample(64, seed=0)

Importing ganskit imports no torch: names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganskit.claims import Arm as Arm
    from ganskit.claims import Claim as Claim
    from ganskit.data.dataset import Dataset as Dataset
    from ganskit.data.dataset import Field as Field
    from ganskit.data.dataset import Skip as Skip
    from ganskit.data.dataset import Source as Source
    from ganskit.engine.engine import build_nets as build_nets
    from ganskit.engine.run import save_run as save_run
    from ganskit.errors import GanskitError as GanskitError
    from ganskit.errors import UserError as UserError
    from ganskit.evaluate.evaluation import evaluate_run as evaluate_run
    from ganskit.evaluate.model import Model as Model
    from ganskit.evaluate.model import load as load
    from ganskit.evaluator import Evaluation as Evaluation
    from ganskit.evaluator import Evaluator as Evaluator
    from ganskit.evaluator import Picture as Picture
    from ganskit.evaluator import Result as Result
    from ganskit.game import Architecture as Architecture
    from ganskit.game import Batch as Batch
    from ganskit.game import Game as Game
    from ganskit.game import Nets as Nets
    from ganskit.game import Noise as Noise
    from ganskit.game import Player as Player
    from ganskit.game import Shape as Shape
    from ganskit.game import Stage as Stage
    from ganskit.game import Turn as Turn
    from ganskit.hookspecs import hookimpl as hookimpl
    from ganskit.losses import Loss as Loss
    from ganskit.losses import Minimax as Minimax
    from ganskit.losses import NonSaturating as NonSaturating
    from ganskit.losses import Parts as Parts
    from ganskit.nets import BatchNorm as BatchNorm
    from ganskit.observing import RunView as RunView
    from ganskit.optim import SGD as SGD
    from ganskit.optim import Adam as Adam
    from ganskit.optim import NamedParameters as NamedParameters
    from ganskit.optim import Optimizer as Optimizer
    from ganskit.optim import RMSprop as RMSprop
    from ganskit.pictures import save_grid as save_grid
    from ganskit.recipe import Recipe as Recipe
    from ganskit.recipe import evolve as evolve
    from ganskit.recipe import named as named
    from ganskit.recipe import override as override
    from ganskit.recipe import use as use
    from ganskit.registry import Registry as Registry
    from ganskit.train import run as run
    from ganskit.two_player import Judge as Judge
    from ganskit.two_player import Penalty as Penalty
    from ganskit.two_player import TwoPlayer as TwoPlayer
    from ganskit.two_player import View as View

_HOME = {
    "claims": ("Arm", "Claim"),
    "data.dataset": ("Dataset", "Field", "Skip", "Source"),
    "engine.engine": ("build_nets",),
    "engine.run": ("save_run",),
    "errors": ("GanskitError", "UserError"),
    "evaluate.evaluation": ("evaluate_run",),
    "evaluator": ("Evaluation", "Evaluator", "Picture", "Result"),
    "evaluate.model": ("Model", "load"),
    "game": ("Architecture", "Batch", "Game", "Nets", "Noise", "Player", "Shape", "Stage", "Turn"),
    "hookspecs": ("hookimpl",),
    "losses": ("Loss", "Minimax", "NonSaturating", "Parts"),
    "nets": ("BatchNorm",),
    "observing": ("RunView",),
    "optim": ("SGD", "Adam", "NamedParameters", "Optimizer", "RMSprop"),
    "pictures": ("save_grid",),
    "recipe": ("Recipe", "evolve", "named", "override", "use"),
    "registry": ("Registry",),
    "train": ("run",),
    "two_player": ("Judge", "Penalty", "TwoPlayer", "View"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    if name == "__version__":
        from importlib.metadata import version

        return version("ganskit")
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'ganskit' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ganskit.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
