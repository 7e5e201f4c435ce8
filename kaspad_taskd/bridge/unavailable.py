"""What is answered where no request is read: a word that needs none of the bridge's libraries."""

from __future__ import annotations


def unavailable(said: str, retry_after: int) -> bytes:
    """Return the whole answer 503 that says this, and to come again after so many seconds."""
    body = said.encode()
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nServer: kaspad-taskd\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
        f"Retry-After: {retry_after}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
