"""One pod as processes on this machine: its environment, its probes, its status."""
