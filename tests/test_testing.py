"""The conformance kit: it passes what is right, and says what is wrong with what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from attrs import evolve

from ganskit import Recipe, TwoPlayer, UserError
from ganskit.conformance.checks import (
    compiles,
    deals,
    evaluates,
    is_finite_in_bf16,
    micro_batches_add_up,
    plays,
    resumes,
    sampling_leaves_training_alone,
)  # fmt: skip
from ganskit.conformance.configs import is_sound
from ganskit.conformance.tiny import general, placed, tiny_recipe
from ganskit.conformance.watching import Failed, NotApplicable
from ganskit.game import Noise
from ganskit.registry import Entry

import sabotage
from plugin_files import HOOK, install


def game(kind: type[TwoPlayer]) -> Recipe:
    return general(kind(noise=Noise(8)))


@pytest.fixture(autouse=True)
def gradients_stay_on():
    yield
    torch.set_grad_enabled(True)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("MovesTheOther", "D's turn moved the net G, which is not D's"),
        ("MovesWhileComputing", "Computing D's loss changed the weights of G"),
        ("LeavesGBehind", "The net G of G did not move in 3 rounds"),
        ("HalfMoves", "The net Q of G did not move in 3 rounds: no loss of G depends on it"),
        ("IsNaN", r"D's loss \(fake\) is nan in round 0 in fp32"),
        ("NoMean", r"D's loss \(fake\) is torch.float32 of shape \(4, 1\): expected one number as a tensor, such as a mean"),
        ("Counts", "It keeps state in Python, or draws random numbers from elsewhere"),
        ("OwnGenerator", r"D's turn draws from a torch.Generator of its own \(generator=...\), which no resume brings back"),
        ("PythonsRandom", "D's turn draws from Python's random, which no resume brings back"),
        ("NumpysRandom", "D's turn draws from numpy.random, which no resume brings back"),
    ],
)
def test_a_game_that_breaks_the_rules_is_told_how(kind: str, says: str) -> None:
    with pytest.raises((Failed, UserError), match=says):
        plays(game(getattr(sabotage, kind)))


@pytest.mark.parametrize("kind", ["Counts", "CountsSlowly", "OwnGenerator"])
def test_hidden_state_does_not_survive_a_resume(kind: str) -> None:
    with pytest.raises(Failed, match=r"After a resume in a fresh process .* tensors differ, such as"):
        resumes(game(getattr(sabotage, kind)), rounds=4)


def test_a_cache_on_a_value_does_not_travel_into_the_fresh_process() -> None:
    with pytest.raises(Failed, match="After a resume in a fresh process"):
        resumes(placed(game(TwoPlayer), "view", sabotage.FirstBatch()))


@pytest.mark.parametrize("kind", ["TwoPlayer", "Consensus", "Labelled", "Seeded"])
def test_an_honest_game_passes(kind: str) -> None:
    """Also one that differentiates by its own parameters, one with labels, and one that seeds a generator each time."""
    for check in (plays, resumes, micro_batches_add_up, is_finite_in_bf16, compiles, sampling_leaves_training_alone):
        if kind != "Consensus" or check is not micro_batches_add_up:  # a squared mean of gradients couples, and says so
            check(game(getattr(sabotage, kind)))


def test_a_bias_that_a_normalisation_undoes_is_no_coupling() -> None:
    base = game(TwoPlayer)
    micro_batches_add_up(placed(base, "architecture", sabotage.InstanceNormed()))


def test_a_net_that_counts_its_samples_is_disturbed_by_sampling() -> None:
    with pytest.raises(Failed, match="Drawing samples between rounds changes the training"):
        sampling_leaves_training_alone(placed(game(TwoPlayer), "architecture", sabotage.Counting()))


def test_what_compiles_to_something_else() -> None:
    with pytest.raises(Failed, match=r"differs by .* compiled with aot_eager"):
        compiles(placed(game(TwoPlayer), "loss", sabotage.KnowsTheCompiler()))


def test_an_architecture_that_fits_nowhere() -> None:
    with pytest.raises(UserError, match=r"It can be none of the nets G .* D: RuntimeError: boom. Register it with within=NAME"):
        placed(game(TwoPlayer), "architecture", sabotage.Explodes())


def test_tiny_settings_of_a_recipe_are_kept() -> None:
    entry = Entry("recipe", "dcgan-mnist", "ganskit.dcgan.recipes:mnist", "A", {"batch_size": 16, "nets.G.width": 4})
    assert tiny_recipe(entry).batch_size == 16
    assert tiny_recipe(evolve(entry, tiny={"nets.G.width": 4})).batch_size == 4


def test_micro_batches() -> None:
    base = game(TwoPlayer)
    for honest in (sabotage.Draws(), sabotage.Scalar()):
        micro_batches_add_up(placed(base, "loss", honest))
    with pytest.raises(Failed, match="says couples_batch = True"):
        micro_batches_add_up(placed(base, "loss", sabotage.Couples()))
    with pytest.raises(NotApplicable, match="the samples of a batch are coupled by SaysThatItCouples"):
        micro_batches_add_up(placed(base, "loss", sabotage.SaysThatItCouples()))


def test_an_overflow_is_seen() -> None:
    with pytest.raises(Failed, match="not finite in round 0 in bf16"):
        is_finite_in_bf16(placed(game(TwoPlayer), "loss", sabotage.Overflows()))


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("MutableDefault", r"MutableDefault.betas has the mutable default \[0.5, 0.9\]"),
        ("OddDefault", "OddDefault.shape has the default 1j, which a recipe cannot hold"),
        ("WrongDefault", "WrongDefault.weight has the default 0.5, which is not of its type"),
        ("NoType", "NoType.weight has no type: write weight: float = ..."),
        ("UnknownType", "The types of UnknownType's options cannot be resolved"),
        ("NotFrozen", "NotFrozen is not marked with attrs' @frozen"),
        ("Honest", "is not a subclass of ganskit.Loss"),
    ],
)
def test_options_that_no_recipe_can_hold(kind: str, says: str) -> None:
    with pytest.raises((Failed, UserError), match=says):
        is_sound(Entry("loss", "l", f"sabotage:{kind}", "Somebody 2020"))


def test_an_entry_says_where_it_comes_from() -> None:
    with pytest.raises(Failed, match="no summary"):
        is_sound(Entry("loss", "l", "sabotage:Couples"))


def test_datasets() -> None:
    deals(sabotage.Opens())
    with pytest.raises(Failed, match="differs in a fresh process"):
        deals(sabotage.Remembers())
    with pytest.raises(Failed, match="differs when it is read again"):
        deals(sabotage.ImpureData())
    with pytest.raises(Failed, match=r"provides\(\) says"):
        deals(sabotage.WrongShape())


def test_evaluators() -> None:
    base = game(TwoPlayer)
    evaluates(sabotage.Honest(), base)
    with pytest.raises(Failed, match="other numbers the second time"):
        evaluates(sabotage.Fickle(), base)
    with pytest.raises(Failed, match=r"Its protocol tells what was found: about\.mean is .* of one model and .* of another"):
        evaluates(sabotage.TellsWhatItFound(), base)
    for kind, says in sabotage.ODD_RESULTS.items():
        with pytest.raises(UserError, match=says):
            evaluates(getattr(sabotage, kind)(), base)
    with pytest.raises(Failed, match="grad mode"):
        evaluates(sabotage.TurnsGradientsOff(), base)


def test_an_evaluator_that_disturbs_the_training() -> None:
    hooks = torch.nn.modules.module._global_forward_hooks
    try:
        with pytest.raises(Failed, match="Evaluating between rounds changes the training"):
            evaluates(sabotage.HooksEverything(), game(TwoPlayer))
    finally:
        hooks.clear()


KIT = """
from ganskit.testing import Conformance

class TestKit(Conformance):
    distribution = "{}"
"""


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "pytest-xdist"])
def test_a_plugins_own_tests(pytester: pytest.Pytester, site: Path, processes: tuple[str, ...]) -> None:
    """The kit as an author uses it: a sound entry passes, one that couples fails, and the summary counts them."""
    install(
        site,
        "mine",
        f'{HOOK}    registry.loss("sound", "sabotage:Draws", "A")\n    registry.loss("unsound", "sabotage:Couples", "B")\n'
        '    registry.loss("lost", "nowhere:Loss", "C")\n',
    )
    pytester.makepyfile(KIT.format("mine"))
    words = ["-p", "ganskit.testing", "-k", "options or micro or found", "--ganskit-table=t.md", *processes]
    result = pytester.runpytest_subprocess(*words)
    result.stdout.fnmatch_lines_random(
        [
            "*says couples_batch = True*",
            '*loss "lost" from mine cannot be loaded*',
            "ganskit: 3 entries of mine were checked (3 loss)",
        ]
    )
    assert "| loss `sound` | ✓ | ✓ |" in (pytester.path / "t.md").read_text()
    assert "| loss `unsound` | ✓ | ✗ |" in (pytester.path / "t.md").read_text()
    result.assert_outcomes(passed=4, failed=3)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (None, '*There is no distribution "mine" with an entry point*'),
        (f"{HOOK}    pass\n", "*mine registers nothing.*"),
        ("raise RuntimeError('no')", "*is broken: RuntimeError: no*"),
        ("import torch\n" + HOOK + '    registry.loss("l", "sabotage:Draws", "A")\n', "*Listing imports torch*"),
    ],
)
def test_a_plugin_that_is_not_there(pytester: pytest.Pytester, site: Path, code: str | None, says: str) -> None:
    if code is not None:
        install(site, "mine", code)
    pytester.makepyfile(KIT.format("mine"))
    result = pytester.runpytest_subprocess("-p", "ganskit.testing", "-k", "found or torch")
    result.stdout.fnmatch_lines([says])
    assert result.ret == 1
