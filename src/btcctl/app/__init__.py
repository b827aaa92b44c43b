"""An operator put together in one place: `App` wires what a Manager needs, for a process or a test."""
