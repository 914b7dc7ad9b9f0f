//! A visitor, who writes, taps and reads as it comes to them.

use std::sync::Arc;
use std::time::Duration;

use domain::bot::{FAQ_LIST, TRANSFER_LABOR};
use serde_json::{Value, json};
use shared::{PageId, Party, Timestamp};

use super::chance::Chance;
use super::webhooks::from_visitor;
use super::world::World;

/// A visitor on one Page.
#[derive(Debug)]
pub struct SimulatedVisitor {
    page: PageId,
    party: Party,
    chance: Chance,
    /// Things done so far; every one has a mid of its own.
    done: u32,
}

impl SimulatedVisitor {
    /// Somebody who has not written yet.
    #[must_use]
    pub const fn new(page: PageId, party: Party, chance: Chance) -> Self {
        Self {
            page,
            party,
            chance,
            done: 0,
        }
    }

    /// Visits until the day is over.
    pub async fn visit(mut self, world: Arc<World>) {
        while !world.day_is_over() {
            let pause = self.chance.within(&(200..25_000));
            tokio::time::sleep(Duration::from_millis(pause)).await;
            self.act(&world);
        }
    }

    fn act(&mut self, world: &World) {
        match self.chance.below(100) {
            0..45 => self.write(world, Duration::ZERO),
            45..57 => {
                // Several in a row, faster than anybody answers; Facebook delivers some of them late.
                for n in 0..self.chance.within(&(2..5)) {
                    self.write(world, Duration::from_millis(n * 40));
                }
            }
            57..72 => self.tap(world, TRANSFER_LABOR, "转人工"),
            72..77 => self.tap(world, FAQ_LIST, "营业时间？"),
            77..80 => self.tap(world, "__chatbot_help_positive", "有用"),
            80..85 => self.attach(world),
            85..89 => self.refer(world),
            89..95 => self.react(world),
            _ => self.write_late(world),
        }
    }

    fn mid(&mut self) -> String {
        self.done += 1;
        format!("m_{}_{}_{}", self.page, self.party.as_key(), self.done)
    }

    fn post(&self, world: &World, at: Timestamp, name: &str, detail: &Value, delay: Duration) {
        world
            .webhooks
            .post(&self.page, from_visitor(&self.page, &self.party, at, name, detail), delay);
    }

    fn write(&mut self, world: &World, delay: Duration) {
        let mid = self.mid();
        let message = json!({"mid": mid, "text": format!("问 {}", self.done)});
        self.post(world, world.clock.now().plus(delay), "message", &message, delay);
    }

    fn write_late(&mut self, world: &World) {
        let mid = self.mid();
        let message = json!({"mid": mid, "text": format!("早先 {}", self.done)});
        let at = Timestamp::from_millis(world.clock.now().as_millis() - 60_000);
        self.post(world, at, "message", &message, Duration::ZERO);
    }

    fn tap(&mut self, world: &World, payload: &str, title: &str) {
        let mid = self.mid();
        let postback = json!({"mid": mid, "title": title, "payload": payload});
        self.post(world, world.clock.now(), "postback", &postback, Duration::ZERO);
    }

    fn attach(&mut self, world: &World) {
        let mid = self.mid();
        let picture = json!({"type": "image", "payload": {"url": "https://cdn.example/1.jpg"}});
        let message = json!({"mid": mid, "attachments": [picture]});
        self.post(world, world.clock.now(), "message", &message, Duration::ZERO);
    }

    fn refer(&mut self, world: &World) {
        let reference = self.mid();
        let referral = json!({"ref": reference, "source": "SHORTLINK", "type": "OPEN_THREAD"});
        self.post(world, world.clock.now(), "referral", &referral, Duration::ZERO);
    }

    fn react(&mut self, world: &World) {
        let about = self.mid();
        let reaction = json!({"reaction": "love", "emoji": "❤", "action": "react", "mid": about});
        self.post(world, world.clock.now(), "reaction", &reaction, Duration::ZERO);
    }
}
