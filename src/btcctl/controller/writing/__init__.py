"""What a reconcile writes, and can repeat."""
