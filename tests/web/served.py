"""A web server of no daemon: what a browser gets is decided page by page."""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HTML = "text/html; charset=utf-8"


def kind_of(path: str) -> str:
    """The content type of a file, a page's where there is no other."""
    return mimetypes.guess_type(path)[0] or HTML


@contextmanager
def served(content: Callable[[str], tuple[bytes, str]], policy: str) -> Iterator[str]:
    """Serve `content(path)`, bytes and type, under a content security policy; gives the origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data, kind = content(urlsplit(self.path).path.lstrip("/"))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
