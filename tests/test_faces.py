"""Faces cut out of photographs: tables of boxes, detectors, the search, the command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from conftest import Done
from data_samples import encoded, noise, write_zip
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from samples_faces import ODD, Placed, photograph, write_yunet

from ganskit.data.boxes import Crops
from ganskit.data.faces import search
from ganskit.data.faces.detectors import Haar, YuNet
from ganskit.data.faces.looking import Wanted, square
from ganskit.data.faces.search import find
from ganskit.data.prepare import prepare
from ganskit.errors import RunFailed, UserError

FACES = {"one.png": [Placed(0, 60, 40, 200)], "two.jpg": [Placed(1, 10, 10, 180), Placed(2, 260, 90, 220)], "none.png": []}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of the test's own."""
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photographs with no face, one, two, one too small, one lying on its side, and two files that are none."""
    pytest.importorskip("cv2")
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, faces in FACES.items():
        photograph(500, 330, faces).save(folder / name, quality=95)
    photograph(300, 300, [Placed(0, 100, 100, 90)]).save(folder / "small.png")
    lying = photograph(400, 300, [Placed(4, 40, 60, 200)]).transpose(Image.Transpose.ROTATE_90)
    lying.save(folder / "turned.jpg", exif=_exif(6), quality=95)
    (folder / "broken.png").write_bytes(encoded(photograph(100, 100))[:500])
    (folder / "empty.jpg").touch()
    (folder / ".hidden.png").write_bytes(b"not looked at")
    (folder / "notes.txt").write_text("not a photograph")
    return folder


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


# Squares


@given(
    st.tuples(*[st.floats(-50, 500)] * 2), st.tuples(*[st.floats(1, 600)] * 2), st.tuples(*[st.integers(8, 500)] * 2),
    st.floats(0, 3),
)  # fmt: skip
def test_a_square_lies_in_the_photograph(
    corner: tuple[float, float], box: tuple[float, float], photo: tuple[int, int], margin: float
) -> None:
    left, top, side = square(*corner, *box, photo, margin)
    assert left >= 0
    assert top >= 0
    assert left + side <= photo[0]
    assert top + side <= photo[1]
    assert side == min(round(max(box) * (1 + 2 * margin)), *photo)


def test_margins_are_added_on_each_side_and_shifted_inside() -> None:
    assert square(100, 50, 40, 40, (300, 200)) == (100, 50, 40)
    assert square(100, 50, 40, 40, (300, 200), 0.25) == (90, 40, 60)
    assert square(100, 50, 20, 40, (300, 200)) == (90, 50, 40)
    assert square(0, 150, 40, 40, (300, 200), 0.5) == (0, 120, 80)
    assert square(100, 50, 80, 80, (300, 120), 1) == (80, 0, 120)


# The search


def test_faces_are_found_where_they_are(photos: Path) -> None:
    found = find(photos, Wanted(Haar()), workers=1, progress=False)
    boxes = found.boxes()
    assert [box.file for box in boxes] == ["one.png", "turned.jpg", "two.jpg", "two.jpg"]
    truth = [*FACES["one.png"], Placed(4, 40, 60, 200), *FACES["two.jpg"]]
    for box, placed in zip(boxes, truth, strict=True):
        assert placed.holds(box.left, box.top, box.width)
        assert box.width == box.height >= 64
    assert {(box.photo_width, box.photo_height) for box in boxes} == {(500, 330), (400, 300)}
    counts = found.counts
    assert (counts.photographs, counts.without, counts.with_one, counts.with_several) == (7, 2, 2, 1)
    assert (counts.unreadable, counts.faces, counts.too_small) == (2, 4, 1)
    assert set(found.unreadable) == {"broken.png", "empty.jpg"}
    with Image.open(found.sheet) as sheet:
        green = np.asarray(sheet)[..., :3] == (0, 255, 0)
    assert green.all(-1).sum() > 500


def test_every_crop_is_a_face(photos: Path) -> None:
    found = find(photos, Wanted(Haar(), margin=0.2), progress=False)
    source = Crops(path=str(photos), table=str(found.table), size=64).open()
    detect = Haar().open()
    for index in range(len(source)):
        grey = np.asarray(Image.fromarray(source.read(index)["x"].transpose(1, 2, 0)).convert("L").resize((128, 128)))
        assert len(detect(grey, 60)) == 1


def test_a_large_photograph_is_reduced_and_its_boxes_are_mapped_back(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    (tmp_path / "photos").mkdir()
    placed = Placed(5, 1100, 300, 600)
    photograph(2400, 1200, [placed]).save(tmp_path / "photos" / "large.png")
    (box,) = find(tmp_path / "photos", Wanted(Haar(), least=200), progress=False).boxes()
    assert placed.holds(box.left, box.top, box.width)


def test_smaller_faces_when_asked_and_a_search_is_not_done_twice(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = find(photos, Wanted(Haar(), least=40), progress=False)
    assert small.counts.faces == 5
    large = find(photos, Wanted(Haar()), progress=False)
    assert small.folder != large.folder
    monkeypatch.setattr(Haar, "open", None)
    assert find(photos, Wanted(Haar()), progress=False) == large
    assert not list(large.folder.glob("seen-*"))


def test_names_of_all_kinds_survive(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    (tmp_path / "photos").mkdir()
    for name in ODD:
        photograph(300, 260, [Placed(0, 40, 30, 200)]).save(os.path.join(tmp_path / "photos", name))
    found = find(tmp_path / "photos", Wanted(Haar()), progress=False)
    assert sorted(box.file for box in found.boxes()) == sorted(ODD)
    assert len(prepare(Crops(path=str(tmp_path / "photos"), table=str(found.table), size=16))) == 4


def test_a_zip_gives_what_its_folder_gives(photos: Path, tmp_path: Path) -> None:
    members = {f"deep/{file.name}": file.read_bytes() for file in photos.iterdir()}
    found = find(write_zip(tmp_path / "photos.zip", members), Wanted(Haar()), progress=False)
    plain = find(photos, Wanted(Haar()), progress=False)
    assert [evolve(box, file=f"deep/{box.file}") for box in plain.boxes()] == found.boxes()


def test_an_interrupted_search_goes_on(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = find(photos, Wanted(Haar()), progress=False).table.read_bytes()
    shutil.rmtree(search.data_home())
    monkeypatch.setattr(search, "PHOTOS_PER_TASK", 2)
    looked: list[str] = []
    look = search.looking.look

    def interrupted(file: str, *rest: object) -> object:
        looked.append(file)
        if len(looked) == 4:
            raise KeyboardInterrupt
        return look(file, *rest)

    monkeypatch.setattr(search.looking, "look", interrupted)
    with pytest.raises(KeyboardInterrupt):
        find(photos, Wanted(Haar()), workers=1, progress=False)
    assert find(photos, Wanted(Haar()), workers=1, progress=False).table.read_bytes() == undisturbed
    assert looked[4:] == sorted(set(looked))[2:]


def test_killed_and_continued(photos: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 in the middle: the workers end as well, and the rest is done by others with the same result."""
    for index in range(16):
        shutil.copy(photos / "two.jpg", photos / f"copy-{index}.jpg")
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from ganskit.data.faces import search\n"
        "from ganskit.data.faces.detectors import Haar\n"
        "search.PHOTOS_PER_TASK = 4\n"
        "if __name__ == '__main__':\n"
        f"    search.find(Path({str(photos)!r}), search.Wanted(Haar()), workers=2, progress=False)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while not list(home.glob("faces/*/seen-*.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        while time.monotonic() < deadline:
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.05)
        else:
            pytest.fail("workers outlive their parent")
    monkeypatch.setattr(search, "PHOTOS_PER_TASK", 4)
    seen = len(list(home.glob("faces/*/seen-*.json")))
    looked: list[search.Task] = []
    run = search.looking.run
    monkeypatch.setattr(search.looking, "run", lambda task, *rest: looked.append(task) or run(task, *rest))
    after = find(photos, Wanted(Haar()), workers=1, progress=False).table.read_bytes()
    assert 0 < seen == 6 - len(looked)
    shutil.rmtree(home)
    assert find(photos, Wanted(Haar()), workers=1, progress=False).table.read_bytes() == after
    assert after.count(b"\n") == 1 + 4 + 2 * 16


def test_a_script_without_its_guard_is_told_so(photos: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from ganskit.data.faces import search\n"
        "from ganskit.data.faces.detectors import Haar\n"
        "search.PHOTOS_PER_TASK = 2\n"
        f"search.find(Path({str(photos)!r}), search.Wanted(Haar()), workers=2, progress=False)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert RunFailed.__name__ in done.stderr
    assert "__main__" in done.stderr


# Detectors


def test_yunet_reads_colours_and_maps_boxes_back(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    (tmp_path / "photos").mkdir()
    photo = Image.new("RGB", (320, 192), (30, 30, 30))
    photo.paste((255, 0, 0), (64, 96, 96, 128))
    photo.paste((0, 0, 255), (192, 32, 224, 64))
    photo.save(tmp_path / "photos" / "a.png")
    large = Image.new("RGB", (1280, 768), (30, 30, 30))
    large.paste((255, 0, 0), (256, 384, 320, 448))
    large.save(tmp_path / "photos" / "b.png")
    model = write_yunet(tmp_path / "model.onnx")
    found = find(tmp_path / "photos", Wanted(YuNet.load(model), least=48), progress=False)
    first, second = found.boxes()
    assert (first.left, first.top, first.width, first.height) == (48, 80, 64, 64)
    assert (second.left, second.top, second.width, second.height) == (224, 352, 128, 128)  # seen at half its size
    assert first.score == pytest.approx(1, abs=1e-3)
    report = json.loads((found.folder / "report.json").read_bytes())
    assert (report["detector"], len(report["sha256"])) == ("yunet", 64)
    other = YuNet.load(write_yunet(tmp_path / "other.onnx", side=4))
    assert other.identity()["sha256"] != report["sha256"]
    assert find(tmp_path / "photos", Wanted(other, least=48), progress=False).boxes()[0].width == 128


@pytest.mark.parametrize(("cut", "expected"), [(0, "is no ONNX model"), (500, "is no ONNX model"), (None, "is no YuNet")])
def test_a_file_that_is_no_yunet_is_refused(tmp_path: Path, cut: int | None, expected: str) -> None:
    pytest.importorskip("cv2")
    model = write_yunet(tmp_path / "model.onnx")
    data = model.read_bytes()
    model.write_bytes(data.replace(b"cls_8", b"xyz_8") if cut is None else data[:cut])
    with pytest.raises(UserError, match=rf"model\.onnx {expected}.*Get face_detection_yunet_2023mar\.onnx"):
        YuNet.load(model)
    with pytest.raises(UserError, match="there is no such file"):
        YuNet.load(tmp_path / "none.onnx")
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        YuNet.load(tmp_path)


def test_opencv_missing_or_without_cascades(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UserError, match=r'pip install "ganskit\[faces\]"'):
        find(photos, Wanted(Haar()), progress=False)
    five = types.ModuleType("cv2")
    five.__version__ = "5.0.0"
    monkeypatch.setitem(sys.modules, "cv2", five)
    with pytest.raises(UserError, match=r'OpenCV 5\.0\.0 .*pip install "ganskit\[faces\]"'):
        find(photos, Wanted(Haar()), progress=False)


# The command


def test_the_command(photos: Path, ganskit: Callable[..., Done], home: Path) -> None:
    done = ganskit("data", "faces", photos, "--size", "32", "--min-face", "64", "--workers", "1")
    assert done.code == 0, done.err
    lines = {" ".join(line.split()[:-1]): line.split()[-1] for line in done.out.splitlines()}
    assert lines["photographs"] == "7"
    assert (lines["without a face"], lines["with one"], lines["with several"]) == ("2", "2", "1")
    assert (lines["unreadable"], lines["faces"], lines["below 64 pixels"]) == ("2", "4", "1")
    assert "unreadable: empty.jpg: empty file" in done.out
    assert Path(lines["table"]).is_file()
    assert Path(lines["sheet"]).is_file()
    (store,) = (home / "stores").glob("faces-*/manifest.json")
    assert f"ganskit run dcgan-faces --data {store.parent}" in done.out
    again = ganskit("data", "faces", photos, "--size", "32", "--min-face", "64", "--workers", "1")
    assert again.out == done.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--detector", "yunet"], "needs --model"),
        (["--detector", "yunet", "--model", "none.onnx"], "none.onnx: there is no such file"),
        (["--model", "some.onnx"], "add --detector yunet"),
        (["--channels", "2"], "channels is 2"),
        (["--sure", "2.5"], "sure is 2.5"),
        (["--min-face", "250"], "no face of 250 pixels or more in 7 photographs"),
    ],
)
def test_mistakes_are_explained(photos: Path, ganskit: Callable[..., Done], words: list[str], expected: str) -> None:
    done = ganskit("data", "faces", photos, *words)
    assert done.code == 2
    assert expected in done.err


def test_a_folder_without_photographs_or_faces(tmp_path: Path, ganskit: Callable[..., Done]) -> None:
    pytest.importorskip("cv2")
    assert "no such folder of photographs" in ganskit("data", "faces", tmp_path / "none").err
    (tmp_path / "photos").mkdir()
    assert "no picture there" in ganskit("data", "faces", tmp_path / "photos").err
    (tmp_path / "photos" / "a.png").write_bytes(b"x")
    assert (
        "none of the 1 photographs can be read. First:\n  a.png: not a picture"
        in ganskit("data", "faces", tmp_path / "photos").err
    )
    Image.fromarray(noise(0, 9, 8, 3)).save(tmp_path / "photos" / "a.png")
    assert "no face of 64 pixels or more in 1 photographs" in ganskit("data", "faces", tmp_path / "photos").err


# Real photographs


@pytest.mark.real
def test_an_astronaut(tmp_path: Path) -> None:
    data = pytest.importorskip("skimage.data")
    (tmp_path / "photos").mkdir()
    Image.fromarray(data.astronaut()).save(tmp_path / "photos" / "astronaut.png")
    (box,) = find(tmp_path / "photos", Wanted(Haar()), progress=False).boxes()
    assert abs(box.left + box.width / 2 - 225) < 10  # between her eyes and mouth, by eye
    assert abs(box.top + box.height / 2 - 115) < 12


@pytest.mark.real
def test_nearly_every_real_face_and_nearly_no_house(real: Callable[[str], Path], tmp_path: Path) -> None:
    """One folder, so that there is a face in it: aligned faces of 89 x 109 pixels, and houses."""
    faces, houses = sorted(real("celeba10k").glob("*.jpg"))[:200], sorted(real("facades").glob("test/*.jpg"))[:60]
    for file in faces:
        shutil.copy(file, tmp_path / f"face-{file.name}")
    for file in houses:
        shutil.copy(file, tmp_path / f"house-{file.name}")
    found = [box.file for box in find(tmp_path, Wanted(Haar(), least=32), progress=False).boxes()]
    assert len({file for file in found if file.startswith("face-")}) >= 180
    assert sum(file.startswith("face-") for file in found) <= 202
    assert sum(file.startswith("house-") for file in found) <= 12
