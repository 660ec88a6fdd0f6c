//! What a service looks like from outside: its methods, their ids, and what may be done with a call to them.

mod kind;
mod method_id;

use std::{sync::OnceLock, time::Duration};

pub use kind::{CallKind, Idempotency};
pub use method_id::MethodId;

/// One method of a service, as its trait declares it.
///
/// ```
/// use rpcnet::{Service, rpc_trait};
///
/// #[rpc_trait]
/// trait Greeter {
///     /// Says hello.
///     #[rpc(read, timeout = "2s")]
///     async fn greet(&self, name: String) -> rpcnet::Result<String>;
/// }
///
/// # struct English;
/// # impl Greeter for English {
/// #     async fn greet(&self, name: String) -> rpcnet::Result<String> { Ok(name) }
/// # }
/// let greet = GreeterServer::new(English).descriptor().methods[0];
/// assert_eq!((greet.path, greet.answer), ("Greeter/greet", "rpcnet::Result<String>"));
/// assert_eq!(greet.arguments, [("name", "String")]);
/// assert_eq!(greet.timeout, Some(std::time::Duration::from_secs(2)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct MethodDescriptor {
    /// The method's name within its service.
    pub name: &'static str,
    /// Its full name, `Service/method`.
    pub path: &'static str,
    /// Its id on the wire.
    pub id: MethodId,
    /// Which of the two ends streams.
    pub kind: CallKind,
    /// What may be done when it is not known whether a call ran.
    pub idempotency: Idempotency,
    /// How long a call may take whose caller does not say. [`CallOptions::TIMEOUT_DEFAULT`](crate::CallOptions::TIMEOUT_DEFAULT)
    /// when `None`. `#[rpc(timeout = "2s")]`.
    pub timeout: Option<Duration>,
    /// The full names it went by, which the server still answers to. `#[rpc(alias = "…")]`.
    pub aliases: &'static [&'static str],
    /// Whether it blocks its thread, and is given one for that. `#[rpc(blocking)]`.
    pub blocking: bool,
    /// Whether it runs to its end when nobody waits for it any more. `#[rpc(no_cancel)]`.
    pub no_cancel: bool,
    /// Whether a call that takes long is sent to a second worker too. `#[rpc(hedge)]`.
    pub hedge: bool,
    /// Whether a keyed one runs again when it is not known how it ended. `#[rpc(on_unknown = "rerun")]`.
    pub reruns: bool,
    /// The arguments that cross the wire, in order: name and type as written.
    pub arguments: &'static [(&'static str, &'static str)],
    /// The type of the answer as written.
    pub answer: &'static str,
    /// The method's doc comment.
    pub docs: &'static str,
    /// What its types consist of, of those that say so.
    schemas: &'static [Option<SchemaText>],
    /// Made when it is first asked for.
    fingerprint: OnceLock<u64>,
}

/// Writes what a type consists of: see [`Schema`](crate::Schema).
pub(crate) type SchemaText = fn() -> String;

impl MethodDescriptor {
    /// Describes a method; its id follows from the path, `Service/method`.
    pub const fn new(name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            path,
            id: MethodId::of(path),
            kind: CallKind::Unary,
            idempotency: Idempotency::AtMostOnce,
            timeout: None,
            aliases: &[],
            blocking: false,
            no_cancel: false,
            hedge: false,
            reruns: false,
            arguments: &[],
            answer: "",
            docs: "",
            schemas: &[],
            fingerprint: OnceLock::new(),
        }
    }

    /// With what may be done when it is not known whether a call ran.
    #[must_use]
    pub const fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// With which of the two ends streams.
    #[must_use]
    pub const fn kind(mut self, kind: CallKind) -> Self {
        self.kind = kind;
        self
    }

    /// With how long a call may take whose caller does not say.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// With the full names it went by.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// As one that blocks its thread.
    #[must_use]
    pub const fn blocking(mut self) -> Self {
        self.blocking = true;
        self
    }

    /// As one whose calls are sent to a second worker too when they take long.
    #[must_use]
    pub const fn hedge(mut self) -> Self {
        self.hedge = true;
        self
    }

    /// As one that runs to its end whoever gives up.
    #[must_use]
    pub const fn no_cancel(mut self) -> Self {
        self.no_cancel = true;
        self
    }

    /// As one that runs again under an id whose outcome is not known.
    #[must_use]
    pub const fn reruns(mut self) -> Self {
        self.reruns = true;
        self
    }

    /// With the arguments' names and types as written.
    #[must_use]
    pub const fn arguments(mut self, arguments: &'static [(&'static str, &'static str)]) -> Self {
        self.arguments = arguments;
        self
    }

    /// With the type of the answer as written.
    #[must_use]
    pub const fn answer(mut self, answer: &'static str) -> Self {
        self.answer = answer;
        self
    }

    /// With the doc comment.
    #[must_use]
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }

    /// With what its types consist of.
    #[must_use]
    pub const fn schemas(mut self, schemas: &'static [Option<SchemaText>]) -> Self {
        self.schemas = schemas;
        self
    }

    /// The method as its trait declares it, by its name on the wire: `square(n: i64) -> Result<i64, ComputeError>`.
    pub fn signature(&self) -> String {
        let arguments: Vec<_> = self.arguments.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        format!("{}({}) -> {}", self.name, arguments.join(", "), self.answer)
    }

    /// What of the fingerprint travels with each call; never 0, which stands for none.
    pub(crate) fn short_fingerprint(&self) -> u32 {
        (self.fingerprint() as u32).max(1)
    }

    /// 64 bits by which two versions of a method can be told apart: the FNV-1a hash of the arguments' names and types and of
    /// the answer's type, all as written, and of what the types consist of, of those that derive
    /// [`Schema`](crate::Schema).
    ///
    /// What it does not see: that a type without `Schema` has changed inside, that an alias now stands for another type,
    /// and what any of it means. In a generic trait, what the trait's own parameters are.
    pub fn fingerprint(&self) -> u64 {
        *self.fingerprint.get_or_init(|| {
            let arguments = self.arguments.iter().map(|(name, ty)| format!("{name}: {ty}\n"));
            let schemas =
                self.schemas.iter().map(|schema| schema.map_or("?".to_owned(), |text| text()) + "\n");
            let text: String = arguments.chain([format!("-> {}\n", self.answer)]).chain(schemas).collect();
            MethodId::of(&text).to_bits()
        })
    }
}

/// A service, as its trait declares it.
///
/// ```
/// use rpcnet::{Service, rpc_trait};
///
/// /// Greets.
/// #[rpc_trait]
/// trait Greeter {
///     async fn greet(&self, name: String) -> rpcnet::Result<String>;
/// }
///
/// # struct English;
/// # impl Greeter for English {
/// #     async fn greet(&self, name: String) -> rpcnet::Result<String> { Ok(name) }
/// # }
/// let service = GreeterServer::new(English).descriptor();
/// assert_eq!((service.name, service.methods.len()), ("Greeter", 1));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct ServiceDescriptor {
    /// The service's name, the first part of every method's path.
    pub name: &'static str,
    /// Its methods, in the order of the trait.
    pub methods: &'static [&'static MethodDescriptor],
    /// The trait's doc comment.
    pub docs: &'static str,
}

impl ServiceDescriptor {
    /// Describes a service.
    pub const fn new(
        name: &'static str,
        methods: &'static [&'static MethodDescriptor],
        docs: &'static str,
    ) -> Self {
        Self { name, methods, docs }
    }
}
