//! The floor of `latency`: the least that has to happen between a webhook, a console and a bot's answer. What the floor of `ingest` does;
//! then the event is consumed, committed to PostgreSQL as it is, told to whoever listens, and acknowledged; then the bot is asked and its
//! answer sent. There is no conversation, no order, no lock, no second look: nothing is known afterwards but the bytes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{self, Bytes, Data};
use clap::Args;
use diesel::sql_types::{Array, Binary};
use diesel::{Connection as _, PgConnection, RunQueryDsl as _, sql_query};
use futures::StreamExt as _;
use futures::stream::{select_all, unfold};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use runtime::broker::{Broker, short};
use runtime::config::{BrokerConfig, SecretUrl};
use serde_json::json;
use shared::Partition;
use tokio::sync::{broadcast, mpsc};

use super::BenchError;
use super::floor::{self, Floor, FloorOptions};
use super::sample::{MessageParts, PAGE};
use crate::chatopera::answer::SHIPPING;

/// As many as the machine of the targets has cores, and as the dispatcher has.
const WRITERS: usize = 2;
/// The dispatcher's batches are no larger either.
const BATCH: usize = 200;
const FEED_BUFFER: usize = 65_536;

/// How the floor is started. By `bench latency`; alone it is of no use.
#[derive(Clone, Args)]
pub struct PipelineOptions {
    #[command(flatten)]
    floor: FloorOptions,
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    #[arg(long, env = "GRAPH_API_URL")]
    graph_api_url: String,
    #[arg(long, env = "CHATOPERA_URL")]
    chatopera_url: String,
    #[arg(long, env = "CHATOPERA_CLIENT_ID")]
    chatopera_client_id: String,
    #[arg(long, env = "PAGE_TOKEN", hide_env_values = true)]
    page_token: String,
}

/// Serves until it is stopped.
///
/// # Errors
/// When there is no broker, no database or no port.
pub async fn serve(options: PipelineOptions) -> Result<(), BenchError> {
    let connection = floor::connect(&options.floor).await?;
    let consumers = consume(&options.floor, &connection.create_channel().await?).await?;
    let (committed, finished) = mpsc::unbounded_channel();
    let writers = writers(&options.database_url, &committed)?;
    let feed = broadcast::Sender::new(FEED_BUFFER);
    let pipeline = Pipeline {
        feed: feed.clone(),
        answerer: Arc::new(Answerer::new(&options)?),
    };
    tokio::spawn(distribute(consumers, writers));
    tokio::spawn(pipeline.finish(finished));
    let floor = Data::new(Floor::new(&options.floor, &connection).await?);
    let feed = Data::new(feed);
    floor::listen(1, move |routes| {
        floor::floor_routes(routes, &floor);
        routes.app_data(feed.clone()).route("/api/v1/feed", web::get().to(follow));
    })
    .await
}

async fn consume(options: &FloorOptions, channel: &Channel) -> Result<Vec<Consumer>, BenchError> {
    let config = BrokerConfig {
        amqp_url: SecretUrl::new(&options.amqp_url),
        amqp_prefix: options.amqp_prefix.clone(),
    };
    let broker = Broker::new(&config, "frontdesk-bench-floor");
    broker.declare(channel).await?;
    channel.basic_qos(500, BasicQosOptions::default()).await?;
    let mut consumers = Vec::new();
    for partition in Partition::all() {
        let queue = broker.topology().events_queue(partition);
        let consumer = channel.basic_consume(short(&queue), short(""), BasicConsumeOptions::default(), FieldTable::default());
        consumers.push(consumer.await?);
    }
    Ok(consumers)
}

/// Hands deliveries to the writers in turns.
async fn distribute(consumers: Vec<Consumer>, writers: Vec<Sender<Delivery>>) {
    let mut deliveries = select_all(consumers);
    let mut turns = writers.iter().cycle();
    while let Some(Ok(delivery)) = deliveries.next().await {
        if turns.next().is_none_or(|writer| writer.send(delivery).is_err()) {
            return;
        }
    }
}

fn writers(database_url: &str, committed: &mpsc::UnboundedSender<Vec<Delivery>>) -> Result<Vec<Sender<Delivery>>, BenchError> {
    let mut connection = PgConnection::establish(database_url)?;
    sql_query("CREATE TABLE floor_event (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)")
        .execute(&mut connection)?;
    let writer = |_| {
        let (hand, taken) = channel();
        let (connection, committed) = (PgConnection::establish(database_url)?, committed.clone());
        std::thread::spawn(move || write(connection, &taken, &committed));
        Ok(hand)
    };
    (0..WRITERS).map(writer).collect()
}

/// Commits whatever is there, until there is nobody to tell.
fn write(mut connection: PgConnection, taken: &Receiver<Delivery>, committed: &mpsc::UnboundedSender<Vec<Delivery>>) {
    while let Ok(first) = taken.recv() {
        let batch: Vec<Delivery> = std::iter::once(first).chain(taken.try_iter().take(BATCH - 1)).collect();
        let bodies: Vec<&[u8]> = batch.iter().map(|delivery| delivery.data.as_slice()).collect();
        let insert = sql_query("INSERT INTO floor_event (body) SELECT unnest($1)").bind::<Array<Binary>, _>(bodies);
        if insert.execute(&mut connection).is_err() || committed.send(batch).is_err() {
            return;
        }
    }
}

/// What follows a commit.
struct Pipeline {
    feed: broadcast::Sender<Bytes>,
    answerer: Arc<Answerer>,
}

impl Pipeline {
    async fn finish(self, mut committed: mpsc::UnboundedReceiver<Vec<Delivery>>) {
        while let Some(batch) = committed.recv().await {
            for delivery in batch {
                self.tell(&delivery.data);
                if delivery.acker.ack(BasicAckOptions::default()).await.is_err() {
                    return;
                }
            }
        }
    }

    fn tell(&self, event: &[u8]) {
        let Some(message) = MessageParts::of(event) else { return };
        let change = json!({"type": "message_received", "payload": {"mid": message.mid}});
        // Nobody may listen yet.
        let _listeners = self.feed.send(Bytes::from(format!("event: changed\ndata: {change}\n\n")));
        let (psid, escaped_text) = (message.psid.to_owned(), message.escaped_text.to_owned());
        let answerer = Arc::clone(&self.answerer);
        // A failure shows as a lost answer.
        tokio::spawn(async move { answerer.answer(&psid, &escaped_text).await });
    }
}

/// The server-sent events of everything committed.
async fn follow(feed: Data<broadcast::Sender<Bytes>>) -> HttpResponse {
    let hello = futures::stream::iter([Ok(Bytes::from_static(b"event: hello\ndata: {}\n\n"))]);
    let news = unfold(feed.subscribe(), |mut news| async move { Some((news.recv().await, news)) });
    HttpResponse::Ok().content_type("text/event-stream").streaming(hello.chain(news))
}

/// Asks the bot and sends its answer.
struct Answerer {
    client: reqwest::Client,
    question_url: String,
    send_url: String,
    page_token: String,
}

impl Answerer {
    fn new(options: &PipelineOptions) -> Result<Self, BenchError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tcp_nodelay(true)
            .timeout(Duration::from_secs(30))
            .build()?;
        let (graph, chatopera, bot) = (&options.graph_api_url, &options.chatopera_url, &options.chatopera_client_id);
        Ok(Self {
            client,
            question_url: format!("{chatopera}/api/v1/chatbot/{bot}/conversation/query?sdklang=rust"),
            send_url: format!("{graph}/v25.0/{PAGE}/messages"),
            page_token: options.page_token.clone(),
        })
    }

    async fn answer(&self, psid: &str, escaped_text: &str) -> Result<(), reqwest::Error> {
        let question = format!(r#"{{"fromUserId":"{psid}","textMessage":"{escaped_text}"}}"#);
        let asked = self
            .client
            .post(&self.question_url)
            .header("Content-Type", "application/json")
            .body(question);
        asked.send().await?.bytes().await?;
        let message = json!({"recipient": {"id": psid}, "messaging_type": "RESPONSE", "message": {"text": SHIPPING}});
        let sent = self.client.post(&self.send_url).bearer_auth(&self.page_token).json(&message);
        sent.send().await?.bytes().await?;
        Ok(())
    }
}
