"""What every entry of a plugin must do, as checks without pytest; `ganskit.testing` makes tests of them."""
