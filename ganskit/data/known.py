"""How a user gets one dataset: its publisher's files, their sizes and hashes, and the terms."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from ganskit.data.room import in_words
from ganskit.errors import UnknownName, UserError, nearest


@frozen
class Remote:
    """One file at its publisher.

    `when` are the dataset's options that ask for it; `unpacks_to` is the folder that the archive becomes, "" for a file
    that is read as it is.
    """

    url: str
    size_bytes: int | None = None
    sha256: str = ""
    md5: str = ""
    when: Mapping[str, str] = field(factory=dict)
    unpacks_to: str = ""
    called: str = ""

    @property
    def name(self) -> str:
        """The file's name on this computer."""
        return self.called or self.url.rpartition("/")[2]


@frozen
class Known:
    """How a user gets one dataset.

    `defaults` are the options that hold when none are given. `agreement` is what the publisher wants agreed to;
    `by_hand` says how to get what a program may not fetch.
    """

    name: str
    title: str
    licence: str
    files: tuple[Remote, ...]
    defaults: Mapping[str, str] = field(factory=dict)
    agreement: str = ""
    by_hand: str = ""

    @property
    def options(self) -> dict[str, list[str]]:
        """The options that choose among the files, each with its values."""
        found: dict[str, list[str]] = {}
        for file in self.files:
            for key, value in file.when.items():
                found.setdefault(key, []).append(value)
        return {key: sorted(set(values)) for key, values in found.items()}

    def chosen(self, **options: str) -> tuple[Remote, ...]:
        """The files that these options ask for. Raises UserError for an option or a value without any."""
        for key, value in options.items():
            if key not in self.options:
                raise UnknownName(f'"{self.name}" has no option "{key}" to fetch by. {nearest(key, self.options)}')
            if value not in self.options[key]:
                raise UnknownName(f'"{self.name}" has no {key} "{value}". {nearest(value, self.options[key], show=40)}')
        wanted = {**self.defaults, **options}
        files = tuple(file for file in self.files if all(wanted.get(key, value) == value for key, value in file.when.items()))
        if not files:
            together = ", ".join(f"{key}={value}" for key, value in wanted.items())
            raise UserError(f'"{self.name}" has nothing with {together}.')
        return files

    def what(self, **options: object) -> str:
        """The files that a dataset with these options needs, with their sizes; options of other kinds do not matter."""
        files = self.chosen(**self._that_choose(options))
        return ", ".join(f"{f.name} ({in_words(f.size_bytes)})" if f.size_bytes else f.name for f in files)

    def where(self, **options: object) -> str:
        """Their addresses, or "" when a program may not fetch them."""
        return "" if self.by_hand else " ".join(file.url for file in self.chosen(**self._that_choose(options)))

    def how(self, **options: object) -> str:
        """What to do or to type to get them."""
        chosen = {key: value for key, value in self._that_choose(options).items() if self.defaults.get(key) != value}
        command = " ".join(["ganskit data fetch", self.name, *(f"--set {key}={value}" for key, value in chosen.items())])
        return (
            f"{self.by_hand}. Leave it as it is; this checks it, and unpacks it if need be: {command}"
            if self.by_hand
            else command
        )

    def _that_choose(self, options: Mapping[str, object]) -> dict[str, str]:
        known = self.options
        chosen = {key: str(value) for key, value in options.items() if str(value) in known.get(key, ())}
        try:
            self.chosen(**chosen)
        except UserError:
            return {}
        return chosen
