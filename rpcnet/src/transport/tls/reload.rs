//! Files that change while they are used.

use std::{
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use super::{
    Inner, TlsError,
    material::{Material, Texts},
};

/// What TLS uses now, and what became of the last change.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TlsStatus {
    /// How often what was read anew was taken into use.
    pub reloads: u64,
    /// Why what was read last is not in use: what was there before still is. None when it is in use.
    pub error: Option<Arc<TlsError>>,
    /// When the certificate in use ends, or the first of those that lead to its root. None without one.
    pub expires_at: Option<SystemTime>,
}

impl TlsStatus {
    /// For how long the certificate is still valid: zero when it has ended, none without one. A gauge to alarm on.
    pub fn expires_in(&self) -> Option<Duration> {
        self.expires_at.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default())
    }
}

/// What was read last, whether or not it could be used: so that the same fault is told once.
pub(super) enum Last {
    Read(Texts),
    /// The message.
    Failed(String),
}

impl Inner {
    /// Reads everything again. True if something else is used from now on.
    pub(super) fn reload(&self) -> Result<bool, TlsError> {
        let mut last = self.last.lock();
        let read = self.sources.read();
        let same = match (&*last, &read) {
            (Last::Read(last), Ok(texts)) => last == texts,
            (Last::Failed(last), Err(error)) => *last == error.to_string(),
            _ => false,
        };
        let result = read.and_then(|texts| {
            // What failed before is tried again: a certificate may be valid by now.
            if same && self.status.borrow().error.is_none() {
                return Ok(false);
            }
            *last = Last::Read(texts.clone());
            self.take_up(&texts).map(|()| true)
        });
        if let Err(error) = &result
            && matches!(error, TlsError::Read { .. })
        {
            *last = Last::Failed(error.to_string());
        }
        result
    }

    fn take_up(&self, texts: &Texts) -> Result<(), TlsError> {
        let material = Material::new(texts, &self.settings, &self.provider, SystemTime::now())?;
        let expires_at = material.expires_at;
        *self.material.write() = Arc::new(material);
        self.status.send_modify(|status| {
            *status = TlsStatus { reloads: status.reloads + 1, error: None, expires_at };
        });
        Ok(())
    }

    /// Reads everything again, and tells of what happened.
    pub(super) fn reload_and_tell(&self) {
        match self.reload() {
            Ok(true) => tracing::info!("certificates reloaded"),
            Ok(false) => {}
            Err(error) => {
                let message = error.to_string();
                let told = |status: &TlsStatus| {
                    status.error.as_ref().is_some_and(|last| last.to_string() == message)
                };
                if !told(&self.status.borrow()) {
                    tracing::warn!(%error, "certificates not reloaded: what was in use before still is");
                    self.status.send_modify(|status| status.error = Some(Arc::new(error)));
                }
            }
        }
    }
}

/// Looks at the files now and then, for as long as somebody uses them.
///
/// Their contents are compared: a notification would not come for every way in which a file is replaced (a link that is
/// switched, a directory above it, a volume of the network), and reading three small files costs nothing.
pub(super) async fn watch(tls: Weak<Inner>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(tls) = tls.upgrade() else { return };
        // A volume of the network may let a read wait.
        let _ = tokio::task::spawn_blocking(move || tls.reload_and_tell()).await;
    }
}
