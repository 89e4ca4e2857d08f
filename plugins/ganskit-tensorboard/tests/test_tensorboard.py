"""What a run leaves for TensorBoard, through the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

import ganskit
from ganskit.testing import Conformance


class TestConformance(Conformance):
    distribution = "ganskit-tensorboard"


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "data"))


def train(out: Path, samples: int, resume: bool = False) -> EventAccumulator:
    settings = [f"samples={samples}", "batch_size=4", "log_every=1", "data.size=16", "data.num_images=16"]
    settings += ["nets.G.width=4", "nets.D.width=4", "sample_every=4"]
    ganskit.run("dcgan-rooms", settings=settings, out=out, resume=resume, progress=False)
    events = EventAccumulator(str(out / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    events.Reload()
    return events


def test_losses_and_grids_are_written(tmp_path: Path) -> None:
    events = train(tmp_path / "run", 64)
    scalars = events.Scalars("G/fake")
    assert [event.step for event in scalars] == [8 * i for i in range(1, 9)]
    assert {"D/real", "D/fake", "samples_per_s"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Images("samples")] == [32, 64]


def test_a_resumed_run_goes_on_in_the_same_curves(tmp_path: Path) -> None:
    train(tmp_path / "run", 64)
    events = train(tmp_path / "run", 96, resume=True)
    assert [event.step for event in events.Scalars("G/fake")] == [8 * i for i in range(1, 13)]


@pytest.mark.parametrize("checkpoint", [True, False])
def test_what_was_written_after_the_checkpoint_is_hidden(tmp_path: Path, checkpoint: bool) -> None:
    """A run that was killed: its events are ahead of its checkpoint, or it has none and starts over."""
    train(tmp_path / "run", 64)
    with SummaryWriter(str(tmp_path / "run" / "tensorboard")) as killed:
        for step in (72, 80, 88):
            killed.add_scalar("G/fake", 1000.0, step)
    if not checkpoint:
        for file in (tmp_path / "run" / "checkpoints").iterdir():
            file.unlink()
    losses = train(tmp_path / "run", 96, resume=True).Scalars("G/fake")
    assert [event.step for event in losses] == [8 * i for i in range(1, 13)]
    assert all(event.value < 1000 for event in losses)
