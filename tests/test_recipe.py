"""Recipes: the registered ones, their TOML, and what --set does to them."""

from __future__ import annotations

import tomllib
from functools import reduce
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganskit import (
    Adam,
    Claim,
    Minimax,
    Noise,
    NonSaturating,
    Recipe,
    RMSprop,
    Shape,
    TwoPlayer,
    UserError,
    evolve,
    named,
    override,
    use,
)
from ganskit.cli.describe import parameter_counts
from ganskit.evaluate.svm.extract import pooled
from ganskit.optim import Decay
from ganskit.plugins import registry
from ganskit.recipe import from_table, read_toml, to_table, to_toml

NAMES = [entry.name for entry in registry().entries("recipe") if entry.distribution == "ganskit"]
COMMON = [f"nets.{net}.{option}" for net in "GD" for option in ("width=64", "kernel=4", "norm=running")]
"""The variant that most people know."""


def again(recipe: Recipe) -> Recipe:
    return from_table(tomllib.loads(to_toml(recipe)))


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """One whose options are none of the defaults."""
    adam = Adam(lr=1e-3, weight_decay=1e-5)
    return evolve(named("dcgan-mnist"), game=TwoPlayer(noise=Noise(100, "normal"), order="GD", G_opt=adam, D_opt=adam))


def test_all_recipes_are_found() -> None:
    assert len(NAMES) == 9


@pytest.mark.parametrize("name", NAMES)
def test_a_registered_recipe_and_its_toml_are_equal(name: str) -> None:
    found = named(name)
    assert found.name == name
    assert again(found) == found


@pytest.mark.parametrize(
    ("settings", "g", "d"),
    [([], 18_885_760, 17_232_768), ([*COMMON, "nets.G.per_unit=false", "game.noise.prior=normal"], 3_576_704, 2_765_568)],
    ids=["the authors' 5x5", "the common 4x4"],
)
def test_parameter_counts(settings: list[str], g: int, d: int) -> None:
    assert parameter_counts(override(named("dcgan-lsun"), settings)) == {"G": g, "D": d}


@pytest.mark.parametrize(("name", "size"), [("dcgan-imagenet32", 28_672), ("dcgan-svhn", 7_168)])
def test_feature_sizes(name: str, size: int) -> None:
    net = named(name).nets["D"].build(Shape((3, 32, 32), (1,)))
    with torch.no_grad():
        assert pooled(net, torch.rand(2, 3, 32, 32)).shape == (2, size)


def test_the_paper_is_what_the_recipes_say() -> None:
    lsun, svhn, faces = named("dcgan-lsun"), named("dcgan-svhn"), named("dcgan-faces")
    assert lsun.game == TwoPlayer(
        loss=NonSaturating(), noise=Noise(100, "uniform"), order="GD", G_opt=lsun.game.D_opt,
        D_opt=Adam(lr=2e-4, beta1=0.5, beta2=0.999, eps=1e-8, weight_decay=1e-5),
    )  # fmt: skip
    assert (lsun.batch_size, lsun.samples) == (128, 5 * 3_033_042)
    assert (svhn.batch_size, svhn.game.noise, svhn.game.G_opt.lr) == (64, Noise(100, "normal"), 5e-4)
    assert faces.samples % 25 == 0
    assert named("dcgan-imagenet32").game.noise == Noise(256, "uniform")


def test_fields_that_are_none_are_left_out(recipe: Recipe) -> None:
    assert recipe.ema is None
    table = to_table(recipe)
    assert "ema" not in table
    assert "schedule" not in table["game"]["G_opt"]
    assert to_table(evolve(recipe, ema=0.9))["ema"] == 0.9


def test_toml_names_the_distributions(recipe: Recipe) -> None:
    assert tomllib.loads(to_toml(recipe))["plugins"].keys() == {"ganskit"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["batch_size=32"], {"batch_size": 32}),
        (["samples=1e6"], {"samples": 1_000_000}),
        ([" samples = 7 "], {"samples": 7}),
        (["ema=0.5"], {"ema": 0.5}),
        (["name=mine"], {"name": "mine"}),
        (['name="3"'], {"name": "3"}),
        (
            ["claims=[{states='one'}, {states='two'}]", "claims.1.states=three"],
            {"claims": (Claim(states="one"), Claim(states="three"))},
        ),
        (["batch_size=3", "batch_size=4"], {"batch_size": 4}),
    ],
)
def test_settings_of_the_recipe_itself(recipe: Recipe, settings: list[str], expected: dict[str, Any]) -> None:
    assert override(recipe, settings) == evolve(recipe, **expected)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["loss=minimax"], {"loss": Minimax()}),
        (["G_opt={use='rmsprop', lr=1, alpha=0.5}"], {"G_opt": RMSprop(lr=1.0, alpha=0.5)}),
        (["G_opt.lr=1"], {"G_opt": Adam(lr=1.0, weight_decay=1e-5)}),
        (["G_opt.schedule={start=1, stop=2e3}"], {"G_opt": Adam(lr=1e-3, weight_decay=1e-5, schedule=Decay(1, 2000))}),
        (["noise={dim=3}"], {"noise": Noise(3)}),
        (["noise.dim=3"], {"noise": Noise(3, "normal")}),
        (["views=[]"], {"views": ()}),
    ],
)
def test_settings_of_the_game(recipe: Recipe, settings: list[str], expected: dict[str, Any]) -> None:
    assert override(recipe, [f"game.{s}" for s in settings]).game == evolve(recipe.game, **expected)


def test_a_net_has_options(recipe: Recipe) -> None:
    assert override(recipe, ["nets.D.width=8"]).nets == {**recipe.nets, "D": evolve(recipe.nets["D"], width=8)}


def test_replacing_a_value_drops_the_old_options(recipe: Recipe) -> None:
    assert recipe.game.G_opt != Adam()
    assert override(recipe, ["game.G_opt=adam"]).game.G_opt == Adam()
    assert override(recipe, ["game=two-player"]).game == TwoPlayer()


def test_later_settings_see_earlier_ones(recipe: Recipe) -> None:
    assert override(recipe, ["game.G_opt=sgd", "game.G_opt.momentum=0.5"]).game.G_opt == use("sgd", momentum=0.5)
    with pytest.raises(UserError, match="momentum"):
        override(recipe, ["game.G_opt.momentum=0.5", "game.G_opt=sgd"])


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("batch_sise=3", ['no option "batch_sise"', '"batch_size"']),
        ("game.G_opt.learning=3", ['game.G_opt has no option "learning"', "Known: beta1"]),
        ("nets.E.width=3", ['nets has no "E"', "D, G"]),
        ("game.loss=minimaxx", ['no loss "minimaxx"', '"minimax"']),
        ("game.loss={use='minimax', weight=1}", ['minimax has no option "weight"']),
        ("game.G_opt={use='adam', beta_1=1}", ['adam has no option "beta_1"', '"beta1"']),
        ("nets.G=dcgan.discriminatr", ['no architecture "dcgan.discriminatr"', '"dcgan.discriminator"']),
        ("nets.G={use='adam'}", ['no architecture "adam"']),
        ("data=minst", ['no dataset "minst"', '"mnist"']),
        ("batch_size=many", ["batch_size", "a whole number", "'many'"]),
        ("batch_size=1.5", ["batch_size", "a whole number", "1.5"]),
        ("batch_size=true", ["batch_size", "a whole number"]),
        ("batch_size=0", ["batch_size is 0", "1 or more"]),
        ("checkpoint_every=0", ["checkpoint_every is 0", "1 or more"]),
        ("sample_every=-1", ["sample_every is -1", "1 or more"]),
        ("log_every=0", ["log_every is 0", "1 or more"]),
        ("batch_size=[1]", ["batch_size", "a whole number"]),
        ("batch_size=", ["batch_size", "a whole number"]),
        ("game.G_opt.lr=fast", ["game.G_opt.lr", "a number", "'fast'"]),
        ("game.G_opt.lr=0", ["lr is 0", "above 0"]),
        ("game.same_batch=1", ["game.same_batch", "true or false"]),
        ("game.order=GG", ['game.order is "GG"', '"DG"']),
        ("game.penalties=r1", ["game.penalties", "a list"]),
        ("game.penalties=['r9']", ['no penalty "r9"']),
        ("game.noise=5", ["game.noise", "a table with dim, prior", "5"]),
        ("game.noise=normal", ["game.noise", "a table with dim, prior", "'normal'"]),
        ("game.noise.prior=gaussian", ["gaussian", "normal"]),
        ("game.loss={}", ["game.loss", 'use = "NAME"']),
        ("game.loss={use=3}", ["game.loss", 'use = "NAME"']),
        ("game={}", ["game", 'use = "NAME"']),
        ("data={size=32}", ["data", 'use = "NAME"']),
        ("data={use='mnist', kind='x'}", ['mnist has no option "kind"']),
        ("game.loss.weight.more=3", ["game.loss", "weight"]),
        ("seed.more=3", ["seed", "more"]),
        ("claims.9=x", ["claims", '"9"']),
        ("ema=1", ["ema", "below 1"]),
        ("accumulate=7", ["batch_size 64", "accumulate = 7"]),
        ("precision=fp16", ['precision is "fp16"', '"bf16"']),
        ("batch_size", ["key=value"]),
        ("=3", ["key=value"]),
        ("batch_size=1\nsamples = 2", ["batch_size", "a whole number"]),
    ],
)
def test_a_wrong_setting_is_refused_with_advice(recipe: Recipe, setting: str, says: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        override(recipe, [setting])
    for text in says:
        assert text in str(caught.value)


@pytest.mark.parametrize("name", ["os:system", "os.path:join", "ganskit.losses:Minimax"])
def test_a_path_is_never_imported_from_text(recipe: Recipe, name: str) -> None:
    table = to_table(recipe)
    table["game"]["loss"] = {"use": name}
    with pytest.raises(UserError, match=f"{name} is not registered"):
        from_table(table)
    with pytest.raises(UserError, match=f"{name} is not registered"):
        override(recipe, [f'game.loss={{use="{name}"}}'])


def test_everything_wrong_is_named_at_once(recipe: Recipe) -> None:
    table = to_table(recipe) | {"batch_size": "x", "sede": 1}
    table["game"]["noise"]["dim"] = 1.5
    del table["samples"]
    with pytest.raises(UserError) as caught:
        from_table(table)
    for text in (
        "recipe.batch_size",
        "samples is missing",
        'no option "sede". Did you mean "seed"?',
        "noise.dim: expected a whole number",
    ):
        assert text in str(caught.value)


@pytest.mark.parametrize(
    "text", [b"name = ", b"\xff\xfe", b"x = " + b"1" * 5000, b"a = " + b"[" * 5000], ids=["cut off", "no text", "long", "deep"]
)
def test_a_file_that_is_no_toml(tmp_path: Any, text: bytes) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(text)
    with pytest.raises(UserError, match=r"bad.toml cannot be read"):
        read_toml(file)


def test_a_text_that_is_not_unicode(recipe: Recipe) -> None:
    with pytest.raises(UserError, match=r"not Unicode.*caf"):
        to_toml(evolve(recipe, data=use("folder", path="/caf\udce9")))


def paths(table: dict[str, Any], start: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where every value of a nested table is."""
    below = [path for key, value in table.items() if isinstance(value, dict) for path in paths(value, (*start, key))]
    return [(*start, key) for key in table] + below


TABLE = to_table(named("dcgan-mnist"))
PATHS = [".".join(path) for path in paths(TABLE)]
WORDS = st.sampled_from(["adam", "minimax", "mnist", "two-player", "dcgan.generator", "normal", "DG", "fp32", "r1", "os:system"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS
KEYS = st.text(max_size=3) | st.sampled_from(["use", "lr", "kind", "name", "self", "cls", "0", "dim", "width"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(key)} = {toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


SETTINGS = st.text() | st.builds(
    "{}={}".format,
    st.sampled_from(PATHS) | st.text() | st.builds("{}.{}".format, st.sampled_from(PATHS), KEYS),
    st.text() | VALUES.map(toml),
)


@given(st.lists(SETTINGS, max_size=3))
def test_any_settings_give_a_recipe_that_toml_can_hold_or_a_user_error(settings: list[str]) -> None:
    try:
        changed = override(named("dcgan-mnist"), settings)
    except UserError:
        return
    assert isinstance(changed, Recipe)
    assert again(changed) == changed


@given(st.sampled_from(paths(TABLE)), VALUES)
def test_any_table_gives_a_recipe_or_a_user_error(path: tuple[str, ...], value: object) -> None:
    table = to_table(named("dcgan-mnist"))
    reduce(lambda inner, key: inner[key], path[:-1], table)[path[-1]] = value
    try:
        assert isinstance(from_table(table), Recipe)
    except UserError:
        return
