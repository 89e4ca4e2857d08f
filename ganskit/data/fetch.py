"""Getting a known dataset's files from their publisher into the folder of originals."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from attrs import frozen

from ganskit.data.catalog import known
from ganskit.data.files import write_whole
from ganskit.data.guards import disk_errors, locked
from ganskit.data.home import originals
from ganskit.data.known import Known, Remote
from ganskit.data.part import Part
from ganskit.data.published import facts_of
from ganskit.data.room import check_room, free_bytes, in_words
from ganskit.errors import BadData, UserError

if TYPE_CHECKING:
    from ganskit.data.download import Retries

# What an archive of pictures becomes, at most, in its own sizes: these are compressed already. An LMDB has gaps.
_UNPACKED = 1.25


@frozen
class Got:
    """A file that is there now, or the folder it was unpacked to, and how it was checked, in words."""

    path: Path
    how: str


@frozen
class Order:
    """The files that one call of `fetch` is about, and where they go."""

    known: Known
    files: tuple[Remote, ...]
    folder: Path
    mirror: str = ""

    @classmethod
    def of(cls, name: str, mirror: str | None = None, **options: str) -> Order:
        """The files of dataset `name` that `options` choose. Raises UserError for what is not in the catalogue."""
        entry = known(name)
        mirror = os.environ.get("GANSKIT_MIRROR", "") if mirror is None else mirror
        return cls(entry, entry.chosen(**options), originals(name), _mirror(mirror))

    def address(self, remote: Remote) -> str:
        """Where it is downloaded from: the publisher's address, or the same path below the mirror."""
        if not self.mirror:
            return remote.url
        path = urlunsplit(("", "", *urlsplit(remote.url)[2:]))
        return self.mirror.rstrip("/") + path

    def place(self, remote: Remote) -> Path:
        """What is there in the end: the file, or the folder that the archive becomes."""
        return self.folder / (remote.unpacks_to or remote.name)

    def missing(self) -> tuple[Remote, ...]:
        """The files that are not there yet as training reads them."""
        return tuple(remote for remote in self.files if not _exists(self.place(remote)))

    def absent(self) -> tuple[Remote, ...]:
        """Those of them that have to be downloaded: not even the archive is there."""
        return tuple(remote for remote in self.missing() if not _exists(self.folder / remote.name))

    def bytes_needed(self) -> int:
        """Room for what is missing and for what it unpacks to; where a size is not known, it is asked for later."""
        needed = 0
        for remote in self.missing():
            file = self.folder / remote.name
            here = file.stat().st_size if file.is_file() else Part.of(file).size
            needed += max((remote.size_bytes or here) - here, 0)
            needed += round(_UNPACKED * (remote.size_bytes or here)) if remote.unpacks_to else 0
        return needed

    def lines(self) -> Iterator[tuple[str, str]]:
        """What is going to happen, for people."""
        yield self.known.name, self.known.title
        yield "terms", self.known.licence
        for remote in self.files:
            size = in_words(remote.size_bytes) if remote.size_bytes else "size not known before"
            by = "SHA-256" if remote.sha256 else "MD5" if remote.md5 else "length only" if remote.size_bytes else "nothing"
            state = "there" if _exists(self.place(remote)) else f"{size}, checked by {by}"
            yield "file", f"{self.place(remote)}: {state}"
            if not self.known.by_hand:
                yield "", self.address(remote)
        if self.missing():
            yield "needs", f"{in_words(self.bytes_needed())} in {self.folder}, where {in_words(free_bytes(self.folder))} are free"
        if self.known.by_hand and self.absent():
            yield "how", f"{self.known.by_hand}, and put it into {self.folder}"


def fetch(
    order: Order, agreed: bool = False, keep_archive: bool = False, retries: Retries | None = None, progress: bool = False
) -> list[Got]:
    """Download what is missing, check it, unpack it; return what is there then.

    Nothing appears under its name before it is whole, and an interrupted call is carried on by the next. An archive is
    removed once it is unpacked, unless `keep_archive`. `agreed` says that the user has accepted the publisher's terms.
    Raises UserError when they have not or a program may not fetch the files, BadData for files that are not the
    published ones, RunFailed for what network or disk refuse.
    """
    if order.known.by_hand and order.absent():
        names = ", ".join(remote.name for remote in order.absent())
        raise UserError(
            f"{order.known.title}: a program may not download it. To get {names}: {order.known.by_hand}. "
            f"Put it into {order.folder}, and run this again to have it checked."
        )
    if order.absent() and order.known.agreement and not agreed:
        raise UserError(f"{order.known.title}: its publisher wants this agreed to: {order.known.agreement}. Add --yes if you do.")
    with locked(order.folder, progress):
        with disk_errors(order.folder):
            order.folder.mkdir(parents=True, exist_ok=True)
        check_room(order.folder, order.bytes_needed(), f"What is missing of {order.known.name}")
        return [_one(order, remote, keep_archive, retries, progress) for remote in order.files]


def _one(order: Order, remote: Remote, keep_archive: bool, retries: Retries | None, progress: bool) -> Got:
    place, file = order.place(remote), order.folder / remote.name
    record = file.with_name(file.name + ".json")
    if remote.unpacks_to and _exists(place):
        return Got(place, "was there, and is left as it is")
    facts = _checked(remote, file, record, progress)
    how = "was there, "
    if not facts:
        from ganskit.data.download import download  # requests takes its time

        facts = download(remote, order.address(remote), file, retries, progress)
        how = f"{in_words(facts['bytes'])}, {_changed(_read(record), facts)}"
        _write(record, file, facts)
    how += {
        "sha256": "its SHA-256 is the published one",
        "md5": "its MD5 is the published one",
        "length": f"only its length could be checked; its SHA-256 is {facts['sha256']}",
        "nothing": f"nothing is published to check it by; its SHA-256 is {facts['sha256']}",
    }[facts["checked_by"]]
    if remote.unpacks_to:
        from ganskit.data.unpack import unpack

        try:
            unpack(file, place, progress=progress)
        except BadData as error:
            raise BadData(f"{error} To download it again, delete it.") from None
        if not (keep_archive or order.known.by_hand):  # who had to ask for it may want to keep it
            file.unlink()
    return Got(place, how)


def _checked(remote: Remote, file: Path, record: Path, progress: bool) -> dict[str, Any]:
    """What is known of a file that is there already, as recorded or else as found now; {} when it is not there.

    Raises BadData when it is not the published one.
    """
    if not file.is_file():
        return {}
    facts, status = _read(record), file.stat()
    unchanged = (facts.get("bytes"), facts.get("modified_ns")) == (status.st_size, status.st_mtime_ns)
    if unchanged and facts.get("checked_by") and facts.get("sha256") and remote.sha256 in ("", facts["sha256"]):
        return facts
    try:
        facts = facts_of(file, remote, progress)
    except BadData as error:
        raise BadData(f"{error} Move it away and run this again.") from None
    _write(record, file, facts)
    return facts


def _changed(before: dict[str, Any], now: dict[str, Any]) -> str:
    if not before.get("sha256") or before["sha256"] == now["sha256"]:
        return ""
    return f"ANOTHER FILE than on {before.get('fetched', 'an earlier day')} (SHA-256 was {before['sha256']}), "


def _read(record: Path) -> dict[str, Any]:
    try:
        facts = json.loads(record.read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _write(record: Path, file: Path, facts: dict[str, Any]) -> None:
    """Beside the file, for whoever wants to compare: address, bytes, SHA-256, how it was checked, when."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    text = json.dumps({**facts, "fetched": now, "modified_ns": file.stat().st_mtime_ns}, indent=1)
    write_whole(record, f"{text}\n".encode())


def _exists(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and any(place.iterdir()))


def _mirror(address: str) -> str:
    parts = urlsplit(address)
    if address and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise UserError(f'GANSKIT_MIRROR is "{address}": expected an address that begins with http:// or https://.')
    if parts.password:
        raise UserError("GANSKIT_MIRROR holds a password, which would be shown and kept: put it into ~/.netrc.")
    return address
