"""A web server in this process that misbehaves as it is told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attrs import define, field


@define
class Page:
    """What the server says about one path.

    `drop_after` are numbers of bytes after which it closes the connection, one for each request; `statuses` what it
    answers first; `says_length` a wrong Content-Length, or "none"; `etag` and `changed` its version headers; `most` the
    bytes that it sends of a range at once; `encoding` what it says that the body is encoded as.
    """

    data: bytes = b""
    drop_after: list[int] = field(factory=list)
    statuses: list[int] = field(factory=list)
    redirect: str = ""
    ranges: bool = True
    heeds_if_range: bool = True
    etag: str = '"1"'
    changed: str = ""
    says_length: int | str | None = None
    chunked: bool = False
    content_type: str = "application/octet-stream"
    most: int | None = None
    encoding: str = ""


@define
class Site:
    """Pages by path, and what was asked: (path, headers)."""

    address: str
    pages: dict[str, Page] = field(factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(factory=list)

    def add(self, path: str, data: bytes = b"", **options) -> Page:
        self.pages[path] = Page(data, **options)
        return self.pages[path]

    def ranges(self) -> list[str]:
        """The Range of each request, "" where it asked for everything."""
        return [headers.get("Range", "") for _, headers in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        path = re.sub(r"^http://[^/]+", "", self.path)  # a proxy is asked for whole addresses
        self.site.asked.append((path, dict(self.headers)))
        self.close_connection = True
        page = self.site.pages.get(path)
        if page is None:
            return self._status(404)
        if page.statuses:
            return self._status(page.statuses.pop(0))
        if page.redirect:
            self.send_response(302)
            self.send_header("Location", page.redirect)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        return self._send(page)

    def _send(self, page: Page) -> None:
        start = self._start(page)
        if start is not None and start >= len(page.data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(page.data)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        body = page.data if start is None else page.data[start:][: page.most]
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{start + len(body) - 1}/{len(page.data)}")
        versions = (("ETag", page.etag), ("Last-Modified", page.changed))
        for name, value in (*versions, ("Content-Type", page.content_type), ("Content-Encoding", page.encoding)):
            if value:
                self.send_header(name, value)
        if page.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif page.says_length != "none":
            self.send_header("Content-Length", str(page.says_length if page.says_length is not None else len(body)))
        self.end_headers()
        body = body[: page.drop_after.pop(0)] if page.drop_after else body
        if page.chunked:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        self.wfile.write(body)

    def _start(self, page: Page) -> int | None:
        """Where the range begins that is to be sent; None for all of the file."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        wanted = self.headers.get("If-Range")
        if not found or not page.ranges:
            return None
        if page.heeds_if_range and wanted and wanted not in (page.etag, page.changed):
            return None
        return int(found[1])

    def _status(self, code: int) -> None:
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_) -> None:
        """Silence."""


@contextmanager
def serving() -> Iterator[Site]:
    """A server on a free port of this computer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    site = Site(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"site": site})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
