"""The Pythons that tests run on beside CI's own: `make pythons` gets them, `make test-pythons` uses them."""
