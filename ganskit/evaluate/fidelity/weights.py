"""Published weights of the networks that look at pictures: found, checked by SHA-256, and read as tensors.

PyTorch's own files are pickles. This is the one place that opens one: with `weights_only`, after its SHA-256 was the expected
one; the published files are kept as safetensors from then on.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import torch
from attrs import field, frozen
from safetensors import SafetensorError
from safetensors.torch import load, save

from ganskit.data.download import Retries, download
from ganskit.data.files import write_whole
from ganskit.data.guards import disk_errors, locked
from ganskit.data.home import data_home, expanded
from ganskit.data.known import Remote
from ganskit.data.room import in_words
from ganskit.errors import BadData, DataNotFound, GanskitError, UserError

_RELEASE = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"


@frozen
class Published:
    """A network's weights as they are published. `variable` may name another file, in the environment."""

    network: str
    file: Remote
    variable: str


# Sizes and SHA-256 are those of the files at these addresses; the names of two hold the first eight digits.
INCEPTION = Published(
    "Inception-v3",
    Remote(
        f"{_RELEASE}weights-inception-2015-12-05-6726825d.pth",
        95_628_359,
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    ),
    "GANSKIT_INCEPTION",
)
VGG16 = Published(
    "VGG-16",
    Remote(
        "https://download.pytorch.org/models/vgg16-397923af.pth",
        553_433_881,
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    ),
    "GANSKIT_VGG16",
)
LPIPS = Published(
    "LPIPS",
    Remote(f"{_RELEASE}weights-vgg16-lpips.pth", None, "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"),
    "GANSKIT_LPIPS",
)


_MAY_DOWNLOAD = ContextVar("_MAY_DOWNLOAD", default=True)


@contextmanager
def no_downloads() -> Iterator[None]:
    """In here `check_weights` fetches nothing, for `--dry-run`: published weights that could be fetched do for it."""
    before = _MAY_DOWNLOAD.set(False)
    try:
        yield
    finally:
        _MAY_DOWNLOAD.reset(before)


@frozen(eq=False)
class Weights:
    """Tensors by name, the file they are from, and that file's SHA-256."""

    tensors: Mapping[str, torch.Tensor] = field(repr=False)
    file: str
    sha256: str


_SEEN: set[tuple[object, ...]] = set()
"""Files of weights that `check_weights` has found to be good."""


def check_weights(published: Published, path: str, sha256: str, opens: Callable[[], object], layer: str = "") -> None:
    """Before a training or an evaluation: raise UserError for weights that are missing, or that cannot be used.

    A file that the user names may be anything: it is opened, for its `layer`, and not again before it changes. The published one
    is downloaded if need be; when it is there, it was looked at when it was kept, and will be when it is used.
    """
    path = path or os.environ.get(published.variable, "")
    if path or sha256:
        key = (published.network, layer, sha256, path, *_size_and_time(expanded(path)))
        if key not in _SEEN:
            opens()
            _SEEN.add(key)
    elif not _kept_file(published).exists() and (_MAY_DOWNLOAD.get() or os.environ.get("GANSKIT_OFFLINE")):
        weights_of(published)


def _size_and_time(file: Path) -> tuple[int, int]:
    """Size in bytes, and when it was written in ns; zeros for a file that cannot be opened, either."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def weights_of(published: Published, path: str = "", sha256: str = "") -> Weights:
    """The weights at `path`, or else those that the environment names, those kept before, or those downloaded now.

    A .safetensors file may be any; of a PyTorch file the SHA-256 must be the published one, or `sha256`, which the user states.
    Raises UserError for a file that is none of these, and DataNotFound, which says what to put where, when there is none and it
    cannot be downloaded (or may not: GANSKIT_OFFLINE=1).
    """
    path = path or os.environ.get(published.variable, "")
    if sha256 and not path:
        raise UserError("weights_sha256 says what a file of weights must be: name the file, too, as weights.")
    found = _given(published, expanded(path), sha256.lower()) if path else _kept(published)
    if not all(tensor.float().isfinite().all() for tensor in found.tensors.values()):
        raise UserError(f"The weights {path or found.file} are not all finite numbers. {_advice(published)}")
    return found


def _given(published: Published, path: Path, stated: str) -> Weights:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"The weights {path} cannot be read: {error.strerror}. {_advice(published)}") from None
    found = hashlib.sha256(data).hexdigest()
    if stated and found != stated:
        raise UserError(f"The weights {path} have the SHA-256 {found}, and not {stated} as was stated: it is another file.")
    if path.suffix == ".safetensors":
        return Weights(_tensors(data, path), path.name, found)
    if found not in (published.file.sha256, stated):
        raise UserError(
            f"{path} is not the published {published.file.name}: its SHA-256 is {found}. A PyTorch file is a pickle, and "
            "opened only if that is known. If you trust whoever gave you the file, state it with --set weights_sha256=...; "
            "or give a .safetensors file, which cannot do harm."
        )
    return Weights(_unpickled(data, path), path.name, found)


def _kept(published: Published) -> Weights:
    """The published file, as safetensors, in ganskit's data folder; made from the PyTorch file on first use."""
    remote, kept = published.file, _kept_file(published)
    folder = kept.parent
    tensors = _whole(kept)
    if tensors is None:
        with locked(folder / remote.name, progress=True):
            tensors = _unpickled(_original(published, folder), folder / remote.name)
            with disk_errors(folder):
                data = save(dict(tensors))
                write_whole(_checksum(kept), hashlib.sha256(data).hexdigest().encode())
                write_whole(kept, data)
    return Weights(tensors, remote.name, remote.sha256)


def _kept_file(published: Published) -> Path:
    return data_home() / "weights" / f"{published.file.name.removesuffix('.pth')}.safetensors"


def _whole(kept: Path) -> Mapping[str, torch.Tensor] | None:
    """What is kept, if it is still what was written."""
    try:
        data, expected = kept.read_bytes(), _checksum(kept).read_text()
    except (OSError, ValueError):
        return None
    return _tensors(data, kept) if hashlib.sha256(data).hexdigest() == expected else None


def _original(published: Published, folder: Path) -> bytes:
    """The PyTorch file: in the data folder, where torch keeps such files, or downloaded. Their SHA-256 is the published one."""
    for place in (folder, Path(torch.hub.get_dir()) / "checkpoints"):
        if (found := _published(published, place / published.file.name, must=place == folder)) is not None:
            return found
    _download(published, folder)
    found = _published(published, folder / published.file.name, must=True)
    assert found is not None  # what was downloaded is there
    return found


def _published(published: Published, file: Path, must: bool) -> bytes | None:
    """What is in the file, if it is the published one. Raises BadData if it `must` be."""
    if not file.is_file():
        return None
    data = file.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if must and found != published.file.sha256:
        raise BadData(f"{file} is not the published file: its SHA-256 is {found}. Move it away. {_advice(published)}")
    return data if found == published.file.sha256 else None


def _download(published: Published, folder: Path) -> None:
    remote = published.file
    if os.environ.get("GANSKIT_OFFLINE"):
        raise DataNotFound(f"The weights of {published.network} are not here. {_advice(published)}")
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        download(remote, remote.url, folder / remote.name, Retries(tries=2, wait_s=0.5, timeout_s=20), progress=True)
    except GanskitError as error:
        raise DataNotFound(
            f"The weights of {published.network} are not here and could not be downloaded. {error}\n{_advice(published)}"
        ) from error


def _advice(published: Published) -> str:
    remote, folder = published.file, data_home() / "weights"
    size = f" ({in_words(remote.size_bytes)})" if remote.size_bytes else ""
    return (
        f"Get {remote.name}{size} from {remote.url} and put it into {folder}; or name a file of your own with --set weights=FILE "
        f"or {published.variable}=FILE: a .safetensors file, or a .pth file whose SHA-256 you state with --set weights_sha256=..."
    )


def _tensors(data: bytes, file: Path) -> Mapping[str, torch.Tensor]:
    try:
        tensors: Mapping[str, torch.Tensor] = load(data)
    except (SafetensorError, KeyError) as error:  # KeyError: of a type that torch does not have
        raise UserError(f"The weights {file} cannot be read: {error}. Get the file again.") from error
    return tensors


def _unpickled(data: bytes, file: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of a PyTorch file whose SHA-256 is known to be the right one."""
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a file that is no such file makes torch say
        raise UserError(f"{file} cannot be read as PyTorch weights: {type(error).__name__}. Get the file again.") from error
    if not isinstance(found, Mapping) or not all(isinstance(each, torch.Tensor) for each in found.values()):
        raise UserError(f"{file} holds something else than tensors by name: expected the weights of one network.")
    return {name: tensor.contiguous() for name, tensor in found.items()}


def _checksum(kept: Path) -> Path:
    return kept.with_suffix(".safetensors.sha256")
