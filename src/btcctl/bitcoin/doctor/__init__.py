"""What `btcctl doctor` looks at: each module checks one thing, writes nothing, and says how to mend what it finds."""
