"""`make bench`: how fast the product is beside a bare Flask app, on this machine, in one run."""
