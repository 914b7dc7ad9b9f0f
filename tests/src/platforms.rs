//! Everything on one listener, as the demo wants it: Graph under `/`, Chatopera under `/api/v1/chatbot`, the phone under `/phone`,
//! the controls under `/control`.

use crate::chatopera::{Chatopera, Credentials};
use crate::facebook::{Facebook, FacebookConfig};
use crate::phone;
use crate::server::RunningServer;

/// Why a platform did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen.
    #[error("cannot listen")]
    Listen(#[from] std::io::Error),
    /// It cannot call back.
    #[error("cannot make an HTTP client")]
    Client(#[from] reqwest::Error),
}

/// Both platforms and the phone on one listener. They end when this is dropped.
pub struct Platforms {
    /// The simulated Facebook.
    pub facebook: Facebook,
    /// The simulated Chatopera.
    pub chatopera: Chatopera,
    server: RunningServer,
}

impl Platforms {
    /// Starts them where `facebook.listen` says. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When they cannot listen.
    pub fn start(facebook: FacebookConfig, bot: Credentials) -> Result<Self, StartError> {
        let listen = facebook.listen;
        let facebook = Facebook::new(facebook)?;
        let chatopera = Chatopera::new(bot);
        let server = RunningServer::start(listen, {
            let (facebook, chatopera) = (facebook.clone(), chatopera.clone());
            move |routes| {
                chatopera.routes(routes);
                facebook.routes(routes);
                phone::routes(routes);
            }
        })?;
        Ok(Self {
            facebook,
            chatopera,
            server,
        })
    }

    /// What `GRAPH_API_URL` and `CHATOPERA_URL` have to be.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Stops them and waits for the end.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
