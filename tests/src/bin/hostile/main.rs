//! What a peer that means harm can do to a server, and to who else calls it: `cargo run --release -p rpcnet-tests --bin hostile`.
//!
//! ```text
//!   this process                                          the same program as a child, one for each attack
//!   ┌ a client that behaves ── Channel ────────────────►  ┐
//!   └ an attacker ── bytes of its own making, TCP ─────►  ┘ a server with its default limits
//! ```
//!
//! For each attack: the server's memory without it and the most under it, beside what it may be; the latency of the client that
//! behaves without it and under it, which take turns since machines differ from second to second; and what the server did to
//! the attacker. It fails if a server does not survive, a call of the client fails, or memory passes its bound. The ratio of the
//! latencies is for people to read. `--list` names the attacks, `--attack NAME` runs one, `--seconds N` gives each so long.
//!
//! What it measures by the clock and by the system's count of pages, tests hold in every run of CI by counting bytes, frames,
//! handlers or polls:
//!
//! | attack | tests |
//! |---|---|
//! | `rapid-reset` | `a_call_given_up_in_the_read_that_brought_it_is_not_run`, `a_flood_is_read_a_little_at_a_time` |
//! | `ignored-cancel`, `ignored-cancel-blocking` | `a_call_that_was_given_up_counts_until_its_handler_has_stopped`, `a_connection_counts_until_the_last_of_its_handlers_has_stopped` |
//! | `cancelled-keyed` | the same, and `a_full_cache_refuses_before_anything_runs` |
//! | `unanswered` | `a_peer_that_opens_more_calls_than_it_may_loses_the_connection` |
//! | `padded-arguments` | `what_a_handler_is_given_keeps_nothing_of_the_buffer_it_was_read_into` |
//! | `metadata-bomb` | `a_call_with_more_pairs_of_metadata_than_may_be_fails_alone` |
//! | `unread-answers` | `calls_of_a_client_that_does_not_read_are_not_begun_for_long`, `answers_to_a_client_that_does_not_read_are_given_up_past_a_limit` |
//! | `half-open` | `a_peer_that_never_says_hello_is_given_up` |
//! | `slow-hello` | `a_hello_a_byte_at_a_time_has_no_more_time_than_any` |
//! | `slow-frames` | `lengths_past_the_protocol_are_refused_before_anything_is_waited_for` |
//! | `garbage` | `no_bytes_make_either_end_panic` |
//! | `out-of-files` | `a_server_out_of_files_rests_between_its_attempts_and_serves_when_it_has_some` |
//! | `announced-frame` | `lengths_past_the_protocol_are_refused_before_anything_is_waited_for` |
//! | `announced-lengths` | `what_is_allocated_is_bounded_by_what_was_received` |
//! | `deep-nesting` | `a_recursive_type_ends_with_an_error_before_the_stack_does`, `arrays_objects_and_skipped_members_nest_so_deep_and_no_deeper` |
//! | `credit-overflow` | `whoever_grants_without_end_loses_the_connection` |
//! | `past-the-credit` | `whoever_exceeds_its_credit_loses_the_connection` |
//! | `unread-source` | `credit_does_not_fill_the_outbox` |
//! | `unread-sink` | `a_stream_nobody_reads_stops_no_other_and_no_call`, `incomplete_items_are_bounded_for_all_streams_together` |
//! | `empty-items` | `empty_items_are_not_free` |
//! | `padded-items` | `an_unread_item_keeps_nothing_of_the_buffer_it_was_read_into` |
//! | `too-many-streams` | `no_more_streams_than_allowed_however_their_arguments_come` |
//! | `unknown-frames` | `kinds_of_a_later_version_are_skipped_and_so_is_what_they_add_to_a_head`, `a_flood_is_read_a_little_at_a_time` |
//! | `stray-frames` | `cancels_and_answers_of_unknown_calls_are_not_looked_at`, `what_crosses_with_the_answer_harms_nobody` |
//! | `go-away` | `no_bytes_make_either_end_panic`, `a_flood_is_read_a_little_at_a_time` |
//! | `unread-pongs` | `a_flood_of_pings_is_answered_once_for_each_time_the_peer_reads` |

#[cfg(target_os = "linux")]
mod attacks;
#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod frames;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod service;
#[cfg(target_os = "linux")]
mod tally;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    run::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!("error: what a server's memory is, this program knows from /proc: it runs on Linux alone");
    std::process::ExitCode::FAILURE
}
