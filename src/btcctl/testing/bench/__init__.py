"""A whole operator in the thread of a test: stepped, on time that stands still, with everything in sight.

Nothing waits. Caches, handlers, workers and the outlets of events are stepped until none has anything to do; a wait of
the program itself (a Retry-After, a pause between two attempts) moves the time. What threads do with each other in a
real process is tested by the toolkit's own tests.
"""
