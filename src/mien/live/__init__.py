"""Live: the newest frame of a camera in, the avatar out, and commands while it runs."""
