//! The platform with its HTTP front, for tests.

use std::ops::Deref;

use actix_web::web::{Data, ServiceConfig};

use super::config::FacebookConfig;
use super::platform::Facebook;
use super::{control, graph};
use crate::platforms::StartError;
use crate::server::RunningServer;

/// A simulated Facebook on its own port, with its phone page. It ends when it is dropped.
pub struct SimulatedFacebook {
    facebook: Facebook,
    server: RunningServer,
}

impl SimulatedFacebook {
    /// Starts it. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(config: FacebookConfig) -> Result<Self, StartError> {
        let listen = config.listen;
        let facebook = Facebook::new(config)?;
        let server = RunningServer::start(listen, {
            let facebook = facebook.clone();
            move |routes| {
                facebook.routes(routes);
                crate::phone::routes(routes);
            }
        })?;
        Ok(Self { facebook, server })
    }

    /// What `GRAPH_API_URL` has to be.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// The phone page of a visitor.
    #[must_use]
    pub fn phone_url(&self, psid: &str) -> String {
        format!("{}/phone?psid={psid}", self.server.base_url())
    }

    /// Stops it and waits for the end.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deref for SimulatedFacebook {
    type Target = Facebook;

    fn deref(&self) -> &Facebook {
        &self.facebook
    }
}

impl Facebook {
    /// Graph and the control of it.
    pub fn routes(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::new(self.clone()))
            .configure(control::routes)
            .configure(graph::routes);
    }
}
