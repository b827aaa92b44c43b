"""What goes on for as long as an object lives: timers and daemons."""
