"""One collection of the API: all that can be read of it and written to it."""
