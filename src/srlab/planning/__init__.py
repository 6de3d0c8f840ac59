"""What a training or a sweep will cost, from a few of its steps."""
