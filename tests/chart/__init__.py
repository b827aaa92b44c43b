"""What of the chart is generated from its values.yaml: the schema of the values, and the README.

`python -m tests.chart` writes both anew; a unit test fails where they are not current.
"""
