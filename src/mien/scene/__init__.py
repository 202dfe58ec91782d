"""What the output shows: the avatar alone, or the input picture with every face replaced. Both fail closed."""
