import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

// jsdom has none of these; Mantine asks all of them when it is drawn.
Object.defineProperty(document, "fonts", { value: new EventTarget() });
window.matchMedia = (query) => Object.assign(new EventTarget(), { matches: false, media: query, onchange: null, addListener: ignore, removeListener: ignore });
window.ResizeObserver = class {
  observe = ignore;
  unobserve = ignore;
  disconnect = ignore;
};

function ignore(): void {
  // What is observed never changes here.
}

afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
});
