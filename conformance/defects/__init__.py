"""How a defect or a freedom is planted, tried and replayed."""
