"""Child processes that end with us however we end, and the directories they leave things in."""
