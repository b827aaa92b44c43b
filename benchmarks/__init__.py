"""Side-by-side measurements: `make bench`. Ratios are what counts; seconds depend on the machine."""
