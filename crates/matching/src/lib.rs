//! Private comparison and private counts. Bytes only: this room names no other room.
//!
//! Empty until the watchlist is built; the room stands so that the arrows between rooms are tested from the start.
