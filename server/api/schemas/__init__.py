"""Marshmallow schemas: the shape of what the API takes."""
