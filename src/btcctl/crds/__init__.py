"""CustomResourceDefinitions from classes, and classes from CustomResourceDefinitions. Pure: no server is asked."""
