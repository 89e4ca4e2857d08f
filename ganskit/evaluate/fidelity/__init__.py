"""The standard metrics: torch-fidelity's mathematics and networks, on ganskit's models, stores and weights."""
