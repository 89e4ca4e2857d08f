"""`ganskit report` and `ganskit compare`: what is on the pages, whatever the runs look like."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

import ganskit as package
from ganskit import Evaluator, Result
from ganskit.config import unstructure
from ganskit.evaluate.evaluation import evaluate_run
from ganskit.evaluator import Picture
from ganskit.pictures import save_grid, to_bytes
from ganskit.recipe import override
from ganskit.report import compare_runs, report_run
from ganskit.report.images import read_picture, shown, tiles
from ganskit.report.words import as_table, duration, number, short
from ganskit.train import resolve

SMALL = [
    "samples=192", "batch_size=4", "data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4", "log_every=2",
    "precision=fp32",
]  # fmt: skip
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40pt" height="30pt"><path d="M0 0L40 30" stroke="#000"/></svg>'


@frozen
class Probe(Evaluator):
    """A little of everything that a result can have."""

    words: str = "512"
    weights: tuple[float, ...] = (0.5, 1e-9)
    flag: bool = True
    fid: float = 1234.5678

    def evaluate(self, model: package.Model) -> Result:
        x = model.sample(6)
        return Result(
            {"fid": self.fid, "odd": float("inf"), "precision": 0.5},
            {"num": 6, "extractor": {"name": "pool4", "sha256": "ab" * 32}},
            {"faces": Picture(x, 3, "Three to a row.")},
            {"curve": SVG},
            {"rows": [{"class": "cat", "error": 0.25}, {"class": "dog", "error": 0.75}], "flagged": [], "mean": 3},
        )


class Seen(HTMLParser):
    """What a browser would find on a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.html = file.read_text(encoding="utf-8")
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(self.html)
        self.text = re.sub(r"\s+", " ", self.text)
        self.sources = [value for name, value in self.attributes if name == "src"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def commands(self) -> list[list[str]]:
        return [shlex.split(unescape(line)) for line in re.findall(r'<pre class="command">(.*?)</pre>', self.html)]


def seen(run: Path) -> Seen:
    return Seen(report_run(run))


def trained(out: Path, *settings: str) -> Path:
    recipe = resolve("dcgan-rooms", settings=[*SMALL, *settings])
    return package.run(recipe, out=out, device="cpu", progress=False)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with grids, losses, an evaluation with everything, and one that was made in training."""
    run = trained(tmp_path_factory.mktemp("runs") / "rooms")
    evaluate_run(run, Probe(), name="probe", device="cpu")
    lines = [{"name": "probe", "samples": 48 * i, "numbers": {"fid": 100.0 / i, "odd": "nan"}} for i in range(1, 5)]
    (run / "evaluations.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run / "best").mkdir()
    note = {"number": "fid", "value": 12.345678, "samples": 96, "file": "000000000096.safetensors"}
    (run / "best/probe.json").write_text(json.dumps(note))
    (run / "best/000000000096.safetensors").touch()
    return run


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    """One that may be changed."""
    return Path(shutil.copytree(original, tmp_path / "rooms"))


# the page


def test_the_page_tells_all_of_a_run(run: Path, ganskit: Callable) -> None:
    done = ganskit("report", run)
    assert (done.code, done.out.strip()) == (0, str(run / "report.html"))
    page = Seen(run / "report.html")
    for words in (
        "dcgan-rooms", "Radford, Metz & Chintala 2016", "192", "finished", "non-saturating", "adam (lr 0.0005", "dcgan.generator",
        "Loss of D", "Loss of G", "Images per second", "The same noise each time", "cpu, fp32", torch.__version__,
        "probe", "1,235", "inf", "Three to a row.", "curve", "12.35", "after 96 samples", "ab" * 32, "dog", "0.75", 'width = 4',
        json.loads((run / "evaluations/probe/result.json").read_text())["weights_sha256"],
    ):  # fmt: skip
        assert words in page.text, words
    assert "could not be read" not in page.text.lower()
    params = sum(p.numel() for p in package.load(run, device="cpu").nets.G.parameters())
    assert f"{params:,}" in page.text
    assert len(page.sources) == 64 + 8 + 3 + 1 + 2, "the hero's samples, the strip, losses and rate, fid, picture and plot"


def test_the_page_needs_nothing_but_itself(run: Path) -> None:
    page = seen(run)
    assert all(source.startswith(("data:image/png;base64,", "data:image/svg+xml;base64,")) for source in page.sources)
    assert not {"script", "iframe", "object", "embed", "form", "svg"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("style", "srcset")]
    assert all(value.startswith(("#", "data:,")) for name, value in page.attributes if name == "href")
    assert "http:" not in page.html
    assert "https:" not in page.html
    policy = next(value for _, value in page.attributes if value.startswith("default-src"))
    assert "default-src 'none'; img-src data:; style-src 'sha256-" in policy


def test_the_same_run_gives_the_same_page(run: Path) -> None:
    first = report_run(run).read_bytes()
    assert report_run(run, run / "again" / "b.html").read_bytes() == first


def test_the_command_on_the_page_works(run: Path, ganskit: Callable) -> None:
    (command,) = seen(run).commands()
    assert command == ["ganskit", "run", str(run / "recipe.toml"), "--device", "cpu"]
    done = ganskit(*command[1:], "--dry-run")
    assert done.code == 0
    assert "192 samples in batches of 4" in done.out


def test_a_recipe_that_cannot_be_run_from_its_file(finished: Path, tmp_path: Path) -> None:
    """Its classes are known to a Python file only."""
    page = Seen(report_run(finished, tmp_path / "page.html"))
    assert page.commands() == []
    assert "The recipe cannot be run from its file here" in page.text
    assert "Blobs" in page.text


@pytest.mark.parametrize("probe", [Probe(), Probe(words='a "b" = {c}', weights=(), flag=False), Probe(words="true", fid=1e-12)])
def test_the_command_of_an_evaluation_gives_its_options(run: Path, probe: Probe) -> None:
    file = run / "evaluations/probe/result.json"
    record = json.loads(file.read_text())
    assert len(seen(run).commands()) == 1, "an evaluator that is not registered has no command"
    record["evaluator"] = unstructure(probe) | {"use": "probe"}  # as if it were
    file.write_text(json.dumps(record))
    command = next(words for words in seen(run).commands() if words[1] == "eval")
    assert command[:4] == ["ganskit", "eval", str(run), "probe"]
    given = [value for word, value in pairwise(command) if word == "--set"]
    assert override(Probe(words="other", weights=(3.0,)), given) == probe


# what is missing


def test_an_interrupted_run_without_anything(run: Path) -> None:
    for name in ("metrics.jsonl", "evaluations.jsonl"):
        (run / name).unlink()
    for name in ("samples", "checkpoints", "evaluations", "best"):
        shutil.rmtree(run / name)
    page = seen(run)
    assert "dcgan-rooms" in page.text
    assert page.sources == []
    assert "no whole checkpoint" in page.text
    assert "could not be read" not in page.text


def test_a_run_that_was_not_finished(run: Path) -> None:
    text = (run / "recipe.toml").read_text()
    (run / "recipe.toml").write_text(text.replace("samples = 192", "samples = 1920"))
    assert "10% of 1,920" in seen(run).text


def test_an_evaluation_that_left_only_a_note(run: Path) -> None:
    shutil.rmtree(run / "evaluations")
    assert "12.35" in seen(run).text


def test_samples_that_are_no_pictures(points: Path) -> None:
    page = seen(points)
    assert "Samples per second" in page.text
    assert "samples/s" in page.text
    assert len(page.sources) == 3


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on points in the plane."""
    return package.run(flat(), out=tmp_path_factory.mktemp("points") / "points", device="cpu", progress=False)


@frozen
class Points(package.Dataset):
    """96 points."""

    def provides(self) -> dict[str, package.Field]:
        return {"x": package.Field((2,), dtype="float32")}

    def open(self) -> _Points:
        return _Points()


class _Points:
    fingerprint = "points 1"

    def __len__(self) -> int:
        return 96

    def name(self, index: int) -> str:
        return str(index)

    def read(self, index: int) -> dict[str, np.ndarray]:
        return {"x": np.array([index % 2, index % 3], dtype=np.float32)}


@frozen
class Linear(package.Architecture):
    """One layer."""

    def build(self, shape: package.Shape) -> torch.nn.Module:
        return torch.nn.Linear(shape.input[0], shape.output[0])


def flat() -> package.Recipe:
    return package.Recipe(
        name="points", game=package.TwoPlayer(), nets={"G": Linear(), "D": Linear()}, data=Points(), batch_size=8, samples=160,
        precision="fp32", log_every=1,
    )  # fmt: skip


# what is damaged


def cut(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


DAMAGE = [
    "evaluations/probe/result.json", "evaluations/probe/faces.png", "evaluations/probe/curve.svg", "samples/000000000192.png",
    "metrics.jsonl", "evaluations.jsonl", "best/probe.json", "recipe.toml", "checkpoints/000000000192.safetensors",
]  # fmt: skip


@pytest.mark.parametrize("how", ["cut", "empty", "noise"])
@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_damaged_is_named(run: Path, name: str, how: str) -> None:
    file = run / name
    if how == "cut":
        cut(file)
    else:
        file.write_bytes(b"" if how == "empty" else b"\xff\x00[{" + bytes(range(256)))
    page = seen(run)
    assert "dcgan-rooms" in page.text
    if how == "empty" and file.suffix in (".jsonl", ".toml"):
        return  # a log without lines, and a recipe without keys, are no damaged ones
    assert "could not be read" in page.text
    assert (Path(name).name if "jsonl" in name else name) in page.text


def test_what_is_gone_is_no_trouble(run: Path) -> None:
    for name in DAMAGE:
        if name != "recipe.toml":
            (run / name).unlink()
            assert "dcgan-rooms" in seen(run).text


def test_a_best_checkpoint_that_is_not_there(run: Path) -> None:
    (run / "best/000000000096.safetensors").unlink()
    page = seen(run)
    assert "best/probe.json: the checkpoint that it names, 000000000096.safetensors, is not there" in page.text
    assert "that checkpoint is kept" not in page.text


def test_values_of_other_kinds_than_expected(run: Path) -> None:
    odd = {"ragged": [{"a": 1}, {"b": 2}], "deep": {"a": {"b": {"c": 1}}}, "none": None, "long": list(range(300))}
    record = {
        "samples": "many", "numbers": {"a": None, "b": {"c": [1]}, "d": True}, "pictures": {"x": 3, "y": {"file": 7}},
        "plots": {"p": []}, "details": odd, "protocol": [1], "time_s": "long", "plugins": "ganskit",
    }  # fmt: skip
    (run / "evaluations/probe/result.json").write_text(json.dumps(record))
    (run / "best/probe.json").write_text('{"number": 3}')
    (run / "metrics.jsonl").write_text('{"samples": 4, "D.real": "NaN", "time_s": null}\n[]\n{"samples": 8, "D.real": NaN}\n')
    page = seen(run)
    for words in (
        "samples is not what it should be",
        "no number under a, b, d",
        "protocol is not",
        "evaluations/probe/x.png: there is no such file",
        "1 of its 3",
    ):
        assert words in page.text, words


def test_numbers_that_are_none(run: Path) -> None:
    file = run / "evaluations/probe/result.json"
    record = json.loads(file.read_text())
    record["numbers"] |= {"fid": "<b>0</b>", "big": 10**400, "lost": "nan"}
    file.write_text(json.dumps(record))
    page = seen(run)
    assert "no number under fid, big" in page.text
    assert "lost" in page.text
    assert ",000,000,000,000" not in page.text


def test_a_pipe_is_not_waited_for(run: Path) -> None:
    os.mkfifo(run / "evaluations/probe/pipe")
    with pytest.raises(package.UserError, match="pipe is no plain file, and nothing that ganskit made: move it away"):
        report_run(run)


def test_a_recipe_that_is_no_text_is_not_shown(run: Path) -> None:
    (run / "recipe.toml").write_bytes(bytes(range(256)))
    page = seen(run)
    assert "recipe.toml: " in page.text
    assert "\N{REPLACEMENT CHARACTER}" not in page.text


def test_losses_too_far_apart_for_a_plot(run: Path) -> None:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    far = [json.dumps(json.loads(line) | {"G": sign * 1e308}) for line, sign in zip(lines, (1, -1), strict=False)]
    (run / "metrics.jsonl").write_text("\n".join([*far, *lines[2:], ""]))
    assert "throughput" in seen(run).text.lower()


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), 10**400])
def test_a_time_that_is_none(run: Path, time_s: float) -> None:
    file = run / "evaluations/probe/result.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"time_s": time_s}))
    assert "time_s is not what it should be" in seen(run).text


def test_values_that_are_too_large_or_too_deep(run: Path) -> None:
    file = run / "evaluations/probe/result.json"
    record = json.loads(file.read_text())
    for _ in range(900):
        record["evaluator"]["num"] = [record["evaluator"].get("num", 1)]
    file.write_text(json.dumps(record))
    with (run / "metrics.jsonl").open("a") as lines:
        lines.write(f'{{"samples": {10**400}, "D.real": 1}}\n{{"samples": 8, "D.real": {10**400}}}\n')
    assert "probe" in seen(run).text


def test_what_does_not_fit_into_memory_is_not_opened(run: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\0IDAT"
    (run / "evaluations/probe/faces.png").write_bytes(png)
    assert "faces.png: it has too many pixels to show" in seen(run).text
    (run / "evaluations/probe/result.json").write_text("[" * 100_000)
    assert "evaluations/probe/result.json" in seen(run).text


# hostile texts


EVIL = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'"


def test_texts_are_texts(run: Path) -> None:
    file = run / "evaluations/probe/result.json"
    record = json.loads(file.read_text())
    record["pictures"]["faces"]["caption"] = record["pictures"][EVIL] = EVIL
    record["numbers"][EVIL] = record["protocol"][EVIL] = record["details"][EVIL] = record["device"] = "\ud800" + EVIL
    file.write_text(json.dumps(record))
    text = (run / "recipe.toml").read_text()
    claim = f"[[claims]]\nstates = {json.dumps(EVIL)}\nwhere = {json.dumps(EVIL)}\n"
    text = re.sub(r"paper = .*", lambda _: f"paper = {json.dumps(EVIL)}", text).replace("claims = []\n", "") + claim
    (run / "recipe.toml").write_text(text)
    (run / "metrics.jsonl").write_text("".join(f'{{"samples": {i}, "{EVIL[8:24]}.$x_": {i}}}\n' for i in range(3)))
    page = seen(run)
    assert "script" not in page.tags
    assert page.tags.count("style") == 1
    assert EVIL in page.text
    assert not [name for name, _ in page.attributes if name.startswith("on")]


@pytest.mark.parametrize(
    ("svg", "why"),
    [
        ('<!DOCTYPE svg [<!ENTITY a "aa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "document type"),
        ('<html xmlns="http://www.w3.org/1999/xhtml"><script/></html>', "this is no SVG"),
        ("<svg></svg>", "this is no SVG"),
        ('<svg xmlns="http://www.w3.org/2000/svg">&nbsp;</svg>', "damaged"),
        ('<!DOCTYPE svg [<!ENTITY a "aa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'.encode("utf-16"), "UTF-8"),
        ('<!DOCTYPE svg [<!ENTITY a "aa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'.encode("utf-16-le"), "UTF-8"),
    ],
)
def test_plots_that_are_refused(run: Path, svg: str | bytes, why: str) -> None:
    (run / "evaluations/probe/curve.svg").write_bytes(svg if isinstance(svg, bytes) else svg.encode())
    page = seen(run)
    assert "evaluations/probe/curve.svg" in page.text
    assert why in page.text


def test_files_elsewhere_are_not_shown(run: Path) -> None:
    save_grid(torch.zeros(1, 3, 8, 8), run.parent / "secret.png")
    file = run / "evaluations/probe/result.json"
    record = json.loads(file.read_text())
    record["pictures"]["faces"]["file"] = "../../../secret.png"
    record["plots"]["curve"] = str(run.parent / "secret.svg")
    file.write_text(json.dumps(record))
    page = seen(run)
    assert "evaluations/probe/secret.png: there is no such file" in page.text
    assert "evaluations/probe/secret.svg: there is no such file" in page.text


# where it goes


def test_a_folder_that_is_no_run(tmp_path: Path, ganskit: Callable, original: Path) -> None:
    for words in (("report", tmp_path), ("compare", tmp_path, original), ("report", tmp_path / "nothing")):
        done = ganskit(*words)
        assert done.code == 2
        assert "is not a run directory: it has no recipe.toml" in done.err


def test_out(run: Path, tmp_path: Path, ganskit: Callable) -> None:
    mine = tmp_path / "mine.html"
    mine.write_text("<p>Mine.")
    for out, why in (
        (mine, "did not make it"),
        (run / "recipe.toml", "should end in .html"),
        (tmp_path, "is a folder: the page is one HTML file"),
    ):
        before = out.read_bytes() if out.is_file() else b""
        done = ganskit("report", run, "--out", out)
        assert done.code == 2
        assert why in done.err
        assert not before or out.read_bytes() == before
    assert ganskit("report", run, "--out", tmp_path / "new/page.html").out.strip() == str(tmp_path / "new/page.html")
    assert ganskit("report", run, "--out", tmp_path / "new/page.html").code == 0, "its own page is replaced"
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["page.html"]


def test_listing_stays_quick() -> None:
    look = "m.group.get_command(None, 'report'); print({'jinja2', 'matplotlib', 'torch'} & {*sys.modules})"
    words = [sys.executable, "-c", f"import sys, ganskit.cli.main as m; {look}"]
    assert subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip() == "set()"


# pictures and numbers


@settings(max_examples=25)
@given(
    num=st.integers(2, 20),
    columns=st.integers(1, 8),
    size=st.integers(4, 12),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
)
def test_a_grid_is_taken_apart(
    tmp_path_factory: pytest.TempPathFactory, num: int, columns: int, size: int, channels: int, seed: int
) -> None:
    x = torch.rand(num, channels, size, size + 1, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    grid = read_picture(save_grid(x, tmp_path_factory.mktemp("grid") / "x.png", columns))
    found = [tile for row in tiles(grid) for tile in row]
    assert len(found) == num
    for tile, picture in zip(found, to_bytes(x).permute(0, 2, 3, 1).numpy(), strict=True):
        assert np.array_equal(np.asarray(tile), np.broadcast_to(picture, (size, size + 1, 3)))
    whole = np.asarray(shown(grid))
    assert whole.shape[2] == 4
    assert (whole[..., 3] == 255).sum() == num * size * (size + 1), "the lines are gone, the pictures are whole"


def test_other_pictures_are_left_alone() -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for pixels in (
        rng.integers(0, 255, (20, 30, 3), dtype=np.uint8),
        np.full((20, 30, 3), 255, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
    ):
        assert tiles(Image.fromarray(pixels)) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"), (1234567.8, "1,234,568"), (12.345678, "12.35"), (0.000123456, "0.0001235"), (1e-9, "1e-09"),
        (2.0, "2"), (float("nan"), "nan"), (True, "yes"), (None, "—"), ("text", "text"), ([1], "[1]"),
    ],
)  # fmt: skip
def test_numbers(value: object, text: str) -> None:
    assert number(value) == text


def test_a_seed_is_no_count() -> None:
    table = as_table({"num": 5000, "seed": 2_000_003, "fresh_seed": 1234})
    assert table is not None
    assert [number(value) for _, value in table.rows] == ["5,000", "2000003", "1234"]
    assert short({"use": "rooms", "num_images": 5000, "seed": 2_000_003}) == "rooms (num_images 5,000, seed 2000003)"


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0.25, "0.25 s"), (59.4, "59 s"), (185, "3 min 05 s"), (2122, "35 min"), (7620, "2 h 07 min"), (3599.9, "1 h 00 min")],
)
def test_times(time_s: float, text: str) -> None:
    assert duration(time_s) == text


# several runs


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = trained(tmp_path_factory.mktemp("more") / "hinge", "game.loss=minimax", "nets.D.width=6", "data.seed=12345")
    evaluate_run(run, Probe(fid=99.0), name="probe", device="cpu")
    return run


def compared(*runs: Path, out: Path) -> Seen:
    return Seen(compare_runs(runs, out))


def row(page: Seen, name: str) -> str:
    found = re.search(rf'<tr><th scope="row">{re.escape(name)}</th>(.*?)</tr>', page.html)
    assert found, name
    return re.sub(r"<[^>]*>", " ", found[1]).strip()


def test_two_runs_side_by_side(
    run: Path, other: Path, tmp_path: Path, ganskit: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ganskit("compare", run, other).out.strip() == "compare.html"
    page = Seen(tmp_path / "compare.html")
    assert row(page, "game.loss.use").split() == ["non-saturating", "minimax"]
    assert row(page, "nets.D.width").split() == ["4", "6"]
    assert row(page, "data.seed").split() == ["0", "12345"]
    assert "batch_size" not in page.text, "what is the same is left out"
    assert row(page, "samples seen").split() == ["192", "192"]
    assert all(f"{name} of {who}" in page.text for name in ("parameters",) for who in "GD")
    assert "D.real" in page.text
    assert len([source for source in page.sources if "png" in source]) == 2


def test_the_better_number_is_marked_when_it_is_known(run: Path, other: Path, tmp_path: Path) -> None:
    for each in (run, Path(shutil.copytree(other, tmp_path / "other"))):
        for file in (each / "evaluations/probe").glob("result.json"):
            record = json.loads(file.read_text())
            record["evaluator"]["fid"] = 0  # the same options
            record["numbers"] |= dict.fromkeys(("mine", "ours[net]"), 1.0 if each == run else 2.0) | {"fd[conv]": 3.0}
            file.write_text(json.dumps(record))
    page = compared(run, tmp_path / "other", out=tmp_path / "a.html")
    assert "Not measured by the same protocol" not in page.text
    assert row(page, "fid").split() == ["1,235", "99", "better"]
    assert "better" not in row(page, "mine"), "nobody says which direction is the better one"
    assert "better" not in row(page, "fd[conv]"), "they are equal"
    plain = (run / "recipe.toml").read_text()
    for best in ("mine", "ours"):
        (run / "recipe.toml").write_text(plain.replace("[evaluations]", f'[evaluations.probe]\nbest = "{best}"\nhigher = true'))
        page = compared(run, tmp_path / "other", out=tmp_path / "a.html")
        assert row(page, {"ours": "ours[net]"}.get(best, best)).split() == ["1", "2", "better"]


def test_other_protocols_are_pointed_out(run: Path, other: Path, tmp_path: Path) -> None:
    page = compared(run, other, out=tmp_path / "a.html")
    assert "Not measured by the same protocol: fid is 1234.5678 in rooms, 99.0 in hinge." in page.text
    assert "better" not in row(page, "fid")


def test_that_models_differ_is_no_other_protocol(run: Path, original: Path, tmp_path: Path) -> None:
    longer = Path(shutil.copytree(original, tmp_path / "longer"))
    for each, samples in ((run, 192), (longer, 256)):
        file = each / "evaluations/probe/result.json"
        record = json.loads(file.read_text()) | {"weights_sha256": f"{samples}", "samples": samples}
        record["protocol"] |= {"weights_sha256": f"{samples}", "samples": samples}
        file.write_text(json.dumps(record))
    assert "Not measured" not in compared(run, longer, out=tmp_path / "a.html").text


def test_runs_of_other_kinds(run: Path, points: Path, finished: Path, tmp_path: Path) -> None:
    page = compared(run, points, finished, out=tmp_path / "a.html")
    assert "3 runs side by side" in page.text
    assert "no samples that are pictures" in page.text
    assert row(page, "name").split() == ["dcgan-rooms", "points", "tiny"]


def test_damaged_ones_are_compared_too(run: Path, other: Path, tmp_path: Path) -> None:
    cut(run / "evaluations/probe/result.json")
    cut(run / "samples/000000000192.png")
    page = compared(run, other, out=tmp_path / "a.html")
    assert "evaluations/probe/result.json" in page.text
    assert row(page, "precision").split() == ["—", "0.5"]


def test_runs_of_one_name_are_told_apart(run: Path, original: Path, tmp_path: Path) -> None:
    twin = Path(shutil.copytree(original, tmp_path / "twin" / "rooms"))
    page = compared(run, twin, out=tmp_path / "a.html")
    assert f"{tmp_path.name}/rooms" in page.text
    assert "twin/rooms" in page.text
    assert "the recipes are the same" in page.text


def test_one_run_is_nothing_to_compare(run: Path, tmp_path: Path, ganskit: Callable) -> None:
    for runs, why in (((), "Missing argument"), ((run,), "give two or more"), ((run, run / "../rooms"), "is given twice")):
        done = ganskit("compare", *runs, "--out", tmp_path / "a.html")
        assert done.code == 2
        assert why in done.err
    assert not (tmp_path / "a.html").exists()
