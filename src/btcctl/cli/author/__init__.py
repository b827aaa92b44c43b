"""The commands for people who write operators of their own with the toolkit."""
