"""A company to try things with. Knows the services, and makes everything through them."""
