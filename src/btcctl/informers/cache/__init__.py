"""The objects of a collection, indices over them, and what has happened to them since it was last looked at."""
