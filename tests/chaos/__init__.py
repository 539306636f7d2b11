"""A checker outside the product: knows HTTP, signals and how to look into both stores; calls no service."""
