"""Where the API answers, by version."""

API_PREFIX = "/api/v1"
