"""The OpenAPI document, read off the contracts of the endpoints. Knows the routes, and no request."""

from taskapi.api.openapi.document import document
from taskapi.api.openapi.endpoints import Endpoint, endpoints

__all__ = ["Endpoint", "document", "endpoints"]
