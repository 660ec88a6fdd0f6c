//! The book's plots show the figures beside them.

use std::{fs, path::Path};

use rpcnet_tests::plot::{FOLDERS, render};

#[test]
fn every_plot_of_the_book_is_drawn_from_its_figures() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src");
    let entries = FOLDERS.into_iter().flat_map(|folder| fs::read_dir(book.join(folder)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let figures: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "csv")).collect();
    assert!(!figures.is_empty());
    for path in figures {
        let drawn = fs::read_to_string(path.with_extension("svg")).unwrap();
        let fresh = render(&fs::read_to_string(&path).unwrap()).unwrap();
        assert!(
            drawn == fresh,
            "{}: draw it anew with `cargo run -p rpcnet-tests --bin plots`",
            path.display()
        );
    }
}

#[test]
fn what_is_not_a_figure_is_refused_by_its_line() {
    for bad in ["", "title\nunit\n", "title\nunit\na,1\n", "title\nunit\na,1,x\n", "title\nunit\na,1,2,3\n"] {
        assert!(render(bad).is_err(), "{bad:?}");
    }
}
