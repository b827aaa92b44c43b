"""Certificates, as the tests of the REST client have them."""

from tests.integration.rest.conftest import authority

__all__ = ["authority"]
