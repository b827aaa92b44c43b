"""A network as people and their programs use it from outside: found by name, its nodes called one by one."""
