"""Recording what happened, as Event objects."""
