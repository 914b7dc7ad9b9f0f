import type { Item, TimelinePage } from "../api/types";

/** The part of a timeline that is loaded, oldest first, without a gap. */
export interface Timeline {
  items: Item[];
  /** Where older items are, or null when there are none. */
  older: string | null;
}

export function timelineOf(page: TimelinePage): Timeline {
  return { items: page.items, older: page.meta.next };
}

/**
 * Lays the newest page over what is loaded. Items of the page win: their status may have changed. When so much is new that the
 * page does not touch what is loaded, the loaded part is dropped, as there would be a gap between them.
 */
export function mergeNewest(known: Timeline | undefined, page: TimelinePage): Timeline {
  const fresh = new Map(page.items.map((item) => [item.id, item]));
  const touches = known?.items.some((item) => fresh.has(item.id)) ?? false;
  if (!known || !touches) return timelineOf(page);
  const isOlder = beforeFirstOf(page);
  return { items: [...known.items.filter((item) => !fresh.has(item.id) && isOlder(item)), ...page.items], older: known.older };
}

export function prependOlder(known: Timeline, page: TimelinePage): Timeline {
  const have = new Set(known.items.map((item) => item.id));
  return { items: [...page.items.filter((item) => !have.has(item.id)), ...known.items], older: page.meta.next };
}

/** An item that the page ought to hold but does not is gone; only what lies before the page is kept. */
function beforeFirstOf(page: TimelinePage): (item: Item) => boolean {
  const first = page.items[0];
  return (item) => first === undefined || item.at <= first.at;
}
