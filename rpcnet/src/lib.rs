//! One call between two processes.
