"""One observation: compared, judged, recorded, and whose fault it is."""
