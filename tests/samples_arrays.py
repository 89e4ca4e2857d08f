"""Tiny files in the formats of datasets that are published as raw arrays."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import scipy.io
from data_samples import noise

from ganskit.data import Dataset, Source
from ganskit.data.cifar import COARSE, FINE
from ganskit.data.dataset import part_of
from ganskit.data.stl10 import NAMES


def write_cifar100(folder: Path, rows: int, split: str = "train", *, names: bool = True) -> np.ndarray:
    """CIFAR-100's binary version; returns the rows: coarse label, fine label, 3,072 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    data = noise(rows, rows, 3074)
    data[:, 0] %= 20
    data[:, 1] %= 100
    data.tofile(folder / f"{split}.bin")
    if names:
        (folder / "coarse_label_names.txt").write_text("\n".join(COARSE) + "\n\n")
        (folder / "fine_label_names.txt").write_text("\n".join(FINE) + "\n\n")
    return data


def write_tar(file: Path, folder: Path, mode: str = "w:gz") -> Path:
    """The folder as an archive, as CIFAR's are published."""
    with tarfile.open(file, mode) as archive:
        archive.add(folder, folder.name)
    return file


def write_svhn(folder: Path, count: int, split: str = "train", *, compress: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A .mat of cropped digits; returns the pixels (N, 3, 32, 32), and the labels (N,) as they are in the file."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels, labels = noise(count, count, 3, 32, 32), np.arange(count, dtype=np.uint8) % 10 + 1
    variables = {"X": pixels.transpose(2, 3, 1, 0), "y": labels[:, None]}
    scipy.io.savemat(folder / f"{split}_32x32.mat", variables, do_compression=compress)
    return pixels, labels


def write_stl10(folder: Path, count: int, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """STL-10's binary version; returns the pixels (N, 3, 96, 96) and the labels (N,) from 1 as in the file."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels, labels = noise(count, count, 3, 96, 96), np.arange(count, dtype=np.uint8) % 10 + 1
    np.ascontiguousarray(pixels.transpose(0, 1, 3, 2)).tofile(folder / f"{split}_X.bin")
    if split != "unlabeled":
        labels.tofile(folder / f"{split}_y.bin")
    (folder / "class_names.txt").write_text("\n".join(NAMES) + "\n")
    (folder / "fold_indices.txt").write_text("0 1 2\n")
    return pixels, labels


def write_npz(file: Path, arrays: Mapping[str, np.ndarray], *, compress: bool = False) -> Path:
    """An .npz with these arrays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    (np.savez_compressed if compress else np.savez)(file, **arrays)
    return file


def write_imagenet(folder: Path, counts: tuple[int, ...], side: int = 8, *, compress: bool = False) -> tuple[np.ndarray, ...]:
    """The train batches of a downsampled ImageNet; returns pixels (N, 3 * S * S) and labels (N,) from 1 as in the files."""
    total = sum(counts)
    data, labels = noise(total, total, 3 * side * side), np.arange(total, dtype=np.int64) * 37 % 1000 + 1
    ends = np.cumsum(counts)
    for number, (count, end) in enumerate(zip(counts, ends, strict=True), start=1):
        rows = slice(end - count, end)
        arrays = {"data": data[rows], "labels": labels[rows], "mean": data.mean(0)}
        write_npz(folder / f"train_data_batch_{number}.npz", arrays, compress=compress)
    return data, labels


def npy(array: np.ndarray) -> bytes:
    """An .npy file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def check(dataset: Dataset) -> list[dict[str, np.ndarray]]:
    """All examples, after checking that they are as provided and that parts, pickled or not, give the same ones."""
    source, provided = dataset.open(), dataset.provides()
    examples = [source.read(i) for i in range(len(source))]
    for example in examples:
        found = {key: (value.shape, str(value.dtype)) for key, value in example.items()}
        assert found == {key: (each.shape, each.dtype) for key, each in provided.items()}
    assert dataset.open().fingerprint == source.fingerprint
    for start, stop in ((0, len(source) // 2), (len(source) // 2, len(source)), (0, len(source))):
        part = pickle.loads(pickle.dumps(part_of(source, start, stop)))
        assert len(part) == stop - start
        for i in reversed(range(stop - start)):
            assert part.name(i) == source.name(start + i)
            assert same(part.read(i), examples[start + i])
    assert all(same(pickle.loads(pickle.dumps(source)).read(i), examples[i]) for i in (0, len(source) - 1))
    return examples


def same(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    """Whether two examples are the same."""
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def names(source: Source) -> list[str]:
    """What the source calls its examples."""
    return [source.name(i) for i in range(len(source))]
