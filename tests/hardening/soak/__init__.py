"""The soak: many people at once, while things fail and time passes."""
