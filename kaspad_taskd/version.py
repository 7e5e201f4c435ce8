"""The version, in its one place (a constant: the client must start fast)."""

__version__ = "0.1.0"
