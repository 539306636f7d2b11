"""What is taken and what is answered. Knows marshmallow and the limits of records, and no request."""
