//! Claims about selectors: what matches, and what is wrong with the rest.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Selector, SelectorError};

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn each_form_matches_what_its_table_says() {
    let worker = tags(&[("role", "worker"), ("zone", "eu-1"), ("gpu", "")]);
    let bare = tags(&[]);
    let table = [
        ("role=worker", true, false),
        ("role = worker", true, false),
        ("role=web", false, false),
        ("role in (web, worker)", true, false),
        ("role in(worker)", true, false),
        ("role in (web,api)", false, false),
        ("zone!=eu-1", false, true),
        ("zone != eu-2", true, true),
        ("gpu", true, false),
        ("!gpu", false, true),
        ("! gpu", false, true),
        ("role=worker,gpu", true, false),
        ("  role=worker ,\t!tpu  ", true, false),
        ("role=worker,!gpu", false, false),
        ("in", false, false),
        ("in in (in)", false, false),
        ("zone in (eu-1),zone!=eu-2,zone,role in (worker, worker)", true, false),
    ];
    for (text, on_worker, on_bare) in table {
        let selector: Selector = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(selector.matches(&worker), on_worker, "{text} on the worker");
        assert_eq!(selector.matches(&bare), on_bare, "{text} without tags");
        assert_eq!(selector.to_string(), text);
    }
}

#[test]
fn an_error_points_at_the_character_and_says_what_was_expected() {
    const NAME: &str = "the name of a tag, or `!` and one,";
    const OPERATOR: &str = "`=`, `!=`, `in (…)`, `,` or the end";
    let table = [
        ("", 1, NAME, None),
        ("   ", 4, NAME, None),
        (",", 1, NAME, Some(',')),
        ("=worker", 1, NAME, Some('=')),
        ("role=", 6, "a value", None),
        ("role=,gpu", 6, "a value", Some(',')),
        ("role==worker", 6, "a value", Some('=')),
        ("role!worker", 6, "`=` to complete `!=`", Some('w')),
        ("role!=", 7, "a value", None),
        ("!", 2, "the name of a tag", None),
        ("!!gpu", 2, "the name of a tag", Some('!')),
        ("role worker", 6, OPERATOR, Some('w')),
        ("role (a)", 6, OPERATOR, Some('(')),
        ("role notin (a)", 6, OPERATOR, Some('n')),
        ("role in a", 9, "`(` after `in`", Some('a')),
        ("role in", 8, "`(` after `in`", None),
        ("role in ()", 10, "a value", Some(')')),
        ("role in (a b)", 12, "`,` or `)`", Some('b')),
        ("role in (a,)", 12, "a value", Some(')')),
        ("role in (a", 11, "`,` or `)`", None),
        ("role=a b", 8, "`,` or the end", Some('b')),
        ("role=a,", 8, NAME, None),
        ("zöne=ä,,", 8, NAME, Some(',')),
    ];
    for (text, position, expected, found) in table {
        let error = text.parse::<Selector>().unwrap_err();
        let selector = text.to_owned();
        assert_eq!(error, SelectorError::Syntax { selector, position, expected, found }, "{error}");
    }
}

#[test]
fn a_selector_has_a_length_that_bounds_its_cost() {
    let longest = "x".repeat(Selector::LENGTH_MAX);
    assert!(longest.parse::<Selector>().is_ok());
    let error = format!("{longest}x").parse::<Selector>().unwrap_err();
    assert_eq!(error.to_string(), "a selector of 1025 bytes: at most 1024 are accepted");
}

proptest! {
    #[test]
    fn no_text_panics_and_an_error_points_into_it(text in "[a-c!=,() in\u{e4}]{0,24}") {
        match text.parse::<Selector>() {
            Ok(selector) => prop_assert_eq!(selector.as_str(), text),
            Err(SelectorError::Syntax { position, found, .. }) => {
                prop_assert_eq!(text.chars().nth(position - 1), found);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_tag_of_words_is_found_by_its_own_equation(tag in "[a-z./_-]{1,8}", value in "[a-z0-9:._-]{1,8}") {
        let selector: Selector = format!("{tag}={value}").parse().unwrap();
        prop_assert!(selector.matches(&tags(&[(&tag, &value)])));
        prop_assert!(!selector.matches(&tags(&[(&tag, "")])));
    }
}
