"""Rules in CEL, the x-kubernetes-validations of a schema: checked, compiled and run.

cel-python parses. What it parses is checked against the schema's types and becomes Python functions
here: cel-python's own evaluator knows no static types (an undefined field is found by nobody), takes
0.4 ms for each item of a list, and calls it an error to compare a number with a text.
"""
