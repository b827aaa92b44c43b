"""Ports of pods, through the API server: for programs that run where pods have no addresses."""
