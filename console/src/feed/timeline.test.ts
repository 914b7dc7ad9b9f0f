import { describe, expect, it } from "vitest";
import { item, timelinePage } from "../testing/conversation";
import { mergeNewest, prependOlder, timelineOf } from "./timeline";

const ids = (timeline: { items: { id: string }[] }) => timeline.items.map(({ id }) => id);

describe("the newest page of a timeline", () => {
  const known = timelineOf(timelinePage([item("m1"), item("m2"), item("m3")], "older"));

  it("adds what is new and keeps the older pages", () => {
    const merged = mergeNewest(known, timelinePage([item("m3"), item("m4")], "not this"));
    expect(ids(merged)).toEqual(["m1", "m2", "m3", "m4"]);
    expect(merged.older).toBe("older");
  });

  it("renews the status of a message that is shown already", () => {
    const merged = mergeNewest(known, timelinePage([item("m2", { status: "read" }), item("m3")]));
    expect(merged.items.find(({ id }) => id === "m2")?.status).toBe("read");
  });

  it("takes a late message at the place that the server gives it", () => {
    const late = item("m9", { at: "2026-01-01T08:00:02.500Z", late: true });
    expect(ids(mergeNewest(known, timelinePage([item("m2"), late, item("m3")])))).toEqual(["m1", "m2", "m9", "m3"]);
  });

  it("drops what is loaded when there would be a gap", () => {
    const merged = mergeNewest(known, timelinePage([item("m7"), item("m8")], "before m7"));
    expect(ids(merged)).toEqual(["m7", "m8"]);
    expect(merged.older).toBe("before m7");
  });

  it("is the whole timeline when nothing is loaded", () => {
    expect(ids(mergeNewest(undefined, timelinePage([item("m1")])))).toEqual(["m1"]);
  });
});

describe("an older page", () => {
  it("goes in front, once", () => {
    const known = timelineOf(timelinePage([item("m2"), item("m3")], "before m2"));
    const longer = prependOlder(known, timelinePage([item("m1"), item("m2")], null));
    expect(ids(longer)).toEqual(["m1", "m2", "m3"]);
    expect(longer.older).toBeNull();
  });
});
