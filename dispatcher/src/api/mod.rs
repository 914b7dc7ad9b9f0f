//! The HTTP API, the feed's door and the console's files.
//!
//! Invariants: every handler but the sign-in asks for [`signed::Signed`] and shows a [`signed::Granted`] for whatever it reads or
//! changes; every refusal is one of [`Problem`]; no answer carries a secret.

mod access_log;
pub mod commands;
mod console;
mod conversations;
mod directory;
mod doorkeeper;
mod extract;
mod feed;
mod health;
mod instant;
pub mod openapi;
mod page_cursor;
mod presence;
mod problem;
pub mod session;
pub mod signed;
mod state;
mod words;

use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::web::Data;
use actix_web::{App, web};
use utoipa_actix_web::AppExt as _;
use utoipa_actix_web::scope::scope;
use utoipa_actix_web::service_config::ServiceConfig;

pub use console::Console;
pub use doorkeeper::Doorkeeper;
pub use health::Readiness;
pub use problem::{Problem, Refused};
pub use state::{ApiParts, ApiSettings, ApiState};

/// Scripts, styles and connections only from here; pictures also from Facebook, whose addresses change. The component library sets
/// styles from scripts.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; \
     media-src 'self' https:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Everything that the dispatcher serves, for the application of one worker.
pub fn configure(state: ApiState) -> impl FnOnce(&mut web::ServiceConfig) {
    move |routes| {
        let (payload, path, query) = extract::extractor_settings();
        let everything = web::scope("")
            .app_data(Data::new(state))
            .app_data(payload)
            .app_data(path)
            .app_data(query)
            .configure(|routes| {
                let mut routes = ServiceConfig::new(routes);
                api(&mut routes);
            })
            .route("/healthz", web::get().to(health::healthz))
            .route("/readyz", web::get().to(health::readyz))
            .default_service(web::to(console::serve))
            .wrap(security_headers())
            .wrap(from_fn(access_log::log_request));
        routes.service(everything);
    }
}

fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("X-Frame-Options", "DENY"))
        .add(("Cross-Origin-Opener-Policy", "same-origin"))
}

fn api(routes: &mut ServiceConfig<'_>) {
    let versioned = scope("/v1").configure(operations).wrap(from_fn(signed::look_up_session));
    let api = scope("/api")
        .service(openapi::get_openapi)
        .service(versioned)
        .default_service(web::to(openapi::refuse_unknown))
        .wrap(DefaultHeaders::new().add(("Cache-Control", "no-store")));
    routes.service(api);
}

/// The description of the API, collected from its handlers.
fn described() -> utoipa::openapi::OpenApi {
    App::new().into_utoipa_app().configure(api).split_for_parts().1
}

fn operations(routes: &mut ServiceConfig<'_>) {
    routes
        .service(session::create_session)
        .service(session::get_session)
        .service(session::delete_session)
        .service(presence::get_presence)
        .service(presence::update_presence)
        .service(conversations::list_conversations)
        .service(conversations::get_conversation)
        .service(conversations::get_timeline)
        .service(conversations::create_reply)
        .service(conversations::accept_conversation)
        .service(conversations::hand_over_conversation)
        .service(conversations::close_conversation)
        .service(feed::follow_feed);
    directory(routes);
    routes.default_service(web::to(openapi::refuse_unknown));
}

fn directory(routes: &mut ServiceConfig<'_>) {
    routes
        .service(directory::list_apps)
        .service(directory::get_app)
        .service(directory::create_app)
        .service(directory::update_app)
        .service(directory::list_channels)
        .service(directory::get_channel)
        .service(directory::create_channel)
        .service(directory::update_channel)
        .service(directory::list_bots)
        .service(directory::get_bot)
        .service(directory::create_bot)
        .service(directory::update_bot)
        .service(directory::list_skill_groups)
        .service(directory::get_skill_group)
        .service(directory::create_skill_group)
        .service(directory::update_skill_group)
        .service(directory::list_people)
        .service(directory::get_person)
        .service(directory::create_person)
        .service(directory::update_person);
}
