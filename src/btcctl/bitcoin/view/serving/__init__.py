"""The page over HTTP: who may ask, what is answered, and the thread that does it."""
