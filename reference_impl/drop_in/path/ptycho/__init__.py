"""The reference under PtychoPINN's TensorFlow-line names; no TensorFlow (see `reference_impl.drop_in`)."""
