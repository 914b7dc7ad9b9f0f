//! Ends a connection without an answer, as a dying gateway does. A handler of actix-web cannot: whatever it returns becomes an
//! answer. So every connection keeps a second handle of its socket, and the handler shuts that down.

use std::any::Any;
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::{HttpRequest, HttpResponse};

/// The second handle of a connection's socket.
#[derive(Debug)]
pub struct Cut(TcpStream);

impl Cut {
    /// To be given to `HttpServer::on_connect`.
    pub fn remember(connection: &dyn Any, data: &mut Extensions) {
        let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>() else {
            return;
        };
        if let Ok(handle) = stream.as_fd().try_clone_to_owned() {
            data.insert(Self(TcpStream::from(handle)));
        }
    }
}

/// Holds the caller for a while, then cuts the connection. The answer exists for the types only; nobody receives it.
pub async fn hold_and_cut(request: &HttpRequest, hold: Duration) -> HttpResponse {
    tokio::time::sleep(hold).await;
    if let Some(Cut(socket)) = request.conn_data::<Cut>() {
        // It fails only when the caller has hung up already.
        let _gone = socket.shutdown(Shutdown::Both);
    }
    HttpResponse::GatewayTimeout().finish()
}
