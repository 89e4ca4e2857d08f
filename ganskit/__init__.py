"""ganskit trains and studies generative adversarial networks."""
