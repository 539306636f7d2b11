"""The world outside the two stores: folders and buckets. Knows the domain; no Redis, no SQL, no Flask."""
