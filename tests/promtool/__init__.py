"""Prometheus' own checker of rules, for the tests of the alerts."""
