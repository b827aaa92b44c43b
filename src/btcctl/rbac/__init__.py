"""The rights that a program needs, from the requests that it makes. Pure."""
