//! The world: two dispatchers over one store and one broker, the platforms, visitors and agents, for one day.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::directory::{AcceptMode, App, Bot, Channel, Person, SkillGroup, field};
use domain::permission::Role;
use domain::texts::Language;
use domain::work_mode::WorkMode;
use domain::{Content, Rejection};
use engine::ports::{RelayId, StoreError};
use engine::{CommandError, Commands, DirectoryThing, door};
use futures::future::join_all;
use shared::{AppId, BotId, ChannelId, FacebookAppId, PageId, Party, PersonId, SkillGroupId};
use tokio_util::sync::CancellationToken;

use super::agent::{Diligence, SimulatedAgent};
use super::broker::{SimulatedBroker, Weather};
use super::chance::Chance;
use super::checks;
use super::clock::SimulatedClock;
use super::environment::SimulatedEnvironment;
use super::live::Fanout;
use super::memory::{Manners, MemoryStore};
use super::platforms::{SimulatedPlatforms, Temper};
use super::process::{self, Door, Reception};
use super::tape::{Entry, Tape};
use super::trace::Trace;
use super::visitor::SimulatedVisitor;
use super::webhooks::Webhooks;

/// How long visitors write.
const DAY: Duration = Duration::from_secs(240);
/// How long everything may take to come to rest afterwards.
const EVENING: Duration = Duration::from_secs(900);
/// How long nothing has to happen before it counts as rest.
const QUIET: Duration = Duration::from_secs(4);

/// What kind of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing breaks and nobody leaves: order can be checked to the letter.
    Plain,
    /// Everything that can go wrong goes wrong.
    Troubled,
}

/// A Page of the simulated company.
struct Page {
    id: PageId,
    group: SkillGroupId,
    mode: WorkMode,
    /// When its channel is connected; events come before that.
    connected_after: Duration,
}

/// The world.
pub struct World {
    /// Time.
    pub clock: SimulatedClock,
    /// What happened.
    pub tape: Arc<Tape>,
    /// The store.
    pub store: Arc<MemoryStore>,
    /// The broker.
    pub broker: Arc<SimulatedBroker>,
    /// Facebook and the bot.
    pub platforms: Arc<SimulatedPlatforms>,
    /// Facebook's webhook.
    pub webhooks: Arc<Webhooks>,
    /// Wake-ups among the dispatchers.
    pub fanout: Arc<Fanout>,
    receptions: Mutex<Vec<Option<Reception>>>,
    over: CancellationToken,
    kind: Kind,
}

impl World {
    fn new(kind: Kind, chance: &mut Chance) -> Self {
        let clock = SimulatedClock::start();
        let tape = Arc::new(Tape::new(clock));
        let store = MemoryStore::new(clock, Manners::CALM, chance.fork(), Arc::clone(&tape));
        let broker = Arc::new(SimulatedBroker::new(Weather::FAIR, chance.fork()));
        let webhooks = Arc::new(Webhooks::new(clock, Arc::clone(&tape), Arc::clone(&broker), chance.fork()));
        let platforms = SimulatedPlatforms::new(clock, Arc::clone(&tape), Arc::clone(&webhooks), Temper::Kind, chance.fork());
        Self {
            clock,
            tape,
            store: Arc::new(store),
            broker,
            platforms: Arc::new(platforms),
            webhooks,
            fanout: Arc::new(Fanout::new(chance.fork())),
            receptions: Mutex::new(vec![None, None]),
            over: CancellationToken::new(),
            kind,
        }
    }

    /// The doors of a process are open.
    pub fn open(&self, number: usize, reception: Reception) {
        if let Some(place) = self.receptions.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            *place = Some(reception);
        }
    }

    /// The doors of a process are shut.
    pub fn shut(&self, number: usize) {
        if let Some(place) = self.receptions.lock().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            *place = None;
        }
    }

    /// Some process that is up.
    #[must_use]
    pub fn reception(&self, chance: &mut Chance) -> Option<Reception> {
        let receptions = self.receptions.lock().unwrap_or_else(PoisonError::into_inner);
        let open: Vec<Reception> = receptions.iter().flatten().cloned().collect();
        chance.one_of(&open).cloned()
    }

    /// Visitors and agents go home.
    #[must_use]
    pub fn day_is_over(&self) -> bool {
        self.over.is_cancelled()
    }

    /// Resolves after the span if there is trouble today; never once the day is over.
    pub async fn trouble_in(&self, span: Duration) {
        if self.kind == Kind::Troubled {
            tokio::select! {
                biased;
                () = self.over.cancelled() => {}
                () = tokio::time::sleep(span) => return,
            }
        }
        std::future::pending().await
    }

    fn misbehave(&self) {
        match self.kind {
            Kind::Plain => self.store.behave(Manners::BUSY),
            Kind::Troubled => {
                self.store.behave(Manners::TROUBLED);
                self.broker.turn(Weather::FOUL);
                self.platforms.turn(Temper::Moody);
            }
        }
    }

    fn behave(&self) {
        self.store.behave(Manners::BUSY);
        self.broker.turn(Weather::FAIR);
        self.platforms.turn(Temper::Kind);
        self.over.cancel();
    }

    /// Links break, all at once, now and then.
    async fn storms(&self, mut chance: Chance) {
        loop {
            let span = chance.within(&(10_000..120_000));
            self.trouble_in(Duration::from_millis(span)).await;
            self.tape.record(Entry::Befell("every link to the broker broke".to_owned()));
            self.broker.break_all_links();
            if let Ok(page) = PageId::parse("1001") {
                self.tape.record(Entry::Littered);
                self.broker.publish_garbage(&page, &Party::Psid(span.to_string()), b"\xff no event");
            }
        }
    }

    /// Something is still to be done.
    fn unrest(&self) -> Option<String> {
        let held = self.store.outbox();
        if !self.webhooks.is_empty() {
            return Some("webhooks are still to come".to_owned());
        }
        if !self.broker.is_empty() {
            return Some("the broker is not empty".to_owned());
        }
        if let Some(first) = held.first() {
            return Some(format!("{} effects are left in the outbox, first {first:?}", held.len()));
        }
        let proposals = self.store.standing_floor().proposals(self.clock.now(), "", 1);
        proposals
            .first()
            .map(|proposal| format!("work is not conserved: the router would still do {proposal:?}"))
    }

    /// Waits until nothing is left to be done and nobody does anything any more, or says what is left.
    async fn rest(&self) -> Option<String> {
        let deadline = self.clock.now().plus(EVENING);
        let mut quiet = None;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let (now, transactions) = (self.clock.now(), self.store.transactions());
            let unrest = self.unrest().or_else(|| {
                let (since, before) = *quiet.get_or_insert((now, transactions));
                if before != transactions {
                    quiet = None;
                }
                (before != transactions || now.since(since) < QUIET)
                    .then(|| "nothing is left to be done, and somebody keeps trying".to_owned())
            });
            if unrest.is_none() || now > deadline {
                return unrest;
            }
        }
    }
}

/// The directory, saved through a door of its own.
struct Founder<'a> {
    door: &'a Door,
    chance: Chance,
}

impl Founder<'_> {
    fn id(&mut self) -> uuid::Uuid {
        self.chance.id_at(1_763_798_000_000)
    }

    async fn group(&mut self, accept: AcceptMode, wrap_up: bool) -> Result<SkillGroupId, CommandError> {
        let id = SkillGroupId(self.id());
        self.door.create(None, id, SkillGroup { accept, wrap_up }, named("售后")).await?;
        Ok(id)
    }

    /// Saves a thing under an id of its own, as often as it takes.
    async fn save<T: DirectoryThing>(&self, id: T::Id, state: T, name: &str) -> Result<(), CommandError> {
        loop {
            match self.door.create(None, id, state.clone(), named(name)).await {
                Ok(_) | Err(CommandError::Rejected(Rejection::AlreadyExists { .. })) => return Ok(()),
                // The person who does this sees an error and tries again.
                Err(CommandError::Store(StoreError::Unavailable(_) | StoreError::LockTimeout | StoreError::Conflict { .. })) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn connect(&mut self, page: &Page) -> Result<(), CommandError> {
        let (app, bot, channel) = (AppId(self.id()), BotId(self.id()), ChannelId(self.id()));
        if let Ok(facebook_app_id) = FacebookAppId::parse(page.id.as_str()) {
            self.save(app, App { facebook_app_id }, "应用").await?;
        }
        let settings = Bot {
            client_id: "client".to_owned(),
            base_url: None,
            enabled: true,
            deadline_ms: 30_000,
        };
        self.save(bot, settings, "小春").await?;
        let state = Channel {
            page: page.id.clone(),
            app,
            skill_group: page.group,
            bot: Some(bot),
            work_mode: page.mode,
            enabled: true,
            language: Language::Zh,
        };
        self.save(channel, state, "春松客服").await
    }

    async fn hire(&mut self, groups: &[SkillGroupId], capacity: u32) -> Result<PersonId, CommandError> {
        let id = PersonId(self.id());
        let person = Person {
            role: Role::Agent,
            skill_groups: groups.iter().copied().collect::<BTreeSet<_>>(),
            capacity,
            enabled: true,
        };
        let mut content = named("张三");
        content.fields.insert(field::LOGIN.to_owned(), id.to_string());
        content.fields.insert(field::PUBLIC_NAME.to_owned(), "小张".to_owned());
        self.door.create(None, id, person, content).await?;
        Ok(id)
    }
}

fn named(name: &str) -> Content {
    let mut content = Content::default();
    content.fields.insert(field::NAME.to_owned(), name.to_owned());
    content
}

/// A company on its first morning.
struct Company {
    pages: Vec<Page>,
    agents: Vec<SimulatedAgent>,
    visitors: Vec<SimulatedVisitor>,
}

async fn found(founder: &mut Founder<'_>, kind: Kind, chance: &mut Chance) -> Result<Company, CommandError> {
    let (one, other) = (
        founder.group(AcceptMode::Automatic, false).await?,
        founder.group(AcceptMode::Automatic, true).await?,
    );
    let late = Duration::from_millis(chance.within(&(20_000..120_000)));
    let plan = [
        ("1001", one, WorkMode::BotFirst, Duration::ZERO),
        ("1002", one, WorkMode::HumanFirst, Duration::ZERO),
        ("1003", other, WorkMode::BotFirst, Duration::ZERO),
        ("1004", other, WorkMode::BotOnly, late),
    ];
    let mut pages = Vec::new();
    let mut visitors = Vec::new();
    for (id, group, mode, connected_after) in plan {
        let Ok(id) = PageId::parse(id) else { continue };
        for n in 0..chance.within(&(1..4)) {
            visitors.push(SimulatedVisitor::new(id.clone(), Party::Psid(format!("{n}0{id}")), chance.fork()));
        }
        let page = Page {
            id,
            group,
            mode,
            connected_after,
        };
        if page.connected_after.is_zero() {
            founder.connect(&page).await?;
        }
        pages.push(page);
    }
    let mut agents = Vec::new();
    for groups in [vec![one], vec![one, other], vec![other]] {
        let capacity = u32::try_from(chance.within(&(1..4))).unwrap_or(1);
        let id = founder.hire(&groups, capacity).await?;
        let diligence = match kind {
            Kind::Plain => Diligence::Steady,
            Kind::Troubled => Diligence::Restless,
        };
        agents.push(SimulatedAgent {
            id,
            groups,
            diligence,
            chance: chance.fork(),
            given: 0,
        });
    }
    Ok(Company { pages, agents, visitors })
}

/// Connects the Pages whose events come before their channel.
async fn connect_late(founder: &mut Founder<'_>, pages: &[Page]) -> Result<(), CommandError> {
    for page in pages.iter().filter(|page| !page.connected_after.is_zero()) {
        tokio::time::sleep(page.connected_after).await;
        founder.connect(page).await?;
    }
    Ok(())
}

/// Lives one day. Needs a current-thread tokio runtime whose clock is paused.
pub async fn simulate(seed: u64) -> Trace {
    let mut chance = Chance::new(seed);
    let kind = if seed.is_multiple_of(4) { Kind::Plain } else { Kind::Troubled };
    let world = Arc::new(World::new(kind, &mut chance));
    let mut violations = Vec::new();
    let environment = Arc::new(SimulatedEnvironment::new(world.clock, chance.fork()));
    let (relay, _inbox) = door(RelayId(chance.id_at(0)), 0);
    let office = Commands::new(Arc::clone(&world.store), environment, Arc::new(world.fanout.join()), relay);
    let mut founder = Founder {
        door: &office,
        chance: chance.fork(),
    };
    match found(&mut founder, kind, &mut chance).await {
        Ok(company) => {
            violations.extend(Box::pin(live(&world, company, &mut founder, &mut chance)).await);
            violations.extend(checks::all(&world, kind));
        }
        Err(error) => violations.push(format!("the company could not be founded: {error}")),
    }
    Trace {
        seed,
        moments: world.tape.moments(),
        violations,
    }
}

/// Runs everything beside each other until it has come to rest.
async fn live(world: &Arc<World>, company: Company, founder: &mut Founder<'_>, chance: &mut Chance) -> Vec<String> {
    let Company { pages, agents, visitors } = company;
    world.misbehave();
    let processes: Vec<_> = (0..2)
        .map(|number| process::run(Arc::clone(world), number, chance.fork()))
        .collect();
    let machinery = async {
        tokio::join!(biased; join_all(processes), world.webhooks.run(), world.storms(chance.fork()));
    };
    let day = async {
        tokio::time::sleep(DAY).await;
        world.behave();
    };
    let people = async {
        let visits = visitors.into_iter().map(|visitor| visitor.visit(Arc::clone(world)));
        let work = agents.into_iter().map(|agent| agent.work(Arc::clone(world)));
        let connecting = connect_late(founder, &pages);
        let ((), _, _, connected) = tokio::join!(biased; day, join_all(visits), join_all(work), connecting);
        let mut violations = Vec::new();
        violations.extend(connected.err().map(|error| format!("a channel could not be connected: {error}")));
        violations.extend(world.rest().await);
        violations
    };
    tokio::select! {
        biased;
        violations = people => violations,
        () = machinery => vec!["the dispatchers ended by themselves".to_owned()],
    }
}
