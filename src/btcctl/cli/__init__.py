"""The command line: parses, wires, runs; decides nothing."""
