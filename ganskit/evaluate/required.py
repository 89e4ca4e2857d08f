"""What evaluations require of a recipe. `Evaluator.check` asks for it, before there is a model."""

from __future__ import annotations

from ganskit.data.dataset import Dataset, described
from ganskit.errors import UserError
from ganskit.recipe import Recipe


def check_nets(recipe: Recipe, *nets: str) -> None:
    """Raise UserError for a net that the recipe does not have."""
    for net in nets:
        if net not in recipe.nets:
            raise UserError(f'"{recipe.name}" has no net "{net}", only {", ".join(recipe.nets)}.')


def check_data(recipe: Recipe, *others: Dataset | None) -> None:
    """Raise UserError unless other data, where some are given, have x of the same shape as the recipe's own."""
    ours = recipe.data.provides()
    for given in (data.provides() for data in others if data is not None):
        if "x" in ours and ("x" not in given or given["x"].shape != ours["x"].shape):
            raise UserError(f'"{recipe.name}" was trained on {described(ours)}, and these data are {described(given)}.')


def shape_of(recipe: Recipe) -> tuple[int, ...]:
    """Of one example x. Raises UserError for data without counterparts of the samples, such as a translator's."""
    fields = recipe.data.provides()
    if "x" not in fields:
        raise UserError(f'"{recipe.name}" is of {described(fields)}: expected a model of one kind of data x.')
    return fields["x"].shape


def picture_shape(recipe: Recipe) -> tuple[int, ...]:
    """(C, H, W) of one example x. Raises UserError for data that are no pictures."""
    shape = shape_of(recipe)
    if len(shape) != 3:
        raise UserError(f'"{recipe.name}" is about data of shape {shape}: expected pictures (C, H, W).')
    return shape
