# What the gate runs; edits nothing.
verify:
    bash .ci/run

# Formats and applies what clippy can mend.
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

# The tests alone.
test:
    cargo test --workspace

# Rewrites the expected messages of the compile-fail tests and the reviewed expansions of the macro. Read the diff.
bless:
    TRYBUILD=overwrite cargo test --package rpcnet-tests --test ui
    BLESS=1 cargo test --package rpcnet-macros

# The book, in book/book.
book:
    mdbook build book

# Follows the book's tutorial in an empty folder, with the crates as they would be published: three minutes of processor time.
tutorial:
    cargo package --workspace --no-verify --allow-dirty --quiet
    .ci/tutorial

# Times parts of a call, each alone: `just micro pick` those whose name has that.
micro *parts:
    cargo bench --package rpcnet-bench --features micro --bench micro -- {{parts}}
