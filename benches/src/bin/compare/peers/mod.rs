//! What others in the field make of the same echo, each as its documentation sets it up.

pub(crate) mod tarpc;
pub(crate) mod tonic;
