"""The DCGAN paper as the built-in plugin set."""
