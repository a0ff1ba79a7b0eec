"""Two objects side by side: in one place and one gauge, compared by figures that say what they are measured with."""
