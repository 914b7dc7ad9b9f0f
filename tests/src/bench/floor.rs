//! The floor of `ingest`: the least that has to happen between a webhook and its acknowledgement. Checks the signature, publishes the same
//! message to the same queues, waits for the confirm. It knows where the parts are and parses nothing, remembers nothing and counts nothing.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use clap::Args;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use runtime::broker::short;
use serde_json::json;
use shared::Partition;
use shared::envelope;
use shared::signature::{self, AppSecret};
use shared::topology::Topology;
use uuid::Uuid;

use super::BenchError;
use super::sample::{self, Parts};
use crate::wall_clock;

/// How the floor is started. By `bench ingest`; alone it is of no use.
#[derive(Clone, Args)]
pub struct FloorOptions {
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub(super) amqp_url: String,
    #[arg(long, env = "AMQP_PREFIX")]
    pub(super) amqp_prefix: String,
    #[arg(long, env = "APP_SECRET", hide_env_values = true)]
    app_secret: String,
    /// As many as ingress has.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Publishes without headers.
    #[arg(long)]
    bare: bool,
}

/// Takes webhooks and publishes them.
pub(super) struct Floor {
    channel: Channel,
    secret: AppSecret,
    exchange: ShortString,
    /// None for the floor without headers.
    boot: Option<Uuid>,
    sequence: AtomicU64,
}

/// Serves until it is stopped.
///
/// # Errors
/// When there is no broker, or no port.
pub async fn serve(options: FloorOptions) -> Result<(), BenchError> {
    let connection = connect(&options).await?;
    let floor = Data::new(Floor::new(&options, &connection).await?);
    listen(options.workers, move |routes| floor_routes(routes, &floor)).await
}

pub(super) async fn connect(options: &FloorOptions) -> Result<Connection, BenchError> {
    Ok(Connection::connect(&options.amqp_url, ConnectionProperties::default()).await?)
}

pub(super) fn floor_routes(routes: &mut ServiceConfig, floor: &Data<Floor>) {
    routes
        .app_data(floor.clone())
        .route("/facebook/webhook/{page_id}", web::post().to(receive))
        .route("/readyz", web::get().to(HttpResponse::Ok));
}

/// Serves on a free port and tells which, the way the services do.
pub(super) async fn listen(workers: usize, routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Result<(), BenchError> {
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(workers)
        // As ingress: Facebook keeps connections open between deliveries.
        .keep_alive(Duration::from_secs(75))
        .shutdown_timeout(1)
        .bind(("127.0.0.1", 0))?;
    let address = server.addrs().first().map(ToString::to_string);
    writeln!(std::io::stdout(), "{}", json!({"message": "listening", "address": address}))?;
    server.run().await?;
    Ok(())
}

async fn receive(request: HttpRequest, body: Bytes, floor: Data<Floor>) -> HttpResponse {
    let header = request.headers().get(signature::HEADER).map(|value| value.as_bytes());
    if signature::verify(&body, header, [&floor.secret]).is_err() {
        return HttpResponse::Unauthorized().finish();
    }
    let Some(parts) = Parts::of(&body) else {
        return HttpResponse::BadRequest().finish();
    };
    match floor.publish(&parts).await {
        Ok(Confirmation::Ack(None)) => HttpResponse::Ok().finish(),
        Ok(_) | Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

impl Floor {
    pub(super) async fn new(options: &FloorOptions, connection: &Connection) -> Result<Self, BenchError> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self {
            channel,
            secret: AppSecret::new(&options.app_secret).ok_or(BenchError::Refused(401))?,
            exchange: short(&Topology::new(&options.amqp_prefix).events_exchange()),
            boot: (!options.bare).then(Uuid::now_v7),
            sequence: AtomicU64::new(0),
        })
    }

    async fn publish(&self, parts: &Parts<'_>) -> Result<Confirmation, lapin::Error> {
        let visitor = parts.message.map_or(0, |message| message.visitor);
        let partition = u8::try_from(visitor % 16).ok().and_then(Partition::new);
        let routing_key = partition.map(Partition::routing_key).unwrap_or_default();
        let properties = properties(parts);
        let properties = match self.boot {
            Some(boot) => properties.with_headers(self.headers(boot, routing_key, parts)),
            None => properties,
        };
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let published = self
            .channel
            .basic_publish(self.exchange.clone(), routing_key.into(), options, &parts.event, properties);
        published.await?.await
    }

    fn headers(&self, boot: Uuid, partition: &str, parts: &Parts<'_>) -> FieldTable {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let mut headers = FieldTable::default();
        let mut put = |name: &'static str, value: String| {
            headers.insert(name.into(), AMQPValue::LongString(value.into()));
        };
        put(envelope::PAGE_ID, sample::PAGE.to_owned());
        put(
            envelope::VISITOR_ID,
            parts.message.map(|message| message.psid).unwrap_or_default().to_owned(),
        );
        put(envelope::RECEIPT, format!("{boot}/{partition}/{sequence}"));
        put(envelope::RECEIVED_AT, wall_clock::now_ms().to_string());
        put(envelope::ARRAY, "messaging".to_owned());
        put(envelope::ENTRY_TIME, parts.entry_time.to_owned());
        headers
    }
}

fn properties(parts: &Parts<'_>) -> BasicProperties {
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into());
    match parts.message {
        Some(message) => properties
            .with_message_id(format!("{}/msg:{}", sample::PAGE, message.mid).into())
            .with_type("message".into())
            .with_timestamp(message.seconds),
        None => properties,
    }
}
