"""The CustomResourceDefinition of a network, as classes. Nothing that runs in a cluster needs them."""
