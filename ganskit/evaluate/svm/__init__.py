"""The L2-SVM on a discriminator's features (Radford 2016, section 5): features, solvers, protocol, evaluator."""
