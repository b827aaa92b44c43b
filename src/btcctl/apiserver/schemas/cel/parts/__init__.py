"""What the compiler makes of an expression's parts that are more than calls: macros and literals."""
