"""A plugin for ganskit."""
