"""What a user asks for in `spec`: typed, checked, and turned into parts of the children. Pure."""
