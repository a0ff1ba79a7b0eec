"""The reference under the names of PtychoPINN's PyTorch line (see `reference_impl.drop_in`)."""
