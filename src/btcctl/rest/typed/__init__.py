"""A collection whose objects are values of a type of the program's."""
