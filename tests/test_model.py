"""A trained model: what its samples depend on, and on nothing else."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

import ganskit
from ganskit import Architecture, Batch, Dataset, Field, Model, Nets, Recipe, Shape, TwoPlayer, UserError, evolve, use

from toys import Blobs, tiny_nets


def recipe(norm: str = "batch", **changes: object) -> Recipe:
    made = Recipe(
        name="model", game=TwoPlayer(), nets=tiny_nets(norm=norm), data=Blobs(), batch_size=8, samples=160, precision="fp32",
        checkpoint_every=5, sample_every=100, ema=0.9,
    )  # fmt: skip
    return evolve(made, **changes)


def train(recipe: Recipe, out: Path) -> Path:
    return ganskit.run(recipe, out=out, device="cpu", progress=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(recipe(), tmp_path_factory.mktemp("model") / "run")


@pytest.fixture(scope="module")
def model(run: Path) -> Model:
    return ganskit.load(run, recipe=recipe(), device="cpu")


def load(run: Path, **options: object) -> Model:
    return ganskit.load(run, recipe=recipe(), device="cpu", **options)


def test_samples_are_pictures(model: Model) -> None:
    x = model.sample(5)
    assert (x.shape, x.dtype, x.device.type) == ((5, 3, 16, 16), torch.float32, "cpu")
    assert x.abs().max() <= 1
    assert not x.requires_grad
    assert model.samples == 160


@settings(max_examples=20)
@given(num=st.integers(1, 150), seed=st.integers(0, 2**63 - 1))
def test_a_sample_does_not_depend_on_how_many_are_drawn(model: Model, num: int, seed: int) -> None:
    assert torch.equal(model.sample(num, seed), model.sample(150, seed)[:num])


@pytest.mark.parametrize("num", [1, 3, 64, 65, 100])
def test_a_fresh_model_gives_the_same(run: Path, model: Model, num: int) -> None:
    assert torch.equal(load(run).sample(num), model.sample(128)[:num])


def test_samples_differ(model: Model) -> None:
    """From one another, over the border of a chunk, and from seed to seed."""
    x = model.sample(130, seed=1)
    assert len(torch.unique(x, dim=0)) == 130
    assert not torch.equal(x, model.sample(130, seed=2))


@pytest.mark.parametrize("norm", ["batch", "running", "none"])
def test_drawing_leaves_no_trace(tmp_path: Path, norm: str) -> None:
    path = train(recipe(norm), tmp_path / "run")
    model = ganskit.load(path, recipe=recipe(norm), device="cpu")
    by_itself = model.sample(8)
    by_its_batch = model.sample(8, batch_stats=True)
    assert torch.equal(by_itself, by_its_batch) == (norm == "none")
    assert torch.equal(model.sample(8, batch_stats=True), by_its_batch)
    assert torch.equal(model.sample(8), by_itself)


def test_running_statistics_do_not_learn_from_samples(tmp_path: Path) -> None:
    """Beside a net whose statistics are averaged for the occasion."""
    mixed = evolve(recipe(), nets={"G": tiny_nets(norm="running")["G"], "D": tiny_nets(norm="batch")["D"]})
    model = ganskit.load(train(mixed, tmp_path / "run"), recipe=mixed, device="cpu")
    before = model.identity
    x = model.sample(4)
    model.frozen("D")
    assert model.identity == before
    assert torch.equal(model.sample(4), x)


def test_a_training_that_failed_is_not_measured(run: Path) -> None:
    model = load(run)
    for net in model.nets.values():
        next(net.parameters()).fill_(torch.nan)
    with pytest.raises(UserError, match="makes samples that are not finite: its training has failed"):
        model.sample(4)
    with pytest.raises(UserError, match='The net "D" of "model" has weights that are not finite: its training has failed'):
        model.frozen("D")


def test_what_is_no_checkpoint(run: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match=r"notes\.txt is no checkpoint: it has no SHA-256 beside it"):
        load(run, checkpoint=tmp_path / "notes.txt")


def test_the_batch_counts_when_asked_for(model: Model) -> None:
    assert not torch.equal(model.sample(8, batch_stats=True), model.sample(9, batch_stats=True)[:8])


def test_batch_statistics_of_one_sample(run: Path) -> None:
    with pytest.raises(UserError, match="at least 2"):
        train(recipe(batch_size=1), run.parent / "one")


def test_random_numbers_outside_are_left_alone(run: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    model = load(run)
    model.sample(3)
    model.sample(3, batch_stats=True)
    assert torch.equal(torch.get_rng_state(), before)


def test_random_numbers_outside_do_not_matter(run: Path, model: Model) -> None:
    torch.manual_seed(4)
    assert torch.equal(load(run).sample(3), model.sample(3))


def test_averages_or_the_nets_themselves(run: Path, model: Model) -> None:
    assert not torch.equal(load(run, ema=False).sample(3), model.sample(3))
    assert torch.equal(load(run, ema=True).sample(3), model.sample(3))


def test_a_checkpoint_by_its_number_or_its_file(run: Path, model: Model) -> None:
    file = run / "checkpoints" / f"{80:012}.safetensors"
    earlier = [load(run, checkpoint=which) for which in ("80", f"{80:012}", file, str(file))]
    assert [each.samples for each in earlier] == [80] * 4
    x = earlier[0].sample(3)
    assert all(torch.equal(each.sample(3), x) for each in earlier)
    assert not torch.equal(model.sample(3), x)


@pytest.mark.parametrize("which", ["81", "newest", "000000000081", "nowhere/80.safetensors"])
def test_a_checkpoint_that_is_not_there(run: Path, which: str) -> None:
    with pytest.raises(UserError, match=f"There is no checkpoint {which}: .* has 000000000080, 000000000160"):
        load(run, checkpoint=which)


def test_more_samples_than_memory_holds(run: Path) -> None:
    with pytest.raises(UserError, match="1,000,000,000,000 samples are asked for at once: expected 10,000,000 at most"):
        load(run).sample(10**12)


@pytest.mark.parametrize("checksum", [b"", b"\0", b"\xff\xfe\x80 of no text"])
def test_a_checksum_that_is_none(run: Path, tmp_path: Path, checksum: bytes) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    (copy / "checkpoints" / f"{160:012}.safetensors.sha256").write_bytes(checksum)
    shutil.copy(copy / "checkpoints" / f"{80:012}.safetensors", copy / "checkpoints" / f"{80:012}-old.safetensors")
    with pytest.raises(UserError, match=f"{160:012}.safetensors is damaged: .* --checkpoint 80"):
        load(copy)


def test_a_damaged_checkpoint_is_named_when_asked_for(run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    file = copy / "checkpoints" / f"{160:012}.safetensors"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 16
    file.write_bytes(data)
    with pytest.raises(UserError, match=f"{file.name} is damaged: its SHA-256 is not the one"):
        load(copy, checkpoint="160")
    with pytest.raises(UserError, match=f"{file.name} is damaged: .* --checkpoint 80"):
        load(copy)
    assert load(copy, checkpoint=80).samples == 80


def test_a_checkpoint_of_other_nets(run: Path) -> None:
    with pytest.raises(UserError, match=r"does not fit its recipe.toml at [GD]/"):
        ganskit.load(run, recipe=recipe(nets=tiny_nets(8)), device="cpu")


def test_classes_without_a_name_need_the_recipe(run: Path) -> None:
    with pytest.raises(UserError, match="toys:Blobs is not registered: a class without a name can be used from Python only"):
        ganskit.load(run)


@pytest.mark.parametrize(("num", "label", "says"), [(0, None, "num is 0"), (-1, None, "num is -1"), (1, 3, "without labels")])
def test_what_cannot_be_drawn(model: Model, num: int, label: int | None, says: str) -> None:
    with pytest.raises(UserError, match=says):
        model.sample(num, label=label)


# ---- games whose samples are made from real data


@frozen
class Labelled(Dataset):
    """Blobs with their number modulo 3 as a label."""

    def provides(self) -> dict[str, Field]:
        return {**Blobs().provides(), "y": Field((), "int64", classes=("dark", "grey", "light"))}

    def open(self) -> LabelledBlobs:
        return LabelledBlobs()


class LabelledBlobs:
    fingerprint = "labelled"

    def __len__(self) -> int:
        return 48

    def name(self, index: int) -> str:
        return str(index)

    def read(self, index: int) -> dict[str, object]:
        import numpy as np

        return {**Blobs().open().read(index), "y": np.array(index % 3)}


@frozen
class Conditional(TwoPlayer):
    """A generator that is told the label."""

    def needs(self) -> tuple[str, ...]:
        return ("x", "y")

    def conditions(self) -> tuple[str, ...]:
        return ("y",)

    def generate(self, nets: Nets, b: Batch) -> torch.Tensor:
        return nets.G(b.z, b.y)

    def shapes(self, provides: Mapping[str, Field]) -> dict[str, Shape]:
        return super().shapes(provides)


@frozen
class Shades(Architecture):
    """Plain pictures whose shade says the label, a little moved by z."""

    def build(self, shape: Shape) -> torch.nn.Module:
        return ShadesNet(shape.output)


class ShadesNet(torch.nn.Module):
    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape
        self.weight = torch.nn.Parameter(torch.full((1,), 1e-3))

    def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        shade = y.float() / 4 + self.weight * z[:, 0]
        return shade[:, None, None, None].expand(-1, *self.shape)


def test_labels(tmp_path: Path) -> None:
    nets = {"G": Shades(), "D": use("dcgan.discriminator", width=4)}
    conditional = recipe(nets=nets, game=Conditional(), data=Labelled(), samples=32)
    model = ganskit.load(train(conditional, tmp_path / "run"), recipe=conditional, device="cpu")
    assert set(model.sample(70).mean((1, 2, 3)).mul(4).round().tolist()) == {0, 1, 2}
    with pytest.raises(UserError, match=r"label is 3: .* has 3 of them, 0 to 2"):
        model.sample(1, label=3)
    assert set(model.sample(70, label=2).mean((1, 2, 3)).mul(4).round().tolist()) == {2}
    assert torch.equal(model.sample(70)[:5], model.sample(5))


def test_a_translator_shows_real_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cyclegan import recipe as cyclegan

    path = train(cyclegan(), tmp_path / "run")
    model = ganskit.load(path, recipe=cyclegan(), device="cpu")
    assert torch.equal(model.sample(70)[:5], model.sample(5))
    assert "cyclegan" in sys.modules
