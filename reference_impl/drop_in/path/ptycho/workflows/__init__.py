"""Workflows of the client."""
