"""In and out: video files, pictures, and writing a file whole or not at all."""
