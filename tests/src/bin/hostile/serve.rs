//! The process that is attacked: a server with its default limits.

use std::{
    error::Error,
    io::{self, Read, Write},
};

use rpcnet::prelude::*;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    service::{Outcomes, TargetServer, Victim, hold_bytes},
    tally,
};

/// Serves until the standard input is closed, with no more than so many open files if a number is given.
pub(crate) fn run(files_max: Option<&str>) -> Result<(), Box<dyn Error>> {
    if let Some(files) = files_max {
        let old = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(files.parse()?), ..old })?;
    }
    tracing::subscriber::set_global_default(tally::Listener)?;
    let outcomes = Outcomes::default();
    obey_the_parent(outcomes.clone());
    serve(outcomes)
}

#[tokio::main]
async fn serve(outcomes: Outcomes) -> Result<(), Box<dyn Error>> {
    let server = Server::builder()
        .service(TargetServer::new(Victim(outcomes)))
        .register("hold_bytes", hold_bytes)
        .bind("127.0.0.1:0")
        .await?;
    writeln!(io::stdout(), "{}", server.local_addr())?;
    server.serve().await;
    Ok(())
}

/// For each byte it says what has happened. However the parent ends, the system then closes the other end of the standard input.
fn obey_the_parent(outcomes: Outcomes) {
    std::thread::spawn(move || {
        let (mut stdin, mut stdout) = (io::stdin().lock(), io::stdout());
        while stdin.read(&mut [0; 1]).is_ok_and(|read| read > 0) {
            let told = format!("{}\n{}", outcomes.most_at_once(), tally::told());
            if stdout.write_all(told.as_bytes()).and_then(|()| stdout.flush()).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
}
