"""Finding stores by what a user calls them."""

from __future__ import annotations

from pathlib import Path

from ganskit.data.home import expanded, stores
from ganskit.data.manifest import MANIFEST, Manifest
from ganskit.data.store import Store
from ganskit.errors import BadData, UserError, nearest


def find(what: str | Path | None) -> list[Path]:
    """The folders of the stores that are meant, by folder, by name ("lsun-0f3c5a9be124", "lsun") or by their dataset's name.

    None means all complete stores in ganskit's data folder. Raises UserError when there is none of that name.
    """
    from ganskit.plugins import registry

    folders = sorted(file.parent for file in stores().glob(f"*/{MANIFEST}"))
    if what is None:
        return folders
    if isinstance(what, Path) or "/" in what or (Path(what) / MANIFEST).is_file():
        return [expanded(what)]
    named = [folder for folder in folders if folder.name == what] or [f for f in folders if f.name.rpartition("-")[0] == what]
    targets = [entry.target for entry in registry().entries("dataset") if entry.name == what]
    chosen = named or [folder for folder in folders if _made_from(folder) in targets]
    if chosen:
        return chosen
    if targets:
        raise UserError(f'"{what}" is not prepared yet. Run: ganskit data prepare {what}')
    known = [folder.name for folder in folders]
    raise UserError(f'There is no store "{what}". {nearest(what, known)} `ganskit data info` lists them all.')


def _made_from(folder: Path) -> str:
    """The class of the dataset; "" when the manifest cannot be read."""
    try:
        return str(Manifest.load(folder).dataset.get("class"))
    except BadData:
        return ""


def open(store: str | Path) -> Store:
    """A store by its folder or its name, as a sequence of examples: `ganskit.data.open("lsun-0f3c5a9be124")[0]["x"]`.

    Works in a plain `torch.utils.data.DataLoader`. Raises UserError when it is not there or the name fits several.
    """
    found = find(store)
    if len(found) > 1:
        raise UserError(f'"{store}" names several stores: {", ".join(folder.name for folder in found)}. Give the name of one.')
    return Store.open(found[0])
