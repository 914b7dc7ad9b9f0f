//! The service with its HTTP front, for tests.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;

use super::credentials::Credentials;
use super::service::Chatopera;
use crate::platforms::StartError;
use crate::server::RunningServer;

/// A simulated Chatopera on a port of its own. It ends when it is dropped.
pub struct SimulatedChatopera {
    chatopera: Chatopera,
    server: RunningServer,
}

impl SimulatedChatopera {
    /// Starts it on a free port of the loopback. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(credentials: Credentials) -> Result<Self, StartError> {
        let chatopera = Chatopera::new(credentials);
        let server = RunningServer::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), {
            let chatopera = chatopera.clone();
            move |routes| chatopera.routes(routes)
        })?;
        Ok(Self { chatopera, server })
    }

    /// What `CHATOPERA_URL` has to be.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Stops it and waits for the end.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deref for SimulatedChatopera {
    type Target = Chatopera;

    fn deref(&self) -> &Chatopera {
        &self.chatopera
    }
}
