//! Claims about the membership protocol, in virtual time.

mod chaos;
mod degraded;
mod departure;
mod detection;
mod dissemination;
mod evidence;
mod few_nodes;
mod hostile;
mod merge;
mod net;
mod purity;
mod refutation;
mod replay;
mod restart;
mod stalls;
mod survivors;
mod telling;
mod unreachable;
