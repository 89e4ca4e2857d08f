"""Two domains with unusable files: what is lost, what stands in, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from data_samples import encoded, picture
from hypothesis import given
from hypothesis import strategies as st
from samples_pictures import check, names, reasons, write, zipped

from ganskit.data.domains import TwoDomains
from ganskit.data.images import decode
from ganskit.data.prepare import prepare
from ganskit.errors import BadData

BAD = "not a picture in JPEG, PNG, WEBP, BMP, GIF, TIFF or PPM format"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))


def domains(folder: Path, a: int, b: int, bad: set[str] = frozenset()) -> TwoDomains:
    """`a` and `b` pictures, "a/00.png" and so on, of which those in `bad` cannot be used."""
    sides = [f"{side}/{i:02d}.png" for side, count in (("a", a), ("b", b)) for i in range(count)]
    write(folder, {name: b"bad" if name in bad else png(name) for name in sides})
    return TwoDomains(path=str(folder), size=8)


def png(name: str) -> bytes:
    return encoded(picture(int(name[2:4]) + 100 * (name[0] == "b")))


def seen(example: dict[str, np.ndarray], name: str) -> bool:
    return np.array_equal(example[name[0]], decode(png(name), 8, 3, "centre"))


@pytest.mark.parametrize("num_b", [5, 11])
def test_an_unusable_picture_of_the_smaller_domain_costs_one_example(tmp_path: Path, num_b: int) -> None:
    dataset = domains(tmp_path / "data", 20, num_b, {"b/03.png"})
    check(dataset)
    store = prepare(dataset, progress=False)
    assert store.manifest.skipped == (("a/03.png + b/03.png", f"b (b/03.png): {BAD}"),)
    batch = store.gather(range(19))
    for row, i in enumerate([0, 1, 2, *range(4, 20)]):
        example = {key: each[row].numpy() for key, each in batch.items()}
        stands = 4 if i % num_b == 3 else i % num_b
        assert seen(example, f"a/{i:02d}.png")
        assert seen(example, f"b/{stands:02d}.png")


def test_the_larger_domain_may_be_either(tmp_path: Path) -> None:
    source = check(domains(tmp_path, 2, 6, {"a/01.png", "b/04.png"}))
    assert reasons(source) == {
        "a/01.png + b/01.png": f"a (a/01.png): {BAD}",
        "a/00.png + b/04.png": f"b (b/04.png): {BAD}",
    }
    assert seen(source.read(3), "a/00.png")  # the next one after the last is the first
    assert seen(source.read(3), "b/03.png")


def test_both_files_of_an_example_are_named(tmp_path: Path) -> None:
    source = check(domains(tmp_path, 3, 3, {"a/01.png", "b/01.png"}))
    assert reasons(source) == {"a/01.png + b/01.png": f"a (a/01.png): {BAD}; b (b/01.png): {BAD}"}


def test_a_domain_without_a_usable_picture(tmp_path: Path) -> None:
    dataset = domains(tmp_path, 6, 2, {"b/00.png", "b/01.png"})
    assert list(reasons(check(dataset)).values())[2:] == ["b: none of its 2 pictures can be used"] * 4
    with pytest.raises(BadData, match="None of the 6 originals can be used"):
        prepare(dataset, progress=False, max_skipped=1)


@given(data=st.data())
def test_every_unusable_file_is_named_once(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """While each domain has a usable picture: one example less for each unusable file at most, and nothing else is lost."""
    counts = {side: data.draw(st.integers(1, 6)) for side in "ab"}
    files = [f"{side}/{i:02d}.png" for side, count in counts.items() for i in range(count)]
    spared = {f"{side}/{data.draw(st.integers(0, count - 1)):02d}.png" for side, count in counts.items()}
    bad = data.draw(st.sets(st.sampled_from(files))) - spared
    folder = tmp_path_factory.mktemp("domains") / "data"
    dataset = domains(folder, *counts.values(), bad)
    if data.draw(st.booleans()):
        dataset = TwoDomains(path=str(zipped(folder)), size=8)
    source = check(dataset)
    skipped = reasons(source)
    assert len(source) == max(counts.values())
    assert len(skipped) <= len(bad)
    assert all(sum(f"{name}): " in reason for reason in skipped.values()) == (name in bad) for name in files)
    for index, name in enumerate(names(source)):
        if name not in skipped:
            example = source.read(index)
            for side, count in counts.items():
                turn = [f"{side}/{(index + k) % count:02d}.png" for k in range(count)]
                assert seen(example, next(each for each in turn if each not in bad))
