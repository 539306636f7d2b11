"""HTTP and nothing else: credentials, schemas, statuses, headers. Rules and data belong to the services."""
