//! Erasing: what retention and `forget` take away, and the record that it was done.
