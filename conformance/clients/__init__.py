"""Clients held against backends: their sources read side by side, and the released client run for real."""
