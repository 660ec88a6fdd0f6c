//! Mutual TLS: both ends show who they are, and who is not allowed is refused before anything of its call is read.

use std::path::{Path, PathBuf};

use rpcnet::{
    Channel,
    prelude::*,
    transport::tls::{Tls, development::Authority},
};

/// Accounts.
#[rpc_trait]
trait Bank {
    #[rpc(read)]
    async fn balance(&self, ctx: Context, account: String) -> rpcnet::Result<String>;

    async fn close(&self, ctx: Context, account: String) -> rpcnet::Result<String>;
}

struct Vault;

/// Who calls, by the certificate of its connection.
fn caller(ctx: &Context) -> String {
    ctx.identity().map_or("nobody", |identity| identity.as_str()).to_owned()
}

impl Bank for Vault {
    async fn balance(&self, ctx: Context, account: String) -> rpcnet::Result<String> {
        Ok(format!("{} asks for {account}", caller(&ctx)))
    }

    async fn close(&self, ctx: Context, account: String) -> rpcnet::Result<String> {
        Ok(format!("{} closes {account}", caller(&ctx)))
    }
}

/// Certificates in a directory, as an authority such as SPIRE or Vault would leave them there; gone with the program.
struct Certificates(PathBuf);

impl Certificates {
    fn issue(names: &[(&str, &str)]) -> rpcnet::Result<Self> {
        let folder = std::env::temp_dir().join(format!("rpcnet-identity-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder)?;
        let certificates = Self(folder);
        let authority = Authority::new()?;
        for (name, identity) in names {
            let own = authority.issue([*identity])?;
            std::fs::write(certificates.file(&format!("{name}.crt")), own.chain.to_vec()?)?;
            std::fs::write(certificates.file(&format!("{name}.key")), own.key.to_vec()?)?;
        }
        std::fs::write(certificates.file("ca.crt"), authority.roots().to_vec()?)?;
        Ok(certificates)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What a process of this name needs: its own certificate and key, and whom it trusts. A client of it calls the bank and
    /// nobody else, wherever that is.
    fn of(&self, name: &str, roots: &Path) -> rpcnet::Result<Tls> {
        Ok(Tls::builder()
            .certificate(self.file(&format!("{name}.crt")), self.file(&format!("{name}.key")))
            .roots(roots)
            .servers("spiffe://prod/bank".parse()?)
            .build()?)
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        // Nothing else can be done about files that cannot be removed.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::main]
async fn main() -> rpcnet::Result<()> {
    let ours = Certificates::issue(&[
        ("bank", "spiffe://prod/bank"),
        ("web", "spiffe://prod/web/7"),
        ("clerk", "spiffe://prod/clerk"),
    ])?;
    let theirs = Certificates::issue(&[("bank", "spiffe://prod/bank")])?;
    let roots = ours.file("ca.crt");

    let server = Server::builder()
        .service(BankServer::new(Vault))
        .allow("Bank/*", ["spiffe://prod/*"])
        .allow("Bank/close", ["spiffe://prod/clerk"])
        .transport(ours.of("bank", &roots)?)
        .bind("127.0.0.1:0")
        .await?;
    let addr = server.local_addr();
    tokio::spawn(server.serve());

    for name in ["web", "clerk"] {
        let channel = Channel::builder(addr).transport(ours.of(name, &roots)?).connect().await?;
        let bank = BankClient::new(channel);
        println!("{}", bank.balance("account 7".into()).await?);
        match bank.close("account 7".into()).await {
            Ok(answer) => println!("{answer}"),
            Err(error) => {
                println!(
                    "{name} may not: {}",
                    error.code().map_or_else(String::new, |code| code.to_string())
                );
            }
        }
    }

    // The same name, issued by somebody else.
    let stranger = Channel::builder(addr).transport(theirs.of("bank", &roots)?).connect().await;
    println!("a forged certificate is {}", if stranger.is_ok() { "taken" } else { "refused" });
    let plain = Channel::connect(addr).await;
    println!("plain text is {}", if plain.is_ok() { "taken" } else { "refused" });
    Ok(())
}
