"""From a name to a backend, here or in another process, and reading what it hands back."""
