"""The objects of a collection, indices over them, and what has happened to them and is not processed yet."""
