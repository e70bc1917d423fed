"""The API that answers as it is told to, as the command line's tests have it."""

from tests.service.cli.conftest import api

__all__ = ["api"]
