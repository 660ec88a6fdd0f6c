//! `#[rpc_trait]` from outside: what it accepts compiles and behaves, what it refuses is refused in these words.
//!
//! `fail/` has one mistake a file, named after it, and beside it what the compiler says. After a change of a message,
//! `TRYBUILD=overwrite cargo test -p rpcnet-tests --test ui` writes what is said now, for the diff to be read.

#[test]
fn what_is_accepted_and_how_the_rest_is_refused() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
