"""From changes of objects to the keys that are reconciled."""
