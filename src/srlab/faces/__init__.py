"""What is known of faces: landmarks, the maps that are drawn of them, and the networks that find and tell faces."""
