"""ImageNet and WebDataset: pictures in tars that are never extracted."""

from __future__ import annotations

import errno
import gzip
import io
import os
import pickle
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_samples import encoded, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from samples_tars import IDS, photographs, sample, tar, write_imagenet, write_shards

from ganskit.data import Dataset, Skip, Source, images, tars
from ganskit.data import prepare as prepare_module
from ganskit.data.dataset import part_of
from ganskit.data.imagenet import TRAIN, ImageNet
from ganskit.data.listed import Original
from ganskit.data.prepare import prepare
from ganskit.data.webdataset import WebDataset
from ganskit.errors import BadData, DataNotFound, RunFailed

ODD = ["new\nline.png", "\N{GRINNING FACE}.png", "x" * 251 + ".png", b"\xff\xfe.png".decode("utf-8", "surrogateescape")]

DATA_FILTER = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # not before Python 3.11.4


def names(source: Source) -> list[str]:
    return [source.name(i) for i in range(len(source))]


def reasons(source: Source) -> dict[str, str]:
    """Why each example that cannot be used is skipped."""
    found = {}
    for index in range(len(source)):
        try:
            source.read(index)
        except Skip as reason:
            found[source.name(index)] = str(reason)
    return found


def check_parts(dataset: Dataset, source: Source) -> None:
    """Every example is as provided, and parts, pickled and read in any order, give the same examples."""
    provided = {key: (each.shape, each.dtype) for key, each in dataset.provides().items()}
    expected = [source.read(i) for i in range(len(source))]
    for start in range(0, len(source), 4):
        part = pickle.loads(pickle.dumps(part_of(source, start, min(start + 4, len(source)))))
        for i in reversed(range(len(part))):
            example = part.read(i)
            assert part.name(i) == source.name(start + i)
            assert {key: (value.shape, str(value.dtype)) for key, value in example.items()} == provided
            assert all(np.array_equal(value, expected[start + i][key]) for key, value in example.items())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own, and small shards."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(prepare_module, "ROWS_PER_SHARD", 4)
    return tmp_path / "home"


# ImageNet


def extracted(file: Path, folder: Path) -> Path:
    """The tars of the classes, as `tar -xf` leaves them."""
    folder.mkdir(parents=True)
    with tarfile.open(file) as archive:
        archive.extractall(folder, **DATA_FILTER)
    return folder


def tree(folder: Path) -> Path:
    for each in IDS:
        (folder / each).mkdir(parents=True)
        for name, data in photographs(each):
            (folder / each / name).write_bytes(data)
    return folder


def test_imagenet_in_every_form(tmp_path: Path) -> None:
    """One tar, the folder that holds it, the tars of the classes, a tree, Kaggle's tree: the same pictures and labels."""
    file = write_imagenet(tmp_path)
    forms = [
        file,
        tmp_path,
        extracted(file, tmp_path / "tars"),
        tree(tmp_path / "tree" / "train"),
        tmp_path / "tree",
        tree(tmp_path / "kaggle" / "ILSVRC" / "Data" / "CLS-LOC" / "train").parents[3],
    ]
    for form in forms:
        dataset = ImageNet(path=str(form))
        source = dataset.open()
        assert source.classes == {"y": IDS}
        assert sorted(names(source)) == sorted(f"{each}/{name}" for each in IDS for name, _ in photographs(each))
        for index, name in enumerate(names(source)):
            wordnet_id, _, base = name.partition("/")
            example = source.read(index)
            assert np.array_equal(example["x"], images.decode(dict(photographs(wordnet_id))[base], 32, 3, "centre"))
            assert example["y"] == IDS.index(wordnet_id)
        check_parts(dataset, source)


def test_imagenet_becomes_a_store(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = ImageNet(path=str(write_imagenet(tmp_path)))
    store = prepare(dataset)
    assert store.fields["y"].classes == IDS
    assert store.gather(range(9))["y"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    monkeypatch.setattr("ganskit.data.imagenet.TarFiles", None)  # the second time nothing is listed
    assert prepare(dataset).path == store.path


def test_imagenet_by_its_name(home: Path) -> None:
    with pytest.raises(DataNotFound, match=TRAIN):
        ImageNet().open()
    (home / "originals" / "imagenet").mkdir(parents=True)
    with pytest.raises(DataNotFound, match=TRAIN):
        ImageNet().open()
    write_imagenet(home / "originals" / "imagenet")
    assert len(ImageNet().open()) == 9


def test_the_oddities_of_imagenet(tmp_path: Path) -> None:
    """A PNG named .JPEG and CMYK JPEGs are in the real archive; the others are not, and do no harm."""
    first = IDS[0]
    members = [
        (f"{first}_1.JPEG", encoded(picture(1))),
        (f"{first}_2.JPEG", encoded(picture(2, mode="CMYK"), "JPEG")),
        (f"{first}_3.JPEG", b"<html>"),
        (f"{IDS[1]}_4.JPEG", encoded(picture(4), "JPEG")),
        ("list.txt", b"x"),
        (f"./{first}_5.JPEG", encoded(picture(5))),
        (f"{first}_5.JPEG", encoded(picture(6))),
    ]
    (tmp_path / TRAIN).write_bytes(tar([(f"{first}.tar", tar(members)), ("README", b"x")]))
    source = ImageNet(path=str(tmp_path), size=8).open()
    assert source.num_ignored == 1
    found = reasons(source)
    assert found.pop(f"{first}/{first}_3.JPEG").startswith("not a picture")
    assert found == {
        f"{first}/{IDS[1]}_4.JPEG": f"named as a picture of {IDS[1]}, and among those of {first}",
        f"{first}/list.txt": "no picture by its name",
        f"{first}/{first}_5.JPEG": "followed by another file of the same name",
    }
    assert np.array_equal(source.read(6)["x"], images.decode(encoded(picture(6)), 8, 3, "centre"))


def test_a_misplaced_picture_in_the_tree(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    (folder / IDS[0] / f"{IDS[1]}_5.JPEG").write_bytes(photographs(IDS[1])[0][1])
    assert list(reasons(ImageNet(path=str(folder)).open())) == [f"{IDS[0]}/{IDS[1]}_5.JPEG"]
    (folder / "cats").mkdir()
    (folder / "cats" / "1.JPEG").write_bytes(b"")
    with pytest.raises(BadData, match="cats, which is no WordNet id"):
        ImageNet(path=str(folder)).open()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("ILSVRC2012_val_00000001.JPEG", b"x")], "holds no tar for each class"),
        ([("n01440764.tar", tar([]))] * 2, "holds n01440764.tar twice"),
        ([("n01440764.tar", tar([]))], "n01440764 is empty"),
        ([("n01440764.tar", b"<html>404</html>" * 50)], "n01440764.tar .* is no tar archive"),
        ([("n01440764.tar", gzip.compress(tar([])))], "n01440764.tar is compressed"),
        ([("n01440764.tar", tar(photographs(IDS[0]))[:-11_000])], "n01440764.tar .* cut short"),
    ],
)
def test_damaged_imagenet(tmp_path: Path, members: list[tuple[str, bytes]], message: str) -> None:
    (tmp_path / TRAIN).write_bytes(tar(members))
    with pytest.raises(BadData, match=message):
        len(ImageNet(path=str(tmp_path)).open())


def test_imagenet_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no folder for each class"):
        ImageNet(path=str(tmp_path)).open()
    with pytest.raises(DataNotFound, match="no such folder or file"):
        ImageNet(path=str(tmp_path / "missing")).open()
    tree(tmp_path / "mixed")
    (tmp_path / "mixed" / f"{IDS[0]}.tar").write_bytes(tar(photographs(IDS[0])))
    with pytest.raises(BadData, match="some classes as tars and others as folders"):
        ImageNet(path=str(tmp_path / "mixed")).open()


# WebDataset


def test_webdataset(tmp_path: Path, home: Path) -> None:
    folder = write_shards(
        tmp_path / "shards", *[[f for i in range(n, n + 5) for f in sample(i, i % 3, json=b"{}")] for n in (0, 5)]
    )
    (folder / "classes.txt").write_text("cat\ndog\neel\n")
    for dataset in (WebDataset(path=str(folder), size=16, labels=True), WebDataset(path=str(folder), size=16)):
        source = dataset.open()
        assert names(source) == [f"imagenet-train-00000{i // 5}.tar/{i:06d}.jpg" for i in range(10)]
        check_parts(dataset, source)
        for i in range(10):
            assert np.array_equal(source.read(i)["x"], images.decode(dict(sample(i))[f"{i:06d}.jpg"], 16, 3, "centre"))
    store = prepare(WebDataset(path=str(folder), size=16, labels=True))
    assert store.gather(range(10))["y"].tolist() == [i % 3 for i in range(10)]
    assert store.fields["y"].classes == ("cat", "dog", "eel")
    assert len(WebDataset(path=str(folder / "imagenet-train-000001.tar")).open()) == 5
    assert len(WebDataset(path=str(folder), shards="imagenet-train-*1.tar").open()) == 5


def test_the_fingerprint_follows_the_shards(tmp_path: Path) -> None:
    folder = write_shards(tmp_path, sample(0), sample(1))
    dataset = WebDataset(path=str(folder), labels=True)
    seen = {dataset.open().fingerprint, dataset.open().fingerprint}
    assert len(seen) == 1
    (folder / "classes.txt").write_text("cat")
    seen.add(dataset.open().fingerprint)
    os.utime(folder / "imagenet-train-000001.tar", (1, 1))
    seen.add(dataset.open().fingerprint)
    (folder / "imagenet-train-000001.tar").unlink()
    seen.add(dataset.open().fingerprint)
    assert len(seen) == 4


def test_labels_in_json(tmp_path: Path) -> None:
    documents = [b'{"label": 7}', b'{"label": "7"}', b'{"label": true}', b'{"label": -1}', b"[]", b"{", b"[" * 100_000]
    members = [each for i, text in enumerate(documents) for each in sample(i, None, json=text)]
    source = WebDataset(path=str(write_shards(tmp_path, members)), labels=True, size=8).open()
    assert source.read(0)["y"] == 7
    found = reasons(source)
    assert len(found) == 6
    assert all("json" in reason for reason in found.values())


def test_samples_that_cannot_be_used(tmp_path: Path) -> None:
    members = [
        *sample(0),
        *sample(1, None),
        ("000002.txt", b"x"),
        ("000002.cls", b"1"),
        *sample(3, png=encoded(picture())),
        *sample(4, jpg=b""),
        *sample(5, 77),
        *sample(6, cls=b"", label=None),
        *sample(0),
        ("__index__.json", b"{}"),
        ("no-suffix", b"x"),
        (".hidden.jpg", b"x"),
        *sample(7, **{"seg.png": b"a mask, no picture of its own"}),
        *sample(8, label=None, cls=b"9" * 99),
        *sample(9, label=None, cls="\N{SUPERSCRIPT TWO}".encode()),
    ]
    folder = write_shards(tmp_path, members)
    (folder / "classes.txt").write_text("cat\ndog\n")
    source = WebDataset(path=str(folder), labels=True, size=8).open()
    shard = "imagenet-train-000000.tar"
    assert len(source) == 11
    found = reasons(source)
    assert found.pop(f"{shard}/000008.jpg").startswith("label b'999")
    assert found == {
        f"{shard}/000001.jpg": "no .cls and no .json, and labels are asked for",
        f"{shard}/000002": "0 pictures in the sample, expected 1; it has .txt, .cls",
        f"{shard}/000003.jpg": "2 pictures in the sample, expected 1; it has .cls, .jpg, .png",
        f"{shard}/000004.jpg": "empty file",
        f"{shard}/000005.jpg": "label 77: expected 0 to 1, as classes.txt has 2 lines",
        f"{shard}/000006.jpg": "label b'': expected a whole number, 0 or more",
        f"{shard}/000000.jpg": "the shard has another sample of this name before",
        f"{shard}/000009.jpg": "label b'\\xc2\\xb2': expected a whole number, 0 or more",
    }


def test_no_shards(tmp_path: Path, home: Path) -> None:
    with pytest.raises(BadData, match=r"holds no \*.tar"):
        WebDataset(path=str(tmp_path)).open()
    with pytest.raises(DataNotFound, match="no such folder or file"):
        WebDataset(path=str(tmp_path / "missing")).open()
    with pytest.raises(DataNotFound, match="wds: not found"):
        WebDataset(name="wds").open()
    os.mkfifo(tmp_path / "pipe.tar")
    with pytest.raises(BadData, match="not a regular file"):
        WebDataset(path=str(tmp_path)).open()
    (tmp_path / "pipe.tar").unlink()
    write_shards(tmp_path)
    write_shards(tmp_path, [])
    with pytest.raises(BadData, match="no example"):
        prepare(WebDataset(path=str(tmp_path)))


# Tars


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_odd_names(tmp_path: Path, home: Path, kind: int) -> None:
    (tmp_path / "odd.tar").write_bytes(tar([(name, encoded(picture())) for name in ODD] + [(f"{'d' * 300}/a.png", b"")], kind))
    source = WebDataset(path=str(tmp_path / "odd.tar"), size=8).open()
    assert names(source)[:4] == [f"odd.tar/{name}" for name in ODD]
    store = prepare(WebDataset(path=str(tmp_path / "odd.tar"), size=8), max_skipped=0.5)
    assert store.manifest.shards[1].skipped == ((f"odd.tar/{'d' * 300}/a.png", "empty file"),)


def test_an_archive_made_by_tar(tmp_path: Path) -> None:
    """Folders, links and pipes in it are passed over."""
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.png").write_bytes(encoded(picture()))
    (folder / "b.png").symlink_to("a.png")
    os.link(folder / "a.png", folder / "c.png")
    os.mkfifo(folder / "d.png")
    with (folder / "e.png").open("wb") as stream:
        stream.truncate(10**6)
    subprocess.run(["tar", "--sparse", "-cf", tmp_path / "a.tar", "-C", tmp_path, "d"], check=True)
    source = WebDataset(path=str(tmp_path / "a.tar"), size=8).open()
    assert len(names(source)) == 1
    assert source.read(0)["x"].shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"", "cut short: empty file"),
        (lambda data: b"<html>404", "is no tar archive"),
        (lambda data: data[:700], "cut short"),
        (lambda data: data[:1024] + bytes(2048) + data[3072:], "ends at byte 1,024 already"),
        (lambda data: data[:1024].ljust(2**21, b"\0"), "list of members ends at byte"),
        (lambda data: data[:1024] + b"?" * 512 + data[1536:], "no header at byte 1,024"),
        (lambda data: data + data, "and more follows"),
        (lambda data: gzip.compress(data), "is compressed, .* gunzip"),
        (lambda data: b"BZh9" + data, "bunzip2"),
    ],
)
def test_what_is_no_tar(tmp_path: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    file = tmp_path / "a.tar"
    file.write_bytes(damage(tar([("a.png", b"x" * 100), *sample(0), *sample(1)])))
    with pytest.raises(BadData, match=message):
        len(WebDataset(path=str(file)).open())


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """One header with a size of any sign."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_SPARSE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("size", [-512, -1024, 2**40, 2**62])
def test_headers_that_lie(tmp_path: Path, kind: bytes, size: int) -> None:
    """Headers that lead back to themselves, or ask for a terabyte of memory."""
    file = tmp_path / "a.tar"
    file.write_bytes(tar([("a.png", b"")])[:512] + header("b.png", size, kind) + bytes(10240))
    with pytest.raises(BadData, match="no tar archive, or is damaged"):
        len(WebDataset(path=str(file)).open())


def test_an_archive_that_changes(tmp_path: Path) -> None:
    folder = write_shards(tmp_path, sample(0), sample(1))
    source = WebDataset(path=str(folder), size=8).open()
    assert len(source) == 2
    part = part_of(source, 0, 2)
    write_shards(folder, [*sample(0), *sample(2)])
    part.read(1)
    with pytest.raises(BadData, match=r"000000\.tar changed"):
        part.read(0)
    (folder / "imagenet-train-000000.tar").unlink()
    with pytest.raises(BadData, match="cannot be opened"):
        part.read(0)


def test_trouble_of_the_moment_leaves_no_picture_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = WebDataset(path=str(write_shards(tmp_path, sample(0))), size=8).open()
    part = part_of(source, 0, 1)

    class Failing(io.BytesIO):
        def read(self, *_) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Original, "open", lambda _: Failing())
        with pytest.raises(RunFailed, match=r"000000\.tar: .* cannot be read now: Input/output error"):
            part.read(0)
        patch.setattr(Original, "open", lambda _: io.BytesIO(b"short"))
        with pytest.raises(BadData, match=r"000000\.tar was made shorter while it was being read"):
            part.read(0)
    part.read(0)


def test_a_member_beyond_the_end(tmp_path: Path) -> None:
    """As an archive that changes while it is listed may leave one."""
    archive = Original.of(write_shards(tmp_path, sample(0)) / "imagenet-train-000000.tar")
    files = tars.TarFiles.of((archive,), [(0, tars.Member("a", 2**62, 1)), (0, tars.Member("b", archive.num_bytes, 1))])
    for index in range(2):
        with pytest.raises(Skip, match="beyond the end"):
            files.data(index)


def test_a_large_member_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MAX_FILE_BYTES", 10)
    with pytest.raises(Skip, match="too large"):
        WebDataset(path=str(write_shards(tmp_path, sample(0))), size=8).open().read(0)


def test_parts_are_light(tmp_path: Path) -> None:
    """A part knows its own files and archives only."""
    folder = write_shards(tmp_path, *[[each for i in range(50) for each in sample(50 * n + i)] for n in range(20)])
    source = WebDataset(path=str(folder), labels=True).open()
    part = part_of(source, 60, 110)
    assert [part.name(i) for i in (0, 39, 40)] == [source.name(i) for i in (60, 99, 100)]
    assert len(pickle.dumps(part)) < 10_000


WHOLE = tar([*sample(0), (ODD[2], encoded(picture())), *sample(1)], tarfile.PAX_FORMAT)


def listed(folder: Path, data: bytes) -> list[str] | None:
    """The names in an archive, after all of it was read; None when it is refused."""
    file = folder / "a.tar"
    file.write_bytes(data)
    try:
        source = WebDataset(path=str(file), size=8, labels=True).open()
        reasons(source)
        return names(source)
    except BadData:
        return None


@settings(max_examples=150)
@given(cut=st.integers(0, len(WHOLE) - 1))
def test_a_cut_archive_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    """Unless only zeros after its end are missing, which lose nothing."""
    folder = tmp_path_factory.mktemp("cut")
    end = len(WHOLE.rstrip(b"\0"))
    found = listed(folder, WHOLE[:cut])
    assert found is None or (cut > end and len(found) == 3)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_archive_does_not_crash(tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    listed(tmp_path_factory.mktemp("damaged"), bytes(data))


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300), st.binary(max_size=600)),
        max_size=8,
    )
)
def test_listing_is_what_was_written(tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, bytes]]) -> None:
    files = [(f"x{name}x", data) for name, data in files]  # a name neither begins nor ends with a slash
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.tar").write_bytes(tar(files, tarfile.PAX_FORMAT))
    archive = Original.of(folder / "a.tar")
    table = tars.TarFiles.of((archive,), ((0, member) for member in tars.members(archive)))
    for start in range(len(files) + 1):
        part = table.part(start, len(files))
        assert [(part.name(i), part.data(i)) for i in range(len(part))] == files[start:]


def test_only_headers_are_read(tmp_path: Path) -> None:
    """Gigabytes of contents is passed over."""
    file = tmp_path / "a.tar"
    with file.open("wb") as stream:
        for number in range(10):
            stream.write(header(f"{number}.png", 10**9))
            stream.seek(-(-(10**9) // 512) * 512, io.SEEK_CUR)
        stream.write(bytes(10240))
    assert len(WebDataset(path=str(file)).open()) == 10
