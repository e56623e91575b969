"""What the contract tests of HTTP run on."""

from tests.contracts.town import town

__all__ = ["town"]
