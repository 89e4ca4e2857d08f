"""What papers after DCGAN use to make GANs train stably. Everything is registered with ganskit in `plugin`."""
