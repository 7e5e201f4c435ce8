"""How a request that is not let in is answered: to programs as JSON, to people as a page."""

from __future__ import annotations

from html import escape
from typing import Final

from aiohttp import web

from kaspad_taskd.base import jsontext
from kaspad_taskd.bridge.refused import Refused
from kaspad_taskd.words.sentences import say

POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'"
"""Whoever is around it may show this page: it has nothing to press, and nothing of the host's."""
PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>kaspad-taskd</title>
<p>{said}</p>
</html>
"""


def refusal(request: web.Request, refused: Refused) -> web.Response:
    """Return the answer: `error`, and `setting` where a line of the settings would let it in."""
    if refused.setting is not None and _is_opened(request):
        said = escape(say("page.link.foreign", setting=refused.setting, place=refused.place))
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY}
        return web.Response(text=PAGE.format(said=said), status=refused.status, headers=headers)
    setting = {} if refused.setting is None else {"setting": refused.setting}
    response = web.Response(
        body=jsontext.dumps({"error": refused.sentence, **setting}),
        status=refused.status,
        content_type="application/json",
    )
    if refused.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


def _is_opened(request: web.Request) -> bool:
    """Whether a browser opens it as a page."""
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")
