"""What a recipe amounts to, before anything is trained."""

from __future__ import annotations

from ganskit.data.dataset import Dataset, has_pictures
from ganskit.data.files import printable
from ganskit.engine.device import resolve_device, resolve_precision
from ganskit.engine.engine import build_nets
from ganskit.errors import DataNotFound
from ganskit.evaluate.during import check, check_count
from ganskit.evaluate.fidelity.weights import no_downloads
from ganskit.recipe import Recipe


def parameter_counts(recipe: Recipe) -> dict[str, int]:
    """Parameters of every net."""
    nets = build_nets(recipe, recipe.data.provides())
    return {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}


def describe(recipe: Recipe, device: str) -> str:
    """A few lines: nets and their sizes, data, budget, device, disk. Raises UserError for what would stop the run."""
    with no_downloads():
        check(recipe)
    where = resolve_device(device)
    counts = parameter_counts(recipe)
    averaged = [net for player in recipe.game.players().values() if player.ema and recipe.ema is not None for net in player.nets]
    tensors = 3 * sum(counts.values()) + sum(counts[net] for net in averaged)  # a parameter, and Adam's two moments of it
    fields = ", ".join(f"{name} {field.shape}" for name, field in recipe.data.provides().items())
    num, missing = _examples(recipe.data)
    if num is not None:
        check_count(recipe, num)
    lines = [f"{recipe.name}: {printable(recipe.paper)}" if recipe.paper else recipe.name]
    lines += [f"  {name:<12} {count:>12,} parameters" for name, count in counts.items()]
    lines += [
        f"  {'data':<12} {'' if num is None else f'{num:,} examples: '}{fields}",
        f"  {'budget':<12} {recipe.samples:,} samples in batches of {recipe.batch_size}",
        f"  {'device':<12} {where}, {resolve_precision(recipe.precision, where, has_pictures(recipe.data.provides()))}",
        f"  {'checkpoint':<12} about {tensors * 4 / 1e6:,.0f} MB, twice",
    ]
    return "\n".join(lines + missing)


def _examples(data: Dataset) -> tuple[int | None, list[str]]:
    """How many there are, or else what to say of the files that are missing."""
    try:
        return len(data.open()), []
    except DataNotFound as error:
        return None, [f"\n{error}"]
