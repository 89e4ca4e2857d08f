"""One file over HTTP: carried on where it stopped, checked, and never there under its name before it is whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3
from attrs import define, frozen
from requests.adapters import HTTPAdapter
from tqdm import tqdm

from ganskit.data.files import printable
from ganskit.data.known import Remote
from ganskit.data.part import Part
from ganskit.data.published import bar, facts_of
from ganskit.data.room import check_room, in_words
from ganskit.errors import BadData, RunFailed

WRONG = ".wrong"

_CHUNK = 2**16  # what a lost connection can take with it
_TRY_AGAIN_LATER = (429, 500, 502, 503, 504)
_KEPT = "What came is kept: run it again to carry on."
_NOTHING = "Nothing came: see whether the network is up, and HTTPS_PROXY right. GANSKIT_MIRROR names another server."


@frozen
class Retries:
    """`tries` in a row that bring nothing are the end; `wait_s` seconds lie between two, `timeout_s` without a byte end one."""

    tries: int = 6
    wait_s: float = 2.0
    timeout_s: float = 60.0


class _Dropped(Exception):
    """The connection ended before the file did."""


def download(remote: Remote, url: str, file: Path, retries: Retries | None = None, progress: bool = False) -> dict[str, Any]:
    """Get `remote` from `url` as `file`, and return what is known of it: url, bytes, sha256, checked_by.

    It is written to `file`.part and renamed when it is whole and its hash is the published one. What is there of an
    earlier attempt is carried on with, unless the server's file has changed. Raises RunFailed for what the network, the
    server or the disk refuse, and BadData when the file is not the one that was published.
    """
    retries = retries or Retries()
    part = Part.of(file)
    try_again = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_Dropped),
        stop=_NothingNew(part, retries.tries),
        wait=tenacity.wait_fixed(retries.wait_s),
        reraise=True,
    )
    with _session(retries) as session, bar(file.name, remote.size_bytes, progress) as shown:
        try:
            try_again(_carry_on, session, remote, url, part, retries.timeout_s, shown)
        except _Dropped as error:
            raise RunFailed(f"{url}: {error}, {retries.tries} times without a new byte. {_kept(part)}") from error
    try:
        facts = facts_of(part.file, remote, progress)
    except BadData as error:
        wrong = file.with_name(file.name + WRONG)
        os.replace(part.file, wrong)
        part.forget()
        raise BadData(f"{error} It came from {url}. It is set aside as {wrong.name}: look at it, delete it, try again.") from None
    os.replace(part.file, file)
    part.forget()
    return {"url": url, **facts}


@define
class _NothingNew:
    """Stops after `tries` attempts in a row after which there was no more than ever before."""

    part: Part
    tries: int
    most: int = 0
    in_vain: int = 0

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        self.in_vain = 0 if self.part.size > self.most else self.in_vain + 1
        self.most = max(self.most, self.part.size)
        return self.in_vain >= self.tries


def _session(retries: Retries) -> requests.Session:
    session = requests.Session()  # knows http and https only, and the proxies of the environment
    session.max_redirects = 10
    # A body must come as it is stored: a compressed one would have other bytes, and other ranges.
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": "ganskit"})
    again = urllib3.Retry(
        retries.tries - 1,
        redirect=False,
        status_forcelist=_TRY_AGAIN_LATER,
        backoff_factor=retries.wait_s / 2,
        respect_retry_after_header=False,  # it may ask for a day
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=again))
    return session


def _carry_on(session: requests.Session, remote: Remote, url: str, part: Part, timeout_s: float, shown: tqdm[Any]) -> None:
    """One attempt at the rest of the file. Raises _Dropped when it is worth another."""
    note, start = part.note(), part.size
    if note and note["url"] != url and not (remote.sha256 or remote.md5):
        note = {}  # of another server, and nothing would tell whether the two halves belong together
    if note and start == note["size"]:
        return
    headers = {}
    if note:
        headers["Range"] = f"bytes={start}-"
        if note["version"] and note["url"] == url:
            headers["If-Range"] = note["version"]
    with _response(session, url, headers, timeout_s, part) as response:
        _refuse(response, url, remote, part)
        size = _size(response) or remote.size_bytes
        if response.status_code == 416 and size == start:
            return  # nothing comes after the last byte
        if remote.size_bytes and size != remote.size_bytes:
            raise BadData(
                f"{url} is not the published file: it has {size:,} bytes, expected {remote.size_bytes:,}. "
                "GANSKIT_MIRROR names another server."
            )
        if response.status_code != 200:
            if not _goes_on(response, note, start, url):
                part.forget()
                raise _Dropped("the server's file has changed")
        else:  # it knows no ranges, or its file has changed
            start = 0
            part.begin(url, size, _version(response))
        if size is not None:
            check_room(part.file.parent, size - start, part.file.stem)
        shown.reset(size)
        shown.update(start)
        _receive(response, part, size, shown)
    if size is not None and part.size < size:
        raise _Dropped(f"the connection ended after {part.size:,} of {size:,} bytes")


def _kept(part: Part) -> str:
    """What to do after the network failed."""
    return _KEPT if part.size else _NOTHING


@contextmanager
def _response(
    session: requests.Session, url: str, headers: dict[str, str], timeout_s: float, part: Part
) -> Iterator[requests.Response]:
    try:
        response = session.get(url, headers=headers, stream=True, timeout=timeout_s)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        cause = getattr(error.args[0] if error.args else error, "reason", error)
        raise RunFailed(f"{url} cannot be reached: {printable(str(cause))}. {_kept(part)}") from error
    with response:
        yield response


def _refuse(response: requests.Response, url: str, remote: Remote, part: Part) -> None:
    """Raise RunFailed for every answer that is not a file."""
    schemes = [urlsplit(each.url).scheme for each in (*response.history, response)]
    if schemes[0] == "https" and "http" in schemes and not (remote.sha256 or remote.md5):
        raise RunFailed(f"{url} leads to {response.url}, which is not encrypted, and no hash is known to check the file by.")
    code = response.status_code
    if code == 200 and response.headers.get("Content-Type", "").startswith("text/html"):
        raise RunFailed(f"{url} gives a web page and not the file: open it in a browser, it may say why.")
    encoding = response.headers.get("Content-Encoding", "").strip()
    checked = remote.sha256 or remote.md5 or remote.size_bytes  # for some servers call a .gz encoded, which is as it should be
    if code in (200, 206) and encoding.lower() not in ("", "identity") and not checked:
        how = f"encoded as {printable(encoding[:40])}, which was not asked for"
        raise RunFailed(f"{url} comes {how}, and neither length nor hash is known to check the file by. Download it by hand.")
    if code in (200, 206, 416):
        return
    where = url if response.url == url else f"{url} (which leads to {response.url})"
    advice = {
        401: "wants a password: it may have to be downloaded by hand",
        403: "refuses it: it may have to be downloaded by hand",
        404: "does not have it: the publisher may have moved it. GANSKIT_MIRROR names another server",
        407: "is behind a proxy that wants a password: see HTTPS_PROXY",
        410: "does not have it any more. GANSKIT_MIRROR names another server",
    }.get(code, f"is in trouble: try later. {_kept(part).rstrip('.')}" if code in _TRY_AGAIN_LATER else "gives no file")
    raise RunFailed(f"{where}: the server says {code} {printable(response.reason or '')} and {advice}.")


def _size(response: requests.Response) -> int | None:
    """Bytes of the whole file, when the server says so."""
    if response.status_code != 200:
        text = response.headers.get("Content-Range", "").rpartition("/")[2]
    else:
        text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _goes_on(response: requests.Response, note: dict[str, Any], start: int, url: str) -> bool:
    """Whether what the server sends is the rest of what the note is about, from byte `start` on."""
    first = response.headers.get("Content-Range", "").removeprefix("bytes").strip().partition("-")[0]
    if not note or response.status_code != 206 or first != str(start):
        return False
    same_size = None in (_size(response), note["size"]) or _size(response) == note["size"]
    version = _version(response) if url == note["url"] else ""
    return same_size and (not version or not note["version"] or version == note["version"])


def _version(response: requests.Response) -> str:
    """What If-Range may hold: a strong ETag, or else the time of the last change."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _receive(response: requests.Response, part: Part, size: int | None, shown: tqdm[Any]) -> None:
    chunks = response.raw.stream(_CHUNK, decode_content=False)
    try:
        with part.file.open("ab") as stream:
            while data := _next(chunks):
                if size is not None and stream.tell() + len(data) > size:
                    raise BadData(f"{response.url} sends more than the {size:,} bytes of the file.")
                stream.write(data)
                shown.update(len(data))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise RunFailed(f"{part.file} cannot be written: {error}.") from error
        missing = f"{in_words(size - part.size)} are missing" if size else "the rest is missing"
        raise RunFailed(f"The disk is full: of {part.file.name} {missing}. Make room. {_KEPT}") from error


def _next(chunks: Iterator[bytes]) -> bytes:
    try:
        return next(chunks, b"")
    except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
        raise _Dropped(f"the connection was lost ({printable(str(error.args[0] if error.args else error))})") from error
