"""Faces cut out of photographs by a detector, as section 4.2 of the DCGAN paper did (Radford, Metz & Chintala 2016)."""
