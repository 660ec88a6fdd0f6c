//! What the compiler says of implementations that the guide shows.
//!
//! `TRYBUILD=overwrite cargo test -p rpcnet-guide --test errors` writes what is said now, for the diff to be read.

#[test]
fn the_compiler_says_what_the_book_shows() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}
