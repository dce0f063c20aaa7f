//! Grades how well a delivery is proven, from what is attached to a bundle. It can lower a grade and never changes a proof.
