/**
 * What the dispatcher's API takes and gives, by the names that the console uses. `schema.d.ts` is generated from the dispatcher's
 * description of itself; written by hand is only what that leaves open.
 */

import type { components, paths } from "./schema";

type Schemas = components["schemas"];

/** A change: what is not named stays. Null takes away, which only some fields can bear; for the others it says nothing. */
type Patch<Described, Removable extends keyof Described = never> = {
  [Field in keyof Described]?: Field extends Removable ? Described[Field] : NonNullable<Described[Field]>;
};

export type Session = Schemas["Session"];
export type Permission = Session["permissions"][number];
export type Role = Session["person"]["role"];

export type Presence = Schemas["Presence"];
export type PresenceState = Presence["presence"];

export type Reference = Schemas["Reference"];

export type Conversation = Schemas["Conversation"];
export type Phase = Conversation["phase"];
export type LastMessage = NonNullable<Conversation["last_message"]>;
export type ConversationPage = Schemas["ConversationPage"];
export type ConversationView = NonNullable<Api["GET /conversations"]["query"]["view"]>;

export type Item = Schemas["Item"];
export type ItemKind = Item["kind"];
export type AuthorKind = Item["author"]["kind"];
export type SendStatus = NonNullable<Item["status"]>;
export type Attachment = Schemas["Attachment"];
export type TimelinePage = Schemas["TimelinePage"];

export type Accepted = Schemas["Done"];

export type App = Schemas["App"];
export type NewApp = Schemas["NewApp"];
export type AppPatch = Patch<Schemas["AppPatch"], "second_secret">;

export type Channel = Schemas["Channel"];
export type WorkMode = Channel["work_mode"];
export type NewChannel = Schemas["NewChannel"];
export type ChannelPatch = Patch<Schemas["ChannelPatch"], "bot_id">;

export type Bot = Schemas["Bot"];
export type NewBot = Schemas["NewBot"];
export type BotPatch = Patch<Schemas["BotPatch"], "base_url" | "secret">;

export type SkillGroup = Schemas["SkillGroup"];
export type SkillGroupName = Schemas["NewSkillGroup"];

export type Person = Schemas["Person"];
export type NewPerson = Schemas["NewPerson"];
export type PersonPatch = Patch<Schemas["PersonPatch"]>;

type Method = "get" | "post" | "put" | "patch" | "delete";

/** `GET /session` and so on: every operation below the API's root. */
type Endpoint = {
  [Path in keyof paths]: Path extends `/api/v1${infer Rest}`
    ? { [Verb in Method]: paths[Path] extends Record<Verb, object> ? `${Uppercase<Verb>} ${Rest}` : never }[Method]
    : never;
}[keyof paths];

type Operation<E extends Endpoint> = E extends `${infer Verb} ${infer Rest}` ? At<At<paths, `/api/v1${Rest}`>, Lowercase<Verb>> : never;

type At<From, Key extends string> = Key extends keyof From ? From[Key] : never;

/** A part of a request under its name, or no part at all where the operation has none. */
type Named<Name extends string, Value> = [NonNullable<Value>] extends [never] ? unknown : Record<Name, NonNullable<Value>>;

type ParametersOf<Op> = Op extends { parameters: { path?: infer Path; query?: infer Query } } ? Named<"path", Path> & Named<"query", Query> : never;
type BodyOf<Op> = Op extends { requestBody: { content: { "application/json": infer Body } } } ? Record<"body", Body> : unknown;

/** What comes when it goes well; null where nothing is told. */
type AnswerOf<Op> = Op extends { responses: infer Responses } ? ContentOf<Responses[keyof Responses & (200 | 201 | 202 | 204)]> : never;
type ContentOf<Response> = Response extends { content: infer Content } ? At<Content, "application/json"> : null;

/** Every call that there is: what it needs and what it answers. */
export type Api = {
  [E in Endpoint]: ParametersOf<Operation<E>> & BodyOf<Operation<E>> & { answer: AnswerOf<Operation<E>> };
};

/**
 * One entry of the live feed. The console reads what it concerns and asks the API for the new state. The description knows the
 * feed only as a stream of text, so this is written by hand.
 */
export interface Change {
  cursor: string;
  type: string;
  stream: string;
  conversation_id: string | null;
  visitor_id: string | null;
  agent_id: string | null;
  occurred_at: string;
}

export type ProblemId = Schemas["Problem"]["id"];

/** The closed list of problem ids; one that the description adds or drops does not compile here. */
const everyProblem: Record<ProblemId, true> = {
  invalid_request: true,
  not_signed_in: true,
  wrong_credentials: true,
  csrf_token_missing: true,
  not_permitted: true,
  not_found: true,
  method_not_allowed: true,
  already_exists: true,
  stale: true,
  conversation_over: true,
  not_your_conversation: true,
  hand_over_not_allowed: true,
  agent_not_ready: true,
  no_capacity: true,
  idempotency_key_reused: true,
  text_empty: true,
  text_too_long: true,
  payload_too_large: true,
  too_many_attempts: true,
  unavailable: true,
  internal: true,
};

export const problemIds = Object.keys(everyProblem) as readonly ProblemId[];
