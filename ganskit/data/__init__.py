"""Data: sources of examples, the stores they are prepared into, and the order in which they are dealt.

Names are loaded when they are first used. `prepare` and `detect` are in the modules called so.
"""

from __future__ import annotations

import importlib

_PUBLIC = {
    "CelebA": "celeba",
    "Cifar10": "cifar",
    "Cifar100": "cifar",
    "Crops": "boxes",
    "Dataset": "dataset",
    "Field": "dataset",
    "Facades": "pairs",
    "FashionMnist": "mnist",
    "Folder": "folder",
    "ImageNet": "imagenet",
    "ImageNet32": "imagenet_npz",
    "ImageNet64": "imagenet_npz",
    "Lfw": "lfw",
    "Lsun": "lsun",
    "Mnist": "mnist",
    "Pairs": "pairs",
    "Parquet": "parquet",
    "Portraits": "portraits",
    "Rooms": "rooms",
    "Skip": "dataset",
    "Source": "dataset",
    "StackedMnist": "stacked_mnist",
    "Stl10": "stl10",
    "Store": "store",
    "Svhn": "svhn",
    "TwoDomains": "domains",
    "WebDataset": "webdataset",
    "Zip": "archive",
    "Prepared": "prepared",
    "data_home": "home",
    "indices": "sampler",
    "not_found": "catalog",
    "open": "library",
}


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_PUBLIC)
