"""Does scene `paste` ever show a real face? Made clips of hard cases, and a measure by texture: see `__main__`."""
