"""Recipes: one YAML file a published model."""
