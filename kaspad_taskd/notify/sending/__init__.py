"""How a message leaves this host: one short-lived child process for each message and each target.

The notifier itself opens no connection and loads no library for it. What a child loads, sleeps or
leaks is gone with it, and what it does in too long a time ends with its process group.
"""

from kaspad_taskd.notify.sending.sender import accepts, beat, send

__all__ = ["accepts", "beat", "send"]
