"""`ganskit.run`: what `ganskit run` does, from Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from ganskit.config import field_types
from ganskit.data.dataset import Dataset
from ganskit.data.detect import detect
from ganskit.data.home import expanded, stores
from ganskit.data.manifest import MANIFEST
from ganskit.data.prepared import Prepared
from ganskit.engine.run import run as run_recipe
from ganskit.engine.rundir import RunDir
from ganskit.errors import UserError, nearest
from ganskit.evaluate.during import Evaluations, check, check_count
from ganskit.plugins import registry
from ganskit.recipe import Recipe, evolve, from_file, from_table, named, override, read_table, replaced, use


def resolve(
    recipe: Recipe | str | Path,
    *,
    data: str | Path | None = None,
    settings: Sequence[str] = (),
    precision: str | None = None,
    resumes: RunDir | None = None,
) -> Recipe:
    """The recipe that is meant: a value, a registered name, FILE.toml or FILE.py:function; then `data`, then `settings`.

    `data` is a path (a folder of pictures, a .zip, an LSUN LMDB, ...) or the name of a dataset; its size and channels
    are the recipe's. A name that `resumes` a run means the recipe in there, with the changes it was started with.
    Raises UserError.
    """
    if not isinstance(recipe, Recipe):
        recipe = str(recipe)
        recipe = from_file(recipe) if is_file(recipe) else _of_run(named(recipe), resumes)
    if data is not None:
        recipe = evolve(recipe, data=_other_data(recipe.data, data))
    settings = [settings] if isinstance(settings, str) else settings
    if precision is not None:
        settings = [*settings, f"precision={precision}"]
    return override(recipe, settings)


def is_file(recipe: str) -> bool:
    """Whether this is FILE.toml or FILE.py:function rather than a name."""
    return recipe.endswith((".toml", ".py")) or ".py:" in recipe


def _of_run(recipe: Recipe, run: RunDir | None) -> Recipe:
    """The run's own recipe if it is one of that name, so that resuming needs no repetition of --data and --set."""
    if run is None or not run.recipe_file.exists():
        return recipe
    stored = read_table(run.recipe_file)
    return from_table(stored) if stored.get("name") == recipe.name else recipe


def _other_data(asked: Dataset, data: str | Path) -> Dataset:
    """What is at a path, or a registered dataset, in the size and channels of the recipe's own data."""
    pixels = [field.shape for field in asked.provides().values() if field.pixels and len(field.shape) == 3]
    channels, size = (pixels[0][0], pixels[0][1]) if pixels else (3, 64)
    if not str(data).strip():
        raise UserError("--data is empty: expected a folder of pictures, a .zip, an LMDB, or a dataset's name.")
    if isinstance(data, str) and "/" not in data and not Path(data).exists():
        names = [entry.name for entry in registry().entries("dataset")]
        if (stores() / data / MANIFEST).is_file():
            return _of_shape(Prepared.at(stores() / data), asked)
        if data not in names:
            raise UserError(f'There is no folder, file, store or dataset "{data}". {nearest(data, names)}')
        return _with_shape(asked, data, size, channels)
    found = detect(expanded(data).absolute(), size, channels)  # absolute, for a resume from another folder
    if isinstance(found, Prepared):
        return _of_shape(found, asked)
    if type(found) is type(asked) and not hasattr(asked, "name"):
        return replaced(asked, "path", str(getattr(found, "path", "")))  # with its split
    return found


def _of_shape(store: Prepared, asked: Dataset) -> Prepared:
    """The store, if its pictures have the shape of the recipe's. Raises UserError."""
    found, wanted = store.provides().get("x"), asked.provides().get("x")
    if found and wanted and found.shape != wanted.shape:
        raise UserError(
            f"{store.path} holds pictures of {found.shape}, and the recipe is for {wanted.shape}. Prepare them in that size, or "
            f'take them as they are: --set \'data={{use = "store", path = "{store.path}"}}\''
        )
    return store


def _with_shape(asked: Dataset, name: str, size: int, channels: int) -> Dataset:
    """A registered dataset with as much of the shape as it lets one choose; the recipe's own as it is, with its split."""
    cls: type = registry().find("dataset", name).load()
    if isinstance(asked, cls):
        return asked
    options = {"size": size, "channels": channels}
    known = field_types(cls)
    made: Dataset = use(name, "dataset", **{key: value for key, value in options.items() if key in known})
    return made


def run(
    recipe: Recipe | str | Path,
    *,
    data: str | Path | None = None,
    settings: Sequence[str] = (),
    out: str | Path | None = None,
    resume: bool = False,
    init_from: str | Path | None = None,
    device: str = "auto",
    precision: str | None = None,
    progress: bool = True,
    workers: int | None = None,
) -> Path:
    """Train a recipe and return its run directory, for `ganskit.load`.

    `recipe` is a Recipe, a registered name, FILE.toml or FILE.py:function. `settings` are overrides like the command
    line's --set, "batch_size=64". `resume` goes on with the last run of that name, or with the one in `out`.
    Data are prepared by `workers` processes, which start by importing your script: call this under
    `if __name__ == "__main__":`. Raises UserError, RunFailed or Interrupted; the last good checkpoint is kept.
    """
    named_run = resume and not isinstance(recipe, Recipe) and not is_file(str(recipe))
    directory = RunDir.choose(str(recipe), Path(out) if out is not None else None, resume) if named_run else None
    chosen = resolve(recipe, data=data, settings=settings, precision=precision, resumes=directory)

    def warned(look: Callable[..., None], *about: int) -> None:
        """What was begun goes on: an evaluation that cannot be made costs it a warning."""
        try:
            look(chosen, *about)
        except UserError as error:
            if not (resume and RunDir.choose(chosen.name, Path(out) if out is not None else None, resume).recipe_file.exists()):
                raise
            tqdm.write(f"Warning: {error}")

    warned(check)
    return run_recipe(
        chosen, out=out, resume=resume, device=device, init_from=init_from, progress=progress, workers=workers,
        evaluations=Evaluations if chosen.evaluations else None, check_count=partial(warned, check_count),
    )  # fmt: skip
