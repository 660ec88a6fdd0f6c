//! Many processes: who is there, who is well, and who gets the next call.
