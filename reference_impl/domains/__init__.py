"""What each setting may be, in one place: used by configurations, flags, bundles and files alike."""
