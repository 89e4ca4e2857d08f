"""What fixes each constant of the recipes: reads a distribution's constants.toml and finds the sentence for a constant."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from attrs import field, frozen

Table = Mapping[str, Any]


class NoSentence(Exception):
    """A constant that no sentence explains, a sentence that explains nothing, or one that cannot be read."""


@frozen
class Sentence:
    """Where a value comes from: exactly one of `paper` (a section), `code` (a file of the authors') and `choice` (our reason).

    `says` quotes the paper or the code. `path` is a dotted path in `ganskit.recipe.to_table`, where * stands for anything.
    Without `recipes` it holds for every recipe, of other distributions, too.
    """

    path: str = ""
    value: object = None
    recipes: tuple[str, ...] = field(default=(), converter=tuple)
    paper: str = ""
    code: str = ""
    choice: str = ""
    says: str = ""
    note: str = ""
    of: str = ""
    what: str = ""

    def __attrs_post_init__(self) -> None:
        if sum(map(bool, (self.paper, self.code, self.choice))) != 1 or bool(self.says) == bool(self.choice):
            raise NoSentence(f"{self.title}: give `paper` or `code` with `says`, or `choice`.")

    @property
    def title(self) -> str:
        """What it is about."""
        return f"{self.path} = {self.value!r}" if self.path else f"{self.of}: {self.what}"

    def __str__(self) -> str:
        """As markdown, on one line."""
        if self.choice:
            return f"ganskit's choice: {self.choice}"
        says = f"“{self.says}” ({self.paper})" if self.paper else f"`{self.says}` (`{self.code}`)"
        return f"{says}; {self.note}" if self.note else says

    def fits(self, path: str, value: object) -> bool:
        """Whether it is about this constant. 1 is not True."""
        return fnmatchcase(path, self.path) and type(value) is type(self.value) and value == self.value


@frozen(eq=False)
class Sentences:
    """The constants.toml of one or several distributions, and which of their sentences have been used."""

    files: Sequence[Path]
    distributions: tuple[str, ...]
    recipes: Mapping[str, Table]
    equations: Mapping[str, Table]
    constants: tuple[Sentence, ...]
    in_code: tuple[Sentence, ...]
    _used: set[int] = field(factory=set)

    @classmethod
    def read(cls, files: Sequence[Path]) -> Sentences:
        """All tables of the files together."""
        tables = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
        merged: dict[str, dict[str, Table]] = {"recipes": {}, "equations": {}}
        for table in tables:
            for key, into in merged.items():
                if twice := into.keys() & table.get(key, {}).keys():
                    raise NoSentence(f"{key}.{min(twice)} is in two files.")
                into |= table.get(key, {})
        return cls(
            files=files,
            distributions=tuple(table["distribution"] for table in tables),
            recipes=merged["recipes"],
            equations=merged["equations"],
            constants=tuple(Sentence(**row) for table in tables for row in table.get("constants", ())),
            in_code=tuple(Sentence(**row) for table in tables for row in table.get("in_code", ())),
        )

    def find(self, recipe: str, path: str, value: object) -> Sentence:
        """The recipe's own sentence on this constant, or that of the recipe it is based on, or the general one.

        Raises NoSentence, naming the constant, for none or several.
        """
        fitting = [each for each in self.constants if each.fits(path, value)]
        for name in self._with_bases(recipe):
            if found := [each for each in fitting if name in each.recipes]:
                return self._only(found, recipe, path, value)
        return self._only([each for each in fitting if not each.recipes], recipe, path, value)

    def within(self, entries: set[str]) -> list[Sentence]:
        """What is fixed in the code of these entries of the registry, and is no option of theirs."""
        found = [each for each in self.in_code if each.of in entries]
        self._used.update(map(id, found))
        return found

    def unused(self) -> Iterator[str]:
        """Every sentence that was not found by anything."""
        for each in (*self.constants, *self.in_code):
            if id(each) not in self._used:
                yield f"{each.title}, for {', '.join(each.recipes) or 'every recipe'}"

    def _with_bases(self, recipe: str) -> Iterator[str]:
        while recipe:
            yield recipe
            recipe = self.recipes.get(recipe, {}).get("base", "")

    def _only(self, found: Sequence[Sentence], recipe: str, path: str, value: object) -> Sentence:
        if len(found) != 1:
            how_many = "two sentences say" if found else "no sentence says"
            raise NoSentence(f"{recipe}: {how_many} what fixes {path} = {value!r}. Add one: see {self.files[-1].name}.")
        self._used.add(id(found[0]))
        return found[0]


def leaves(table: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of nested tables by dotted path; an empty list is a leaf, and so is a list of plain values."""
    if isinstance(table, Mapping):
        for key, value in table.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    elif isinstance(table, (list, tuple)) and any(isinstance(each, (Mapping, list)) for each in table):
        for index, value in enumerate(table):
            yield from leaves(value, f"{path}.{index}")
    else:
        yield path, table
