"""The kinds that are there without a CustomResourceDefinition."""
