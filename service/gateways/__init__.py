"""Gateways as they are set up, looked at and worked on."""
