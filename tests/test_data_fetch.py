"""`ganskit data fetch` against a server that misbehaves."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from http_server import Site, serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganskit.cli.data_fetch import command
from ganskit.data.catalog import CATALOG, not_found
from ganskit.data.download import Retries, download
from ganskit.data.fetch import Order, fetch
from ganskit.data.known import Known, Remote
from ganskit.errors import BadData, DataNotFound, GanskitError, RunFailed, UnknownName, UserError

DATA = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(DATA).hexdigest()
AT_ONCE = Retries(tries=3, wait_s=0, timeout_s=5)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANSKIT_DATA", str(tmp_path / "home"))
    for name in ("GANSKIT_MIRROR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture(scope="module")
def server() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def site(server: Site) -> Site:
    server.pages.clear()
    server.asked.clear()
    return server


def get(site: Site, tmp_path: Path, path: str = "/a.bin", retries: Retries = AT_ONCE, **published) -> dict:
    return download(Remote(site.address + path, **published), site.address + path, tmp_path / "a.bin", retries)


def left(folder: Path) -> list[str]:
    """What is in it, but for the locks."""
    return sorted(file.name for file in folder.iterdir() if file.suffix != ".lock")


# One file


@pytest.mark.parametrize(
    ("published", "by"),
    [
        ({"sha256": SHA256, "size_bytes": len(DATA)}, "sha256"),
        ({"md5": hashlib.md5(DATA).hexdigest()}, "md5"),
        ({"size_bytes": len(DATA)}, "length"),
        ({}, "nothing"),
    ],
)
def test_a_file_is_checked_by_what_is_published(site: Site, tmp_path: Path, published: dict, by: str) -> None:
    site.add("/a.bin", DATA)
    facts = get(site, tmp_path, **published)
    assert (facts["checked_by"], facts["sha256"], facts["bytes"]) == (by, SHA256, len(DATA))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert left(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("options", [{}, {"chunked": True}, {"says_length": "none"}])
@pytest.mark.parametrize(
    "version", [{}, {"etag": ""}, {"etag": 'W/"weak"'}, {"etag": "", "changed": "Mon, 1 Jan 2018 00:00:00 GMT"}]
)
def test_dropped_connections_are_carried_on(site: Site, tmp_path: Path, options: dict, version: dict) -> None:
    """Whether or not the server says how long the file is, and which version."""
    drops = [100_000, 0, 150_000, 1] if not options else []
    page = site.add("/a.bin", DATA, drop_after=drops, **options, **version)
    assert get(site, tmp_path, sha256=SHA256, size_bytes=len(DATA))["checked_by"] == "sha256"
    if drops:
        assert site.ranges() == ["", "bytes=100000-", "bytes=100000-", "bytes=250000-", "bytes=250001-"]
        expected = {page.etag if '"1"' in page.etag else page.changed or None}
        assert {headers.get("If-Range") for _, headers in site.asked[1:]} == expected


def test_a_length_that_only_the_publisher_says(site: Site, tmp_path: Path) -> None:
    """The server closes the connection early and has not said how much there is."""
    site.add("/a.bin", DATA, drop_after=[70_000], says_length="none")
    get(site, tmp_path, size_bytes=len(DATA))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.ranges() == ["", "bytes=70000-"]


def test_it_carries_on_as_long_as_something_new_comes(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", DATA, drop_after=[60_000] * 8)
    get(site, tmp_path, sha256=SHA256)
    assert len(site.asked) == 9


def test_nothing_new_is_the_end_and_the_next_call_carries_on(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", DATA, drop_after=[100_000, 0, 0, 0, 0, 0])
    with pytest.raises(RunFailed, match=r"3 times without a new byte\. What came is kept"):
        get(site, tmp_path, sha256=SHA256)
    assert left(tmp_path) == ["a.bin.part", "a.bin.part.json"]
    site.add("/a.bin", DATA)
    get(site, tmp_path, sha256=SHA256)
    assert site.ranges()[-1] == "bytes=100000-"
    assert left(tmp_path) == ["a.bin"]


def test_a_server_without_ranges_starts_over(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", DATA, drop_after=[100_000], ranges=False)
    get(site, tmp_path, size_bytes=len(DATA))
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_server_that_sends_a_little_at_a_time(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", DATA, drop_after=[1000], most=200_000)
    get(site, tmp_path, sha256=SHA256)
    assert site.ranges() == ["", "bytes=1000-", "bytes=201000-", "bytes=401000-"]


@pytest.mark.parametrize("heeds_if_range", [True, False])
@pytest.mark.parametrize("longer", [0, 1000])
def test_a_file_that_changes_meanwhile_starts_over(site: Site, tmp_path: Path, heeds_if_range: bool, longer: int) -> None:
    site.add("/a.bin", b"old" + DATA[3:], drop_after=[100_000, 0, 0, 0])
    with pytest.raises(RunFailed):
        get(site, tmp_path)
    site.add("/a.bin", DATA + b"x" * longer, etag='"2"', heeds_if_range=heeds_if_range)
    get(site, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == DATA + b"x" * longer


def test_a_file_that_becomes_shorter_starts_over(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", b"old" * 100_000, drop_after=[200_000, 0, 0, 0], etag="")
    with pytest.raises(RunFailed):
        get(site, tmp_path)
    site.add("/a.bin", DATA[:1000], etag="")
    get(site, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == DATA[:1000]


def test_a_whole_part_needs_no_server(site: Site, tmp_path: Path) -> None:
    """Killed between the last byte and the new name."""
    (tmp_path / "a.bin.part").write_bytes(DATA)
    url = site.address + "/a.bin"
    (tmp_path / "a.bin.part.json").write_text(json.dumps({"url": url, "size": len(DATA), "version": ""}))
    get(site, tmp_path, sha256=SHA256)
    (tmp_path / "a.bin").rename(tmp_path / "a.bin.part")
    (tmp_path / "a.bin.part.json").write_text(json.dumps({"url": url, "size": None, "version": ""}))
    site.add("/a.bin", DATA)
    get(site, tmp_path, sha256=SHA256)
    assert site.ranges() == [f"bytes={len(DATA)}-"]
    assert left(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("note", ["", "{", "[]", '{"url": 1}'])
def test_a_part_of_unknown_origin_is_not_used(site: Site, tmp_path: Path, note: str) -> None:
    (tmp_path / "a.bin.part").write_bytes(b"what is this?")
    if note:
        (tmp_path / "a.bin.part.json").write_text(note)
    site.add("/a.bin", DATA)
    get(site, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.ranges() == [""]


@pytest.mark.parametrize(("published", "carried_on"), [({"sha256": SHA256}, True), ({}, False)])
def test_another_server_carries_on_where_a_hash_watches(site: Site, tmp_path: Path, published: dict, carried_on: bool) -> None:
    (tmp_path / "a.bin.part").write_bytes(DATA[:1000])
    note = {"url": "http://elsewhere/a.bin", "size": len(DATA), "version": '"other"'}
    (tmp_path / "a.bin.part.json").write_text(json.dumps(note))
    site.add("/a.bin", DATA)
    get(site, tmp_path, **published)
    assert site.ranges() == ["bytes=1000-" if carried_on else ""]
    assert (tmp_path / "a.bin").read_bytes() == DATA


@pytest.mark.parametrize(
    "published", [{"sha256": "0" * 64}, {"md5": "0" * 32}, {"sha256": "0" * 64, "md5": hashlib.md5(DATA).hexdigest()}]
)
def test_a_wrong_hash_is_set_aside(site: Site, tmp_path: Path, published: dict) -> None:
    site.add("/a.bin", DATA)
    with pytest.raises(BadData, match=r"a\.bin.* is not the published file.*expected 000.*set aside as a\.bin\.wrong") as error:
        get(site, tmp_path, **published)
    assert (SHA256 if "sha256" in published else hashlib.md5(DATA).hexdigest()) in str(error.value)
    assert left(tmp_path) == ["a.bin.wrong"]
    get(site, tmp_path, sha256=SHA256)
    assert site.ranges() == ["", ""]


def test_a_wrong_length_is_refused_before_it_comes(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", DATA)
    with pytest.raises(BadData, match=r"has 512,000 bytes, expected 512,001"):
        get(site, tmp_path, size_bytes=len(DATA) + 1)
    assert left(tmp_path) == []


def test_more_than_the_publisher_says_is_cut_off(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", DATA, says_length="none")
    with pytest.raises(BadData, match=r"more than the 100,000 bytes"):
        get(site, tmp_path, size_bytes=100_000)


def test_a_content_length_that_is_too_long(site: Site, tmp_path: Path) -> None:
    """The server promises five bytes that it does not have, and says so when it is asked for them."""
    site.add("/a.bin", DATA, says_length=len(DATA) + 5)
    get(site, tmp_path, sha256=SHA256)
    site.add("/a.bin", DATA, says_length=len(DATA) + 5, ranges=False, etag='"2"')
    with pytest.raises(RunFailed, match=r"5 more expected\)\), 3 times without a new byte"):
        get(site, tmp_path, sha256=SHA256)


def test_a_content_length_that_is_too_short(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", DATA, says_length=1000)
    with pytest.raises(BadData, match="not the published file"):
        get(site, tmp_path, sha256=SHA256)
    assert left(tmp_path) == ["a.bin.wrong"]


def test_trouble_that_passes(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", DATA, statuses=[503, 429])
    get(site, tmp_path, sha256=SHA256)
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "does not have it"),
        (403, "by hand"),
        (401, "password"),
        (500, "try later"),
        (503, "try later"),
        (418, "gives no file"),
    ],
)
def test_refusals_name_the_address(site: Site, tmp_path: Path, status: int, message: str) -> None:
    site.add("/a.bin", DATA, statuses=[status] * 20)
    with pytest.raises(RunFailed, match=f"{site.address}/a.bin: the server says {status} .*{message}"):
        get(site, tmp_path)
    assert left(tmp_path) == []


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"http://127.0.0.1:9/a.bin cannot be reached: .*refused.*Nothing came: "):
        get(Site("http://127.0.0.1:9"), tmp_path)
    with pytest.raises(RunFailed, match="cannot be reached"):
        get(Site("http://nowhere.invalid"), tmp_path)


def test_a_silent_server(site: Site, tmp_path: Path) -> None:
    """It accepts the connection and says nothing more."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(RunFailed, match=r"cannot be reached: .*timed out"):
        get(Site(f"http://127.0.0.1:{deaf.getsockname()[1]}"), tmp_path, retries=Retries(tries=2, wait_s=0, timeout_s=0.1))


def test_redirects(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", redirect="/moved/b.bin")
    site.add("/moved/b.bin", DATA, drop_after=[1000])
    get(site, tmp_path, sha256=SHA256)
    assert [path for path, _ in site.asked] == ["/a.bin", "/moved/b.bin"] * 2
    assert site.asked[-1][1]["Range"] == "bytes=1000-"


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "/a.bin", "http://[", "gopher://x/"])
def test_redirects_that_lead_elsewhere(site: Site, tmp_path: Path, target: str) -> None:
    site.add("/a.bin", redirect=target)
    with pytest.raises(RunFailed, match=r"/a\.bin cannot be reached"):
        get(site, tmp_path)
    assert left(tmp_path) == []


def test_a_redirect_out_of_encryption_needs_a_hash(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    class Encrypted(requests.adapters.HTTPAdapter):
        """Plain HTTP in the place of https, for want of a certificate."""

        def send(self, request, **options):
            request.url = request.url.replace("https", "http")
            response = super().send(request, **options)
            response.url = response.url.replace("http", "https")
            return response

    def mount(session: requests.Session, prefix: str, adapter: object) -> None:
        session.adapters[prefix] = Encrypted() if prefix == "https://" else adapter

    monkeypatch.setattr(requests.Session, "mount", mount)
    site.add("/a.bin", redirect=f"{site.address}/b.bin")
    site.add("/b.bin", DATA)
    url = site.address.replace("http", "https") + "/a.bin"
    with pytest.raises(RunFailed, match="not encrypted"):
        download(Remote(url), url, tmp_path / "a.bin", AT_ONCE)
    download(Remote(url, sha256=SHA256), url, tmp_path / "a.bin", AT_ONCE)


def test_a_web_page_is_no_file(site: Site, tmp_path: Path) -> None:
    site.add("/a.bin", b"<html>Log in to this hotel's network", content_type="text/html; charset=utf-8")
    with pytest.raises(RunFailed, match="gives a web page"):
        get(site, tmp_path)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "br", "identity, gzip", "two\twords"])
def test_an_encoded_body_is_not_the_file(site: Site, tmp_path: Path, encoding: str) -> None:
    """A program that asks for "identity" may be sent something else all the same; some servers call every .gz encoded."""
    site.add("/a.bin", DATA, encoding=encoding)
    with pytest.raises(RunFailed, match=r"comes encoded as .* neither length nor hash is known"):
        get(site, tmp_path)
    assert left(tmp_path) == []
    get(site, tmp_path, size_bytes=len(DATA))
    (tmp_path / "a.bin").unlink()
    get(site, tmp_path, sha256=SHA256)
    (tmp_path / "a.bin").unlink()
    with pytest.raises(BadData, match="not the published file"):
        get(site, tmp_path, size_bytes=len(DATA) + 1)


def test_an_encoded_error_page_is_an_error(site: Site, tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="the server says 404"):
        get(site, tmp_path, path="/none")
    site.add("/a.bin", b"<html>Log in", content_type="text/html", encoding="gzip")
    with pytest.raises(RunFailed, match="gives a web page"):
        get(site, tmp_path)


@pytest.mark.parametrize("encoding", ["", "identity", " Identity"])
def test_a_body_that_is_not_encoded(site: Site, tmp_path: Path, encoding: str) -> None:
    site.add("/a.bin", DATA, encoding=encoding)
    get(site, tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_no_room(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    site.add("/a.bin", DATA)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 12_000))
    with pytest.raises(RunFailed, match=r"a\.bin needs 512.0 kB in .* has 12.0 kB free: 500.0 kB are missing"):
        get(site, tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_the_disk_fills_up(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("/a.bin", DATA)
    monkeypatch.setattr("ganskit.data.part.Path.unlink", lambda self, missing_ok=False: None)
    (tmp_path / "a.bin.part").symlink_to("/dev/full")
    with pytest.raises(RunFailed, match=r"The disk is full: of a\.bin\.part 512.0 kB are missing.*run it again"):
        get(site, tmp_path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drops=st.lists(st.integers(0, 150_000), max_size=6),
    ranges=st.booleans(),
    heeds=st.booleans(),
    etag=st.sampled_from(["", '"1"', 'W/"1"']),
    most=st.none() | st.integers(50_000, 600_000),
)
def test_whatever_is_dropped_the_file_is_whole_or_not_there(
    site: Site, tmp_path: Path, drops: list[int], ranges: bool, heeds: bool, etag: str, most: int | None
) -> None:
    site.add("/a.bin", DATA, drop_after=drops, ranges=ranges, heeds_if_range=heeds, etag=etag, most=most if ranges else None)
    file = tmp_path / "a.bin"
    file.unlink(missing_ok=True)
    try:
        get(site, tmp_path, size_bytes=len(DATA))
    except (RunFailed, BadData):
        assert not file.exists()
    else:
        assert file.read_bytes() == DATA


def test_interrupted(site: Site, tmp_path: Path) -> None:
    """Ctrl-C, at a server that has stopped in the middle."""
    site.add("/a.bin", DATA, drop_after=[200_000, *[0] * 1000])
    code = (
        "import sys; from pathlib import Path; from ganskit.data.download import Retries, download;"
        "from ganskit.data.known import Remote; url, file = sys.argv[1:];"
        "download(Remote(url), url, Path(file), Retries(1000, 0.05))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, f"{site.address}/a.bin", str(tmp_path / "a.bin")], stderr=subprocess.PIPE, text=True
    )
    part = tmp_path / "a.bin.part"
    while not (part.exists() and part.stat().st_size == 200_000 and len(site.asked) > 2):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate()[1]
    assert left(tmp_path) == ["a.bin.part", "a.bin.part.json"]
    site.add("/a.bin", DATA)
    get(site, tmp_path)
    assert site.ranges()[-1] == "bytes=200000-"
    assert (tmp_path / "a.bin").read_bytes() == DATA


# A dataset


def tar_gz(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


ARCHIVE = tar_gz({"toys/a.bin": DATA, "toys/b.bin": b"b"})


def toys(site: Site, monkeypatch: pytest.MonkeyPatch, archive: bytes = ARCHIVE, **options) -> Known:
    """A dataset of two files, one of them an archive."""
    site.add("/toys/toys.tar.gz", archive)
    site.add("/toys/labels.txt", b"labels")
    known = Known(
        "toys",
        "Toys (Nobody 2020)",
        "free",
        (
            Remote(
                f"{site.address}/toys/toys.tar.gz",
                len(ARCHIVE),
                hashlib.sha256(ARCHIVE).hexdigest(),
                when={"split": "train"},
                unpacks_to="toys",
            ),
            Remote(f"{site.address}/toys/labels.txt", when={"split": "test"}),
        ),
        **options,
    )
    monkeypatch.setitem(CATALOG, "toys", known)
    return known


def test_fetch(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys(site, monkeypatch)
    folder = home / "originals" / "toys"
    got = fetch(Order.of("toys"), retries=AT_ONCE)
    assert [each.path for each in got] == [folder / "toys", folder / "labels.txt"]
    assert "SHA-256 is the published one" in got[0].how
    assert f"nothing is published to check it by; its SHA-256 is {hashlib.sha256(b'labels').hexdigest()}" in got[1].how
    assert (folder / "toys" / "a.bin").read_bytes() == DATA
    assert left(folder) == ["labels.txt", "labels.txt.json", "toys", "toys.tar.gz.json"]
    record = json.loads((folder / "toys.tar.gz.json").read_text())
    assert (record["checked_by"], record["sha256"]) == ("sha256", hashlib.sha256(ARCHIVE).hexdigest())
    assert record["url"].endswith("/toys/toys.tar.gz")

    site.asked.clear()
    again = fetch(Order.of("toys"), retries=AT_ONCE)
    assert [each.path for each in again] == [each.path for each in got]
    assert all("was there" in each.how for each in again)
    assert site.asked == []


def test_options_choose_the_files(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys(site, monkeypatch)
    fetch(Order.of("toys", split="test"), retries=AT_ONCE)
    assert left(home / "originals" / "toys") == ["labels.txt", "labels.txt.json"]
    for options, message in (({"splitt": "test"}, '"split"'), ({"split": "tests"}, '"test"')):
        with pytest.raises(UnknownName, match=message):
            Order.of("toys", **options)
    with pytest.raises(UnknownName, match='"toys"'):
        Order.of("toyz")


def test_archives_may_be_kept(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys(site, monkeypatch)
    fetch(Order.of("toys", split="train"), keep_archive=True, retries=AT_ONCE)
    folder = home / "originals" / "toys"
    assert left(folder) == ["toys", "toys.tar.gz", "toys.tar.gz.json"]
    shutil.rmtree(folder / "toys")
    site.pages.clear()
    assert "was there" in fetch(Order.of("toys", split="train"), retries=AT_ONCE)[0].how
    assert left(folder) == ["toys", "toys.tar.gz.json"]


def test_a_file_that_was_put_there(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is checked like one that was downloaded, and never overwritten."""
    toys(site, monkeypatch)
    folder = home / "originals" / "toys"
    folder.mkdir(parents=True)
    (folder / "toys.tar.gz").write_bytes(ARCHIVE[:-10])
    with pytest.raises(BadData, match=r"not the published file: its SHA-256 is .* Move it away"):
        fetch(Order.of("toys", split="train"), retries=AT_ONCE)
    assert (folder / "toys.tar.gz").read_bytes() == ARCHIVE[:-10]
    (folder / "toys.tar.gz").write_bytes(ARCHIVE)
    assert "was there" in fetch(Order.of("toys", split="train"), retries=AT_ONCE)[0].how
    assert (folder / "toys" / "b.bin").read_bytes() == b"b"
    assert site.asked == []


def test_another_file_than_last_time_is_said(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys(site, monkeypatch)
    fetch(Order.of("toys", split="test"), retries=AT_ONCE)
    (home / "originals" / "toys" / "labels.txt").unlink()
    site.add("/toys/labels.txt", b"other labels")
    assert "ANOTHER FILE than on 20" in fetch(Order.of("toys", split="test"), retries=AT_ONCE)[0].how


def test_a_damaged_archive_nobody_could_check(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = toys(site, monkeypatch, archive=ARCHIVE[:-10])
    monkeypatch.setitem(CATALOG, "toys", Known("toys", "", "", (Remote(known.files[0].url, unpacks_to="toys"),)))
    with pytest.raises(BadData, match=r"toys\.tar\.gz .*is no archive.* To download it again, delete it"):
        fetch(Order.of("toys"), retries=AT_ONCE)
    assert not (home / "originals" / "toys" / "toys").exists()


def test_mirrors(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("/mirror/~kriz/cifar-10-binary.tar.gz", b"not it")
    monkeypatch.setenv("GANSKIT_MIRROR", f"{site.address}/mirror/")
    with pytest.raises(BadData, match="has 6 bytes, expected 170,052,171"):
        fetch(Order.of("cifar10"), retries=AT_ONCE)
    assert Order.of("cifar10", "https://a.example").address(CATALOG["cifar10"].files[0]).startswith("https://a.example/~kriz/")
    for wrong in ("ftp://x", "x/y", "file:///data", "https://"):
        with pytest.raises(UserError, match="GANSKIT_MIRROR"):
            Order.of("cifar10", wrong)
    with pytest.raises(UserError, match="netrc") as error:
        Order.of("cifar10", "https://me:secret@a.example")
    assert "secret" not in str(error.value)


def test_proxies(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = toys(site, monkeypatch)
    elsewhere = Remote("http://publisher.invalid/toys/labels.txt")
    monkeypatch.setitem(CATALOG, "toys", Known("toys", known.title, "free", (elsewhere,)))
    monkeypatch.setenv("http_proxy", site.address)
    assert fetch(Order.of("toys"), retries=AT_ONCE)[0].path.read_bytes() == b"labels"


def test_room_is_asked_for_first(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 50_000_000_000))
    with pytest.raises(RunFailed, match=r"What is missing of lsun needs 103.3 GB.*53.3 GB are missing.*GANSKIT_DATA"):
        fetch(Order.of("lsun"), retries=AT_ONCE)


def test_two_at_once(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first, and finds everything there."""
    toys(site, monkeypatch)
    threads = [threading.Thread(target=fetch, args=(Order.of("toys"),), kwargs={"retries": AT_ONCE}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.asked) == 2
    assert (home / "originals" / "toys" / "toys" / "b.bin").read_bytes() == b"b"


# The command


def run(*arguments: str) -> str:
    done = CliRunner().invoke(command, arguments, standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.output


def test_the_command(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys(site, monkeypatch)
    said = run("toys", "--dry-run", "--set", "split=train")
    assert "Toys (Nobody 2020)" in said
    assert f"{site.address}/toys/toys.tar.gz" in said
    assert "checked by SHA-256" in said
    assert "kB in" in said
    assert site.asked == []
    assert "SHA-256 is the published one" in run("toys")
    assert "toys/toys: there" in run("toys", "--dry-run")
    assert "was there" in run("toys", "--mirror", "http://mirror.invalid")


def test_terms_are_agreed_to_or_nothing_comes(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toys(site, monkeypatch, agreement="play fair")
    with pytest.raises(UserError, match=r"play fair\. Add --yes if you do"):
        run("toys")
    with pytest.raises(UserError, match="play fair"):
        fetch(Order.of("toys"), retries=AT_ONCE)
    assert site.asked == []
    with monkeypatch.context() as patch:
        patch.setattr("ganskit.cli.data_fetch.sys", type("Terminal", (), {"stdin": type("", (), {"isatty": lambda: True})}))
        for answer, error in (("n\n", UserError), ("y\n", None)):
            done = CliRunner().invoke(command, ["toys"], input=answer, standalone_mode=False)
            assert "play fair. Do you agree?" in done.output
            assert type(done.exception) is (error or type(None))
    assert "was there" in run("toys")  # what is there needs no asking
    shutil.rmtree(home / "originals")
    assert "published one" in run("toys", "--yes")


@pytest.mark.parametrize("name", ["imagenet", "imagenet32", "celeba"])
def test_what_a_program_may_not_fetch(name: str, home: Path) -> None:
    with pytest.raises(UserError, match=r"a program may not download it\. To get .*https://.*Put it into .*originals") as error:
        run(name, "--yes")
    assert str(home / "originals" / name) in str(error.value)
    assert "and put it into" in run(name, "--dry-run")


def test_what_was_fetched_by_hand_is_checked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And unpacked, and kept."""
    file = Remote("https://publisher.invalid/a.bin", len(DATA), SHA256)
    archive = Remote("https://publisher.invalid/toys.tgz", len(ARCHIVE), unpacks_to="toys")
    monkeypatch.setitem(CATALOG, "toys", Known("toys", "Toys", "free", (file, archive), agreement="be good", by_hand="ask them"))
    folder = home / "originals" / "toys"
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(DATA[:-1])
    with pytest.raises(UserError, match=r"To get toys\.tgz: ask them"):
        run("toys")
    (folder / "toys.tgz").write_bytes(ARCHIVE)
    with pytest.raises(BadData, match="not the published file"):
        run("toys")
    (folder / "a.bin").write_bytes(DATA)
    assert "was there, its SHA-256 is the published one" in run("toys")
    assert left(folder) == ["a.bin", "a.bin.json", "toys", "toys.tgz", "toys.tgz.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lsum"], 'Did you mean "lsun"'),
        (["lsun", "--set", "category=bedrom"], 'Did you mean "bedroom"'),
        (["lsun", "--set", "size=64"], "category, split"),
        (["lsun", "--set", "category=cat", "--set", "split=val"], "nothing with category=cat, split=val"),
        (["lsun", "--set", "category"], "expected KEY=VALUE"),
    ],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run(*arguments, "--dry-run")


# The catalogue


@pytest.mark.parametrize("name", sorted(CATALOG))
def test_the_catalogue_is_sane(name: str) -> None:
    known = CATALOG[name]
    for chosen in {key: values[0] for key, values in known.options.items()}, {}:
        assert known.what(**chosen)
    assert known.chosen()
    places = [file.name for file in known.files]
    assert len(set(places)) == len(places)
    for file in known.files:
        assert file.url.startswith(("https://", "http://"))
        assert len(file.sha256) in (0, 64)
        assert len(file.md5) in (0, 32)
        assert file.name
        assert "/" not in file.name + file.unpacks_to
        assert bool(file.unpacks_to) <= file.name.endswith((".zip", ".tar.gz", ".tgz"))
        assert file.url.startswith("https") or file.sha256 or known.by_hand or name in ("facades", "lsun")
    known_by = {file.sha256 for file in known.files if file.sha256}
    assert len(known_by) == sum(bool(file.sha256) for file in known.files)


def test_missing_data_says_how_to_fetch_it(home: Path) -> None:
    text = str(not_found("lsun", Path("/nowhere"), category="kitchen", split="val", colour="red"))
    for needed in ("kitchen_val_lmdb.zip (4.9 MB)", "http://dl.yf.io/lsun/scenes/kitchen_val_lmdb.zip", str(home / "originals")):
        assert needed in text
    assert "ganskit data fetch lsun --set category=kitchen --set split=val\n" in text
    assert "ganskit data fetch lsun\n" in str(not_found("lsun", Path("/nowhere"), category="bedroom", split="train"))
    assert "ganskit data fetch lsun\n" in str(not_found("lsun", Path("/nowhere"), category="my own", split="train"))
    assert "--set category=cat\n" in str(not_found("lsun", Path("/nowhere"), category="cat", split="train"))
    assert isinstance(not_found("unheard of", Path("/nowhere")), DataNotFound)


def test_exit_codes(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's mistakes 2, the network's 1."""
    toys(site, monkeypatch)
    site.pages.clear()
    with pytest.raises(GanskitError) as error:
        fetch(Order.of("toys"), retries=AT_ONCE)
    assert error.value.exit_code == 1
    site.add("/toys/toys.tar.gz", bytes(len(ARCHIVE)))
    with pytest.raises(GanskitError) as error:
        fetch(Order.of("toys"), retries=AT_ONCE)
    assert error.value.exit_code == 2


def test_importing_the_command_is_light() -> None:
    code = "import sys, ganskit.cli.data_fetch; print([m for m in ('torch', 'requests', 'tenacity') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.strip() == "[]"


def test_a_zip_of_a_database(site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What LSUN publishes: the folder cat_val_lmdb with data.mdb in it."""
    from data_samples import encoded, picture, write_lmdb

    folder = write_lmdb(home / "cat_val_lmdb", [encoded(picture(i), "WEBP") for i in range(3)])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"cat_val_lmdb/{file.name}")
    site.add("/lsun/cat_val_lmdb.zip", stream.getvalue())
    remote = Remote(f"{site.address}/lsun/cat_val_lmdb.zip", unpacks_to="cat_val_lmdb")
    monkeypatch.setitem(CATALOG, "lsun", Known("lsun", "LSUN", "none", (remote,)))
    fetch(Order.of("lsun"), retries=AT_ONCE)
    from ganskit.data import Lsun

    assert len(Lsun(category="cat", split="val").open()) == 3
