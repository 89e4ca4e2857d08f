"""An evaluation that cannot succeed, as the recipe alone shows, is refused before a training: by `--dry-run`, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SMALL = ["data.size=16", "data.num_images=16", "nets.G.width=4", "nets.D.width=4"]


@pytest.mark.parametrize(
    ("evaluator", "says"),
    [
        ("'mode-coverage'", "Rooms does not say its centres and std"),
        ("{use = 'mode-coverage', centres = [[0.0]], std = 1.0}", "centres of [1] numbers, and samples of Rooms have 768"),
        ("'stacked-modes'", "is on Rooms, and not on stacked-mnist"),
        ("{use = 'stacked-modes', num = 63, digits = {use = 'portraits', size = 16}}", "63 samples cannot cover 64 modes"),
        ("{use = 'sliced-wasserstein', data = {use = 'rooms', size = 32}}", "these data are x uint8 (3, 32, 32)"),
        ("{use = 'fid', data = {use = 'rooms', size = 32}}", "these data are x uint8 (3, 32, 32)"),
        ("{use = 'svm', net = 'Q'}", 'has no net "Q", only G, D'),
        ("{use = 'svm', test = {use = 'rooms', size = 32}}", "these data are x uint8 (3, 32, 32)"),
        ("{use = 'kmeans-features', patch = 16}", "Patches of 16 x 16 are cut from larger pictures"),
        ("{use = 'supervised', net = 'Q'}", 'has no net "Q", only G, D'),
        ("{use = 'supervised', test = {use = 'rooms', size = 32}}", "these data are x uint8 (3, 32, 32)"),
        ("{use = 'latent-walk', net = 'Q'}", 'has no net "Q", only G, D'),
        ("{use = 'latent-walk', path = 'slerp'}", 'path "slerp" is for normal noise'),
        ("{use = 'guided-backprop', net = 'Q'}", 'has no net "Q", only G, D'),
        ("{use = 'guided-backprop', num = 4}", "top is 8 of num = 4 pictures"),
        ("{use = 'collapse', judges = ['D', 'Q']}", 'has no net "Q", only G, D'),
        ("{use = 'forget', net = 'Q'}", 'has no net "Q", only G, D'),
        ("{use = 'forget', detect = 'widnow'}", 'knows no "widnow". Did you mean "window"'),
        ("{use = 'forget', boxes = 'nowhere.json'}", "nowhere.json cannot be read"),
        ("'arithmetic'", "There are no attributes in data with x uint8"),
        ("{use = 'arithmetic', data = 'portraits', onto = 'mna'}", 'There is no attribute "mna". Did you mean "man"'),
        ("{use = 'arithmetic', a = [1]}", "give all of them, or none"),
        ("{use = 'turn', data = 'portraits', attribute = 'trun'}", 'There is no attribute "trun". Did you mean "turn"'),
        ("{use = 'turn', left = [1], right = [2000]}", "There is no sample 2000 among the 2,000"),
        ("'sliced-wasserstein'", "looks at 16,384 different real examples, and there are 16: set num_real of"),
        ("'memorise'", "looks at 1,000 different real examples, and there are 16"),
        ("'collapse'", "looks at 512 different real examples, and there are 16"),
        ("'guided-backprop'", "looks at 2,000 different real examples, and there are 16"),
        ("'fd'", "different real examples, and there are 16"),
        ("{use = 'fd', num_real = 2017}", "looks at 2,017 different real examples, and there are 16: set num_real of"),
    ],
)
def test_by_a_dry_run(ganskit: Callable, evaluator: str, says: str) -> None:
    words = [word for each in (*SMALL, f"evaluations.e={{evaluator={evaluator}}}") for word in ("--set", each)]
    done = ganskit("run", "dcgan-rooms", *words, "--device", "cpu", "--dry-run")
    assert done.code == 2
    assert "The evaluation e of dcgan-rooms" in done.err
    assert says in done.err


@pytest.mark.parametrize(
    "evaluator",
    [
        "{use = 'svm', net = 'Q', features = 'pixels'}",
        "{use = 'latent-walk', net = 'Q', space = 'pixels'}",
        "{use = 'arithmetic', a = [1], b = [2], c = [3]}",
        "{use = 'turn', left = [1], right = [2]}",
        "'forget'",
        "{use = 'collapse', num = 16}",
        "{use = 'collapse', judges = []}",
        "{use = 'sliced-wasserstein', num = 16}",
        "{use = 'memorise', held_out = {use = 'rooms', size = 16, seed = 1}}",
    ],
)
def test_what_is_not_needed_is_not_asked_for(ganskit: Callable, evaluator: str) -> None:
    words = [word for each in (*SMALL, f"evaluations.e={{evaluator={evaluator}}}") for word in ("--set", each)]
    done = ganskit("run", "dcgan-rooms", *words, "--device", "cpu", "--dry-run")
    assert done.code == 0, done.err


def test_more_examples_than_there_are_is_said_before_anything_is_written(ganskit: Callable, tmp_path: Path) -> None:
    words = [word for each in (*SMALL, "samples=8", "batch_size=4") for word in ("--set", each)]
    out = ("--out", tmp_path / "run", "--device", "cpu")
    asks = ("--set", "evaluations.e={evaluator='collapse'}")
    done = ganskit("run", "dcgan-rooms", *words, *asks, *out)
    assert done.code == 2
    assert "looks at 512 different real examples, and there are 16" in done.err
    assert not (tmp_path / "run/recipe.toml").exists()
    assert ganskit("run", "dcgan-rooms", *words, *out).code == 0
    again = ganskit("run", "dcgan-rooms", *words, *asks, *out, "--resume")
    assert again.code == 0, "what was begun goes on"
    assert "Warning: The evaluation e of dcgan-rooms looks at 512" in again.out + again.err
