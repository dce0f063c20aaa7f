//! Cases: one file per problem, however many reports tell of it.
