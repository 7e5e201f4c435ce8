"""HTTP requests to the bridge that are nearly right: its own grammar, bent in a few places."""

# ruff: noqa: E501 - tables of what is odd

from __future__ import annotations

from hypothesis import strategies as st

PATHS = (
    "/", "/task/work", "/task/%00", "/healthz", "/metrics", "/openrpc.json", "/asyncapi.json",
    "/session", "/task/\udcff", "/\udcff", "/socket.io/", "/socket.io/?EIO=4&transport=polling",
    "/socket.io/?EIO=4&transport=websocket", "/static/app.js", "/embed/x.d.ts", "*", "//", "",
)  # fmt: skip
METHODS = ("GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get",
           "POST ", "G\x00T", "\u00e9", "")  # fmt: skip
QUERY_KEYS = ("EIO", "transport", "sid", "t", "j", "b64", "before", "range", "unlock", "", "%", "x")
QUERY_VALUES = (
    "4", "3", "polling", "websocket", "", "%", "%zz", "%00", "%ff%fe", "-1", "1e9", "9" * 400,
    "\u00e9", "a b", "&", "=", "1;2", "[]", "__init__", "null",
)  # fmt: skip
HEADERS = {
    "Host": ("localhost", "127.0.0.1:1", "[::1]:80", "[::1", "localhost:99999", "evil.example", "",
             "a b", "localhost, localhost", "\xe9", "\udca0127.0.0.1", "\udcff"),
    "Content-Length": ("0", "1", "-1", "+3", "1e3", " 7 ", "9" * 30, "3, 3", "", "0x10", "\u0663"),
    "Content-Type": (
        "application/x-www-form-urlencoded", "application/json", "text/plain;charset=UTF-8",
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=" + "x" * 300, "multipart/mixed; boundary=x",
        "application/json; charset=no-such", "application/x-www-form-urlencoded; charset=no-such",
        "application/x-www-form-urlencoded; charset=utf-16", "application/json; charset=\x01",
        "multipart/form-data; boundary=\"x", ";;;", "a", "", "/", "application/json; =; ;a=\"",
    ),
    "Content-Encoding": ("gzip", "deflate", "br", "zstd", "identity", "no-such", "gzip, gzip", ""),
    "Transfer-Encoding": ("chunked", "gzip, chunked", "chunked, chunked", "identity", "x", ""),
    "Connection": ("close", "keep-alive", "Upgrade", "upgrade, close", "", "\t"),
    "Upgrade": ("websocket", "WebSocket", "h2c", "", "TLS/1.3"),
    "Sec-WebSocket-Version": ("13", "8", "-1", "x", ""),
    "Sec-WebSocket-Key": ("dGhlIHNhbXBsZSBub25jZQ==", "x", "", "====", "\xff" * 16),
    "Sec-WebSocket-Extensions": ("permessage-deflate", "permessage-deflate; x=", ";", ","),
    "Sec-WebSocket-Protocol": ("a, b", "", ","),
    "Cookie": ("a=b", "=", ";", "a", "kaspad-taskd-1=\"\\", "a=\x01", "\xff=\xfe", "a=b;" * 200,
               "$Version=1; a=b; $Path=/", "[]=\"\"", "a=\u20ac", "a=\udcff"),
    "Authorization": ("Bearer", "Bearer ", "bearer x", "Basic ====", "\xff", "Bearer \udcff", "Bearer \xff\xfe", "x" * 4000),
    "Origin": ("null", "http://localhost", "http://[", "://", "", "http://localhost:99999999", "\xff",
               "http://\udcff", "http://a\udcff"),
    "Referer": ("http://localhost/", "http://[", "http://\udcff/", "http://evil.example/\udcff"),
    "Sec-Fetch-Dest": ("document", "iframe", "\udcff"),
    "Sec-Fetch-Site": ("same-origin", "cross-site", "same-site"),
    "X-Forwarded-Host": ("localhost", "[", "a b", "", "evil;default-src *", "\xff", "\udcff"),
    "X-Forwarded-For": ("127.0.0.1", "\udcff", ","),
    "X-Forwarded-Proto": ("https", "", "\x7f"),
    "Range": ("bytes=0-1", "bytes=-", "bytes=5-1", "lines=1-2", "bytes=a-b", "bytes=0-1,3-4,", ""),
    "If-None-Match": ("*", "\"", "W/", "\"a\", \"b", "", "\xff"),
    "If-Modified-Since": ("yesterday", "", "Thu, 99 Foo 1970 99:99:99 GMT"),
    "Accept": ("application/openmetrics-text;q=", "*/*;q=x", "text/html;;", "text/html", "", ",", "\xff"),
    "Accept-Encoding": ("gzip", "gzip;q=", ";", "\xff"),
    "Expect": ("100-continue", "200-ok", "", "100-continue\udcff"),
    "X" * 20: ("y" * 9000, "\x00", "a\x0bb", " folded"),
    "Bad Header": ("x",), "": ("x",), "\xe9": ("x",), "Content_Length": ("5",),
}  # fmt: skip
BODIES = (
    b"", b"x", b"token=x", b"token=%", b"token=%ff%fe", b"&&&===", b"token=a&token=b", b"\xff\xfe\x00",
    b'{"token": 1}', b'{"token": "x"', b'{"token": null}', b"[]", b"null", b"[" * 9000, b'"\\ud800"',
    b'{"token": "\xed\xa0\x80"}', b"1e999", b"\x00", b"--x\r\n", b"--x--\r\n", b"--\r\n\r\n--",
    b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="token"; filename="f"\r\n\r\nabc\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name=\r\nContent-Transfer-Encoding: x\r\n\r\na\r\n--x--',
    b'--x\r\nContent-Type: text/plain; charset=no-such\r\n\r\nabc\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="token"\r\nContent-Transfer-Encoding: base64\r\n\r\n=\r\n--x--',
    b"--x\r\nbad header\r\n\r\n", b"--x\r\nContent-Length: 99999\r\n\r\nabc\r\n--x--", b"--y\r\n\r\n",
    b"\x1f\x8b\x08\x00garbage", b"\x78\x9c\x00", b"5\r\nabcde\r\n0\r\n\r\n", b"zz\r\n", b"-1\r\n\r\n",
    b"ffffffffffffffffff\r\n", b"5;ext\r\nab", b"0\r\nTrailer: x\r\n\r\n", b"x" * 20_000,
    b"40", b"4", b"2probe", b"6", b"1", b"40\x1e42[\"x\"]", b"\x1e", b"\x1e\x1e\x1e", b"42", b"42[",
    b'42["rpc",{}]', b'420["rpc"]', b"451-[]", b"b4AAAA", b"9", b"4\xff", b'40{"token":1}', b"40/x,",
    b"0{}", b'0{"sid":1}', b"3probe", b"5", b"41", b"43", b"44", b"430[]", b'42{"a":1}', b"42[1]",
    b"2" + b"x" * 9000, "\u20ac".encode(), b"4" + b"9" * 300 + b"[]",
)  # fmt: skip

paths = st.sampled_from(PATHS)
queries = st.lists(
    st.tuples(st.sampled_from(QUERY_KEYS), st.sampled_from(QUERY_VALUES)).map("=".join), max_size=3
).map("&".join)
strange_paths = st.one_of(
    st.text(max_size=20).map("/".__add__),
    st.text("%/.?#&=;~0aF[]", max_size=20).map("/".__add__),
)
header = st.sampled_from(sorted(HEADERS)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(HEADERS[name]))
)
bodies = st.one_of(st.sampled_from(BODIES), st.binary(max_size=40))
ENDS = ("\r\n\r\n", "\n", "", "\r\n\r\n\r\n")
VERSIONS = ("HTTP/1.0", "HTTP/9.9", "HTTP/", "")
KINDS = HEADERS["Content-Type"]


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request: right, but for up to three places that are bent."""
    parts = {
        "method": draw(st.sampled_from(("GET", "POST", "POST", "DELETE"))),
        "path": draw(paths), "version": "HTTP/1.1", "end": "\r\n",
    }  # fmt: skip
    lines = {"Host": "localhost", "Connection": "close"}
    body = draw(bodies) if parts["method"] == "POST" else b""
    if body:
        lines |= {"Content-Type": draw(st.sampled_from(KINDS)), "Content-Length": str(len(body))}
    for bend in draw(st.lists(st.integers(0, 9), max_size=3)):
        match bend:
            case 0:
                parts["method"] = draw(st.sampled_from(METHODS))
            case 1:
                parts["path"] = draw(strange_paths)
            case 2 | 3:
                mark = "&" if "?" in parts["path"] else "?"
                parts["path"] += mark + draw(queries)
            case 4:
                parts["version"] = draw(st.sampled_from(VERSIONS))
            case 5:
                parts["end"] = draw(st.sampled_from(ENDS))
            case _:
                lines |= [draw(header)]
    head = "{method} {path} {version}\r\n".format(**parts)
    head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return _raw(head + parts["end"]) + body


def _raw(text: str) -> bytes:
    """UTF-8, but that a lone surrogate of those with which Python reads other bytes is that byte."""
    return b"".join(
        bytes((ord(each) - 0xDC00,))
        if "\udc80" <= each <= "\udcff"
        else each.encode("utf-8", "surrogatepass")
        for each in text
    )


PACKETS = tuple(body for body in BODIES if len(body) < 9000)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A WebSocket frame from a client: right, but for up to two places that are bent."""
    payload = draw(st.one_of(st.sampled_from(PACKETS), st.binary(max_size=200)))
    first, masked, length, mask = 0x81, 0x80, len(payload), draw(st.binary(min_size=4, max_size=4))
    for bend in draw(st.lists(st.integers(0, 4), max_size=2)):
        match bend:
            case 0:
                first = draw(st.integers(0, 255))
            case 1:
                masked = 0
            case 2:
                length = draw(st.sampled_from((0, 1, 125, 126, 65_535, 65_536, 1 << 40, 1 << 63)))
            case 3:
                payload = payload[:-1]
            case _:
                payload += draw(st.binary(max_size=9))
    if length < 126:
        head = bytes((first, masked | length))
    elif length < 65_536:
        head = bytes((first, masked | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, masked | 127)) + length.to_bytes(8, "big")
    if not masked:
        return head + payload
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
