"""Links between simulated nodes: whom to dial and when, and what is said."""
