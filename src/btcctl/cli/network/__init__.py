"""Commands for people: what is in a network, and what to do with it; the same in, beside and without a cluster."""
