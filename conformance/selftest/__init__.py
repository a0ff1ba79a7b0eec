"""Tests of the harness itself: every policy has one, and each shows the harness refusing something."""
