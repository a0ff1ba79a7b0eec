"""Configuration objects of the client."""
