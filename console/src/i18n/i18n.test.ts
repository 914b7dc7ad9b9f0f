import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Problem } from "../api/problem";
import { problemIds } from "../api/types";
import { isTextKey, preferredLanguage, texts, translator, type Language } from ".";
import { isShown, noticeText } from "../screens/workbench/noticeText";
import { item } from "../testing/conversation";
import { problemText, refusalText } from "./problems";
import { shortTime, waited } from "./times";

const languages: Language[] = ["zh", "en"];
const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe("the texts", () => {
  it("have the same keys in both languages", () => {
    expect(Object.keys(texts.en).sort()).toEqual(Object.keys(texts.zh).sort());
  });

  it("are nowhere blank", () => {
    for (const language of languages) {
      expect(Object.entries(texts[language]).filter(([, text]) => text.trim() === "")).toEqual([]);
    }
  });

  it("have the same placeholders in both languages", () => {
    const differing = Object.entries(texts.zh).filter(([key, zh]) => isTextKey(key) && placeholders(zh).join() !== placeholders(texts.en[key]).join());
    expect(differing.map(([key]) => key)).toEqual([]);
  });

  it("are sorted by key, so that two people who add texts do not collide", () => {
    for (const language of languages) {
      const keys = Object.keys(texts[language]);
      expect(keys).toEqual([...keys].sort());
    }
  });

  it("have words for every problem that the API can answer", () => {
    for (const language of languages) {
      for (const id of problemIds) expect(problemText(translator(language), new Problem(id, 400))).not.toBe("");
    }
  });

  it("are the only place with words: no Chinese text is written in the sources", () => {
    const root = join(import.meta.dirname, "..");
    const sources = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path));
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.filter((path) => /\p{Script=Han}/u.test(readFileSync(join(root, path), "utf8")))).toEqual([]);
  });
});

describe("the translation", () => {
  it("fills placeholders and leaves those that are unknown", () => {
    expect(translator("en")("item.waited_minutes", { count: 3 })).toBe("Waits 3 min");
    expect(translator("en")("item.waited_minutes")).toBe("Waits {count} min");
  });

  it.each([
    [["zh-TW", "en"], "zh"],
    [["en-GB"], "en"],
    [["fr"], "en"],
    [[], "zh"],
  ] as const)("of a browser that prefers %j is %s", (preferred, language) => {
    expect(preferredLanguage(preferred)).toBe(language);
  });

  it("shows a refusal that it does not know as it came", () => {
    expect(refusalText(translator("en"), "brand_new_reason")).toBe("brand_new_reason");
    expect(refusalText(translator("en"), "window_closed")).toContain("window is closed");
  });

  it("shows a notice that it does not know instead of nothing", () => {
    const unknown = item("m1", { kind: "notice", event: "brand_new", text: null });
    expect(noticeText(translator("en"), unknown)).toBe("Event: brand_new");
  });

  it("leaves out what Facebook tells for machines only", () => {
    const told = (event: string) => isShown(item("m1", { kind: "event", event, direction: "none", text: null }));
    expect(["delivery", "read", "echo", "change:feed", "reaction", "unsend"].filter(told)).toEqual(["reaction", "unsend"]);
  });

  it("does not say that a visitor who asked for a person handed over to the bot", () => {
    const asked = item("m1", { kind: "notice", event: "handed_over", text: null, author: { kind: "visitor", id: null, name: "Mei" } });
    expect(noticeText(translator("en"), asked)).toBe("Handed over to agents");
  });

  it("names the agent in a notice where it is known", () => {
    const assigned = item("m1", { kind: "notice", event: "assigned", text: null, author: { kind: "system", id: null, name: "Zhang San" } });
    expect(noticeText(translator("en"), assigned)).toBe("Assigned to Zhang San");
  });
});

describe("times", () => {
  const now = new Date("2026-06-15T12:00:00");

  it("of today are a time of day, older ones a date, those of other years with the year", () => {
    expect(shortTime("2026-06-15T09:05:00", now, "en")).toBe("09:05");
    expect(shortTime("2026-06-14T09:05:00", now, "en")).toBe("14/06");
    expect(shortTime("2025-06-14T09:05:00", now, "en")).toBe("14/06/2025");
  });

  it("that somebody waits are told in the unit that fits", () => {
    const at = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();
    expect(waited(at(59), now)).toEqual({ key: "item.waited_minutes", values: { count: 59 } });
    expect(waited(at(61), now)).toEqual({ key: "item.waited_hours", values: { count: 1 } });
    expect(waited(at(49 * 60), now)).toEqual({ key: "item.waited_days", values: { count: 2 } });
    expect(waited(at(-5), now)).toEqual({ key: "item.waited_minutes", values: { count: 0 } });
  });
});
