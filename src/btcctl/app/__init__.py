"""An operator put together in one place: `App` wires what a Manager needs, whoever runs it, a process or a test."""
