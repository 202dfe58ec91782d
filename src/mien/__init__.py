"""mien gives a person in a video another face and keeps their expression."""
