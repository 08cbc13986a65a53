"""Measure a field."""
from tinytorch.areas import area

print(area([[20.0, 30.0]]))
