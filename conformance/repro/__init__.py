"""A red as a script of its own: what is left of a check once all that the backend has no part in was evaluated."""
