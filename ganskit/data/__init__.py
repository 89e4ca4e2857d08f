"""Data: sources of examples, the stores they are prepared into, and the order in which they are dealt."""

from __future__ import annotations

import importlib

_PUBLIC = {
    "Cifar10": "cifar",
    "Dataset": "dataset",
    "Field": "dataset",
    "Folder": "folder",
    "Lsun": "lsun",
    "Mnist": "mnist",
    "Rooms": "rooms",
    "Skip": "dataset",
    "Source": "dataset",
    "Store": "store",
    "Zip": "archive",
    "data_home": "home",
    "detect": "detect",
    "indices": "sampler",
    "not_found": "catalog",
    "prepare": "prepare",
}


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_PUBLIC)
