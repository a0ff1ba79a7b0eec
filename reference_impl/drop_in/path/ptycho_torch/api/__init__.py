"""The objects with which the client drives a training and an inference."""
