"""Features of pictures: computed while the next pictures are being made, and kept where they do not change."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
import torch_fidelity
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from tqdm import tqdm

from ganskit.data.files import write_whole
from ganskit.data.home import data_home
from ganskit.evaluate.fidelity.extractor import Extractor
from ganskit.evaluate.fidelity.inputs import Pictures, Reference, coloured

T = TypeVar("T")


def features(pictures: Pictures, extractor: Extractor, batch_size: int = 64, progress: bool = True) -> torch.Tensor:
    """(num, F) float32, on the CPU. The next batch is made in a thread while this one's features are computed."""
    found = []
    what = "real pictures" if isinstance(pictures, Reference) else "samples"
    with tqdm(
        total=pictures.num, unit="", desc=f"{extractor.label} of {what}", leave=False, disable=None if progress else True
    ) as bar:
        for x in ahead(
            lambda i: pictures.rows(i * batch_size, min((i + 1) * batch_size, pictures.num)), -(-pictures.num // batch_size)
        ):
            found.append(extractor(coloured(x) if extractor.colour else x))
            bar.update(len(x))
    return torch.cat(found)


def ahead(make: Callable[[int], T], count: int) -> Iterator[T]:
    """make(0), ..., make(count - 1): each begun, in another thread, when the one before it is handed out."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(make, 0)
        for i in range(1, count + 1):
            made = coming.result()
            if i < count:
                coming = pool.submit(make, i)
            yield made


def kept_features(pictures: Pictures, extractor: Extractor, batch_size: int = 64, progress: bool = True) -> torch.Tensor:
    """`features`, kept in ganskit's data folder: by what the pictures follow from, the net and its weights.

    Of samples only the last ones are kept, so that fid, kid and precision-recall of a run look at them once.
    """
    content, version = pictures.follows_from, torch_fidelity.__version__
    if content is None:
        return features(pictures, extractor, batch_size, progress)
    key = json.dumps([content, dict(extractor.protocol), extractor.device.type, version], sort_keys=True, default=str)
    name = hashlib.sha256(key.encode()).hexdigest()[:32] if isinstance(pictures, Reference) else "samples"
    file = data_home() / "features" / f"{name}.safetensors"
    with contextlib.suppress(OSError, SafetensorError), safe_open(file, framework="pt") as opened:
        kept: torch.Tensor = opened.get_tensor("features")
        if (opened.metadata() or {}).get("key") == key and len(kept) == pictures.num and kept.isfinite().all():
            return kept
    found = features(pictures, extractor, batch_size, progress)
    with contextlib.suppress(OSError):  # a full disk costs the time of the next call, and not this one's result
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, save({"features": found}, {"key": key}))
    return found
