"""One key after the other: reconcile it, and decide what comes next. Knows no threads."""
