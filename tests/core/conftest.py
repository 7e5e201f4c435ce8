"""Asserts in `play` explain themselves, as those of test modules do."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.core.play")
