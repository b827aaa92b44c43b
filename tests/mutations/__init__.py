"""Faults put into the toolkit on purpose, to see that the tests notice: `make mutations`."""
