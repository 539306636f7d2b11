"""What a file is, by what is in it. Knows bytes and names; believes nothing that its sender says of it."""
