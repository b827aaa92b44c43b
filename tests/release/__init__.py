"""All that a release consists of: `make dist`."""
