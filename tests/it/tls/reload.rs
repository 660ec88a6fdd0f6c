//! Certificates and roots that change while calls run.

use std::{path::PathBuf, time::Duration};

use rpcnet::transport::tls::TlsError;

use super::*;

/// A directory of a test, gone with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("rpcnet-tls-{}", Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn put(&self, own: &Issued, roots: &[&Pem]) {
        replace(&self.file("tls.crt"), &text(&own.chain));
        replace(&self.file("tls.key"), &text(&own.key));
        replace(&self.file("ca.crt"), &roots.iter().copied().flat_map(text).collect::<Vec<_>>());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn end(realm: &Realm, host: u8, folder: &Folder) -> TlsBuilder {
    let file = |name| folder.file(name);
    realm.end_with(host, None).certificate(file("tls.crt"), file("tls.key")).roots(file("ca.crt"))
}

#[tokio::test]
async fn both_ends_go_over_to_another_authority_without_a_failed_call() {
    let (realm, next) = (Realm::new(), Authority::new().unwrap());
    let (server_files, client_files) = (Folder::new(), Folder::new());
    let (old, new) = (realm.authority.roots(), next.roots());
    let issue = |authority: &Authority, name| authority.issue([name]).unwrap();
    server_files.put(&issue(&realm.authority, SERVER), &[&old]);
    client_files.put(&issue(&realm.authority, "spiffe://prod/x"), &[&old]);
    let server = end(&realm, 1, &server_files).build().unwrap();
    let client = end(&realm, 2, &client_files).build().unwrap();
    let bound = Server::builder().service(DoorServer::new(Porter)).transport(server.clone());
    let bound = bound.bind("10.0.0.1:0").await.unwrap();
    let addr = bound.local_addr();
    let _serving = tokio::spawn(bound.serve());

    let lasting = Channel::builder(addr).transport(client.clone()).connect().await.unwrap();
    let lasting = DoorClient::new(lasting);
    // Each step is safe by itself: trust both, show the new one, trust it alone.
    let steps = [(false, vec![&old, &new]), (true, vec![&old, &new]), (true, vec![&new])];
    for (renewed, roots) in steps {
        for (tls, files, name) in
            [(&server, &server_files, SERVER), (&client, &client_files, "spiffe://prod/x")]
        {
            files.put(&issue(if renewed { &next } else { &realm.authority }, name), &roots);
            assert!(tls.reload().unwrap(), "the files have changed");
            assert!(!tls.reload().unwrap(), "they have not");
            let fresh = Channel::builder(addr).transport(client.clone()).connect().await.unwrap();
            assert_eq!(DoorClient::new(fresh).knock().await.unwrap(), "spiffe://prod/x");
            assert_eq!(lasting.knock().await.unwrap(), "spiffe://prod/x", "what is open stays open");
        }
    }
    assert_eq!(server.status().borrow().reloads, 3);
    let error = refused(addr, realm.end(3, &["spiffe://prod/x"]).roots(new)).await;
    assert!(
        error.contains("does not trust who issued"),
        "the old authority lets nobody in any more: {error}"
    );
}

#[tokio::test]
async fn garbage_on_disk_changes_nothing_and_is_reported() {
    let (realm, folder) = (Realm::new(), Folder::new());
    let roots = realm.authority.roots();
    let own = realm.authority.issue([SERVER]).unwrap();
    folder.put(&own, &[&roots]);
    let tls = end(&realm, 1, &folder).build().unwrap();
    let before = tls.status().borrow().expires_at;
    type Change<'a> = Box<dyn Fn() + 'a>;
    let write = |name, text: &'static str| std::fs::write(folder.file(name), text).unwrap();
    let changes: [(Change<'_>, &str); 6] = [
        (Box::new(|| write("tls.crt", "garbage")), "tls.crt holds no certificate"),
        (Box::new(|| write("tls.crt", "")), "tls.crt holds no certificate"),
        (Box::new(|| write("tls.key", "")), "tls.key holds no private key"),
        (Box::new(|| write("ca.crt", "-----BEGIN CERTIFICATE-----\n!\n")), "ca.crt is no certificate in PEM"),
        (Box::new(|| std::fs::remove_file(folder.file("ca.crt")).unwrap()), "cannot read"),
        (
            Box::new(|| {
                let other = realm.authority.issue([SERVER]).unwrap();
                replace(&folder.file("tls.crt"), &text(&other.chain));
            }),
            "tls.key is not that of the certificate in",
        ),
    ];
    for (change, words) in changes {
        change();
        let error = tls.reload().expect_err("it cannot be used").to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert_eq!(tls.status().borrow().expires_at, before);
        // What was there before is as good as it was.
        folder.put(&own, &[&roots]);
        assert!(tls.reload().is_ok(), "and what is put right is taken up");
    }
}

/// As a secret is mounted in Kubernetes: files are links through a link that is switched.
#[cfg(unix)]
#[tokio::test]
async fn files_behind_a_link_that_is_switched_are_found_by_themselves() {
    use std::os::unix::fs::symlink;

    let (realm, folder) = (Realm::new(), Folder::new());
    let version = |name: &str, identity| {
        std::fs::create_dir(folder.file(name)).unwrap();
        let own = realm.authority.issue([identity]).unwrap();
        std::fs::write(folder.file(name).join("tls.crt"), text(&own.chain)).unwrap();
        std::fs::write(folder.file(name).join("tls.key"), text(&own.key)).unwrap();
        std::fs::write(folder.file(name).join("ca.crt"), text(&realm.authority.roots())).unwrap();
    };
    version("..1", "spiffe://prod/first");
    symlink("..1", folder.file("..data")).unwrap();
    for name in ["tls.crt", "tls.key", "ca.crt"] {
        symlink(format!("..data/{name}"), folder.file(name)).unwrap();
    }
    let addr = realm.serve(realm.end(1, &[SERVER])).await;
    let tls = end(&realm, 2, &folder).reload_every(Duration::from_millis(1)).build().unwrap();
    let mut status = tls.status();
    let connect = async || {
        let channel = Channel::builder(addr).transport(tls.clone()).connect().await.unwrap();
        DoorClient::new(channel).knock().await.unwrap()
    };
    assert_eq!(connect().await, "spiffe://prod/first");
    version("..2", "spiffe://prod/second");
    symlink("..2", folder.file("..new")).unwrap();
    std::fs::rename(folder.file("..new"), folder.file("..data")).unwrap();
    status.wait_for(|status| status.reloads == 1).await.unwrap();
    assert_eq!(connect().await, "spiffe://prod/second");

    std::fs::write(folder.file("..2").join("tls.crt"), "garbage").unwrap();
    let error = status.wait_for(|status| status.error.is_some()).await.unwrap().error.clone().unwrap();
    assert!(matches!(&*error, TlsError::Empty { .. }), "{error}");
    assert_eq!(connect().await, "spiffe://prod/second", "what was in use still is");
}

#[tokio::test]
async fn how_long_a_certificate_lasts_can_be_watched() {
    let realm = Realm::new();
    let now = std::time::SystemTime::now();
    let hour = Duration::from_secs(3600);
    let own = realm.authority.issue_for([SERVER], now - hour, now + hour).unwrap();
    let tls = realm.end_with(1, Some(own)).build().unwrap();
    let left = tls.status().borrow().expires_in().unwrap();
    assert!(left <= hour && left > hour / 2, "{left:?}");
    let client = realm.end_with(1, None).roots(realm.authority.roots()).build().unwrap();
    assert_eq!(client.status().borrow().expires_in(), None);
}

#[test]
fn a_directory_of_development_is_made_once_and_shared() {
    let folder = Folder::new();
    let place = folder.file("dev");
    let first = Tls::development(&place).unwrap();
    let made = std::fs::read(place.join("tls.crt")).unwrap();
    let second = Tls::development(&place).unwrap();
    assert_eq!(std::fs::read(place.join("tls.crt")).unwrap(), made);
    assert_eq!((first.identity(), second.identity()), (second.identity(), first.identity()));
    std::fs::write(place.join("tls.crt"), "garbage").unwrap();
    Tls::development(&place).unwrap();
    assert_ne!(std::fs::read(place.join("tls.crt")).unwrap(), b"garbage", "it is made anew");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(place.join("tls.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else reads the key");
    }
    let left: Vec<_> =
        std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["dev"], "nothing else is left behind");
}
