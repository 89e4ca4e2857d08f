"""How a game is played: the engine, its state, and the run around it."""
