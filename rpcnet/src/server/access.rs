//! Who may call what, decided before a call's arguments are looked at.

use crate::{
    status::{Executed, Reason, Status},
    transport::{Identity, IdentityPattern, InvalidIdentityPattern},
};

/// The rules of a server.
#[derive(Debug, Default)]
pub(crate) struct Access {
    rules: Vec<Rule>,
}

/// Some methods, and who may call them.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    methods: Methods,
    callers: Vec<IdentityPattern>,
}

/// In the order of precedence: what says more of a method decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Methods {
    All,
    /// With the slash that ends its name.
    OfService(String),
    One(String),
}

impl Rule {
    /// Reads a rule as a user writes it.
    pub(crate) fn new<'a>(
        methods: &str,
        callers: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidIdentityPattern> {
        let callers = callers.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        let methods = match methods.strip_suffix('*') {
            Some("") => Methods::All,
            Some(service) if service.ends_with('/') => Methods::OfService(service.to_owned()),
            _ => Methods::One(methods.to_owned()),
        };
        Ok(Self { methods, callers })
    }

    /// Whether it speaks of a method.
    pub(crate) fn concerns(&self, method: &str) -> bool {
        match &self.methods {
            Methods::All => true,
            Methods::OfService(service) => method.starts_with(service.as_str()),
            Methods::One(name) => method == name,
        }
    }
}

impl Access {
    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Who may call a method: those of the rules that say most of it, together. `None` if no rule speaks of it, and everybody
    /// may who got in.
    pub(crate) fn of(&self, method: &str) -> Option<Vec<IdentityPattern>> {
        let concerned = || self.rules.iter().filter(|rule| rule.concerns(method));
        let most = concerned().map(|rule| &rule.methods).max()?;
        Some(concerned().filter(|rule| rule.methods == *most).flat_map(|rule| rule.callers.clone()).collect())
    }
}

/// Refuses a caller that is none of those who may call.
pub(crate) fn check(
    allowed: &[IdentityPattern],
    caller: Option<&Identity>,
    method: &str,
) -> Result<(), Status> {
    let Some(caller) = caller else {
        let message = format!(
            "{method} is for callers who say who they are: connect by TLS, with a certificate (`TlsBuilder::certificate`)"
        );
        return Err(Status::new(Reason::Unauthenticated, Executed::No, message));
    };
    if allowed.iter().any(|pattern| pattern.matches(caller)) {
        return Ok(());
    }
    let message = format!("{caller} may not call {method}: the server's `allow` does not name it");
    Err(Status::new(Reason::PermissionDenied, Executed::No, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(rules: &[(&str, &[&str])]) -> Access {
        let mut access = Access::default();
        for (methods, callers) in rules {
            access.add(Rule::new(methods, callers.iter().copied()).expect("a rule"));
        }
        access
    }

    fn may(access: &Access, method: &str, caller: &str) -> bool {
        let Some(allowed) = access.of(method) else { return true };
        check(&allowed, Some(&Identity::new(caller)), method).is_ok()
    }

    #[test]
    fn the_rule_that_says_most_of_a_method_decides() {
        let access =
            access(&[("*", &["*"]), ("Bank/*", &["a", "b"]), ("Bank/close", &["b"]), ("Bank/close", &["c"])]);
        let who = |method| ["a", "b", "c", "d"].map(|caller| may(&access, method, caller));
        assert_eq!(who("Other/x"), [true, true, true, true]);
        assert_eq!(who("Bank/pay"), [true, true, false, false]);
        assert_eq!(who("Bank/close"), [false, true, true, false]);
        assert_eq!(who("Banker/pay"), [true, true, true, true]);
    }

    #[test]
    fn a_method_of_which_no_rule_speaks_is_open_and_one_with_an_empty_rule_is_closed() {
        let access = access(&[("Bank/pay", &[])]);
        assert!(may(&access, "Bank/see", "anybody"));
        assert!(!may(&access, "Bank/pay", "anybody"));
    }

    #[test]
    fn whoever_does_not_say_who_it_is_is_told_how_to() {
        let error = check(&["*".parse().expect("a pattern")], None, "Bank/pay").expect_err("nobody");
        assert_eq!((error.reason(), error.executed()), (Reason::Unauthenticated, Executed::No));
    }
}
