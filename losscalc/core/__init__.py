"""What a loss is made of: its declaration, its arrays, its numbers and its reductions."""
