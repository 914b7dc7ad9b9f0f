//! An HTTP server that a test or a binary owns: it ends when it is dropped.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};

use crate::cut::Cut;

/// Longer than any client keeps an idle connection: the race between a reused and a just closed connection would look like a
/// fault that nobody asked for.
const KEEP_ALIVE: Duration = Duration::from_secs(600);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    handle: ServerHandle,
}

impl RunningServer {
    /// Binds and serves on one worker thread; port 0 picks a free one. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start(listen: SocketAddr, configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let server = HttpServer::new(move || App::new().configure(configure.clone()))
            .workers(1)
            .keep_alive(KEEP_ALIVE)
            .disable_signals()
            .shutdown_timeout(1)
            .on_connect(Cut::remember)
            .listen(listener)?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, handle })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://host:port`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it and waits for the end.
    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        // The command is sent at once; only waiting for the end would need the future.
        drop(self.handle.stop(false));
    }
}
