//! The chain: who held a resource at a moment, from the provider down to the customer.
